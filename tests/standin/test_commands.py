"""The ``gemini-standin`` command as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from standin.commands import gemini_standin
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
COMMAND = "from standin.commands import gemini_standin; gemini_standin()"


@contextmanager
def running(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Start it on a free port; ends it as a service manager does."""
    ready = folder / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--ready-file", str(ready), *options], cwd=ROOT, stderr=subprocess.PIPE
    )
    try:
        assert eventually(lambda: ready.exists() or process.poll() is not None, within_s=30)
        assert process.poll() is None, "it ended before it was ready"
        facts = json.loads(ready.read_text())
        assert facts["pid"] == process.pid
        yield facts
    finally:
        process.send_signal(signal.SIGTERM)
        _out, said = process.communicate(timeout=120)
    assert process.returncode == 0
    assert facts["url"] in said.decode()


def ask(url: str, text: str = "Bake.", key: str = "k") -> tuple[int, bytes]:
    body = json.dumps({"contents": [{"parts": [{"text": text}]}]}).encode()
    request = urllib.request.Request(
        f"{url}/v1beta/models/gemini-flash-latest:generateContent", body, {"x-goog-api-key": key}
    )
    try:
        with urllib.request.urlopen(request, timeout=180) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read()


def test_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    with running(tmp_path, "--api-key", "k") as facts:
        status, body = ask(facts["url"])
        assert (status, b"Bake." in body) == (200, True)
        assert ask(facts["url"], key="other")[0] == 400


def test_pace_and_faults_are_options(tmp_path: Path) -> None:
    with running(tmp_path, "--fault", "overloaded", "--first", "2", "--delay-s", "0.2", "--seed", "7") as facts:
        began = time.monotonic()
        assert [ask(facts["url"])[0] for _request in range(3)] == [503, 503, 200]
        assert time.monotonic() - began >= 0.6


def test_a_fault_that_does_not_exist_is_refused_with_those_that_do() -> None:
    result = CliRunner().invoke(gemini_standin, ["--fault", "flood"])
    assert result.exit_code == 2
    assert "overloaded" in result.output


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-c", COMMAND, "--port", str(port)], cwd=ROOT, capture_output=True, text=True, timeout=30
        )
    assert ended.returncode == 1
    assert ended.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_the_help_explains_itself() -> None:
    result = CliRunner().invoke(gemini_standin, ["--help"])
    assert result.exit_code == 0
    for option in ("--port", "--host", "--api-key", "--delay-s", "--tokens-per-second", "--fault", "--ready-file"):
        assert option in result.output
