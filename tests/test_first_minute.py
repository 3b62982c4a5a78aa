"""What somebody meets who starts the demo for the first time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.redis_server import RedisServer
from tests.deploy.processes import ROOT, Process
from tests.support.waiting import eventually


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_on_a_taken_port_the_demo_says_so_and_takes_the_next_free_one(tmp_path: Path, taken_port: int) -> None:
    arguments = ["demo", "--port", str(taken_port), "--data", str(tmp_path / "data")]
    with Process(tmp_path, arguments) as process:
        url = process.start()["url"]
        port = int(url.rsplit(":", 1)[1])
        assert taken_port < port <= taken_port + 100
        assert eventually(lambda: f"Page      {url}/" in process.log())
        assert f"Port {taken_port} is taken by another program: using {port} instead.\n" in process.log()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_run_takes_the_port_that_is_asked_for(tmp_path: Path) -> None:
    """Without its set-up: this test's own environment is installed."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    ready, log = tmp_path / "ready.json", tmp_path / "log"
    words = f"--port {port} --data {tmp_path / 'data'} --ready-file {ready}"
    command = ["make", "--no-print-directory", "-o", "setup", "run", f"BIN={Path(sys.executable).parent}"]
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*command, f"ARGS={words}"], cwd=ROOT, stdout=written, stderr=written, start_new_session=True
        )
    try:
        assert eventually(lambda: ready.exists() or process.poll() is not None)
        assert ready.exists(), log.read_text()
        assert json.loads(ready.read_text())["url"] == f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: make and what it started
        process.wait(timeout=180)


def test_on_a_taken_port_serve_refuses(redis_server: RedisServer, taken_port: int) -> None:
    done = subprocess.run(
        [sys.executable, "main.py", "serve", "--port", str(taken_port)],
        cwd=ROOT,
        env=os.environ | {"PROMPT_REDIS__URL": redis_server.url},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{taken_port}: Address already in use" in done.stderr


def test_the_tests_end_with_one_line_on_what_was_left_out(tmp_path: Path) -> None:
    test = "tests/storage/test_redis_server.py::test_it_answers_and_is_gone_after_the_with_block"
    surroundings = {name: text for name, text in os.environ.items() if name not in ("CI", "PATH")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "1", test],
        cwd=ROOT,
        env=surroundings | {"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1].startswith(
        "Left out: 1 (needs redis-server). All of them run after: apt install"
    )
