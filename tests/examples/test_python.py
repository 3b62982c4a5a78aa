"""The Python example, run as its first lines say, against a real server."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from tests.deploy.processes import ROOT, demo

EXAMPLE = ROOT / "examples" / "python" / "generate.py"


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with demo(tmp_path_factory.mktemp("examples") / "demo", gemini_delay_s=0.2) as process:
        yield process.start()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, EXAMPLE, *arguments], capture_output=True, text=True, timeout=120)


def test_it_shows_the_stages_and_prints_the_prompt(facts: dict[str, Any]) -> None:
    done = run(facts["url"], facts["api_key"], "Answer questions about our bakery. Call +49 30 1234567.")
    assert done.returncode == 0, done.stderr
    assert "+49 30 1234567" in done.stdout
    assert "Generating enhanced prompt with AI..." in done.stderr


def test_it_says_in_one_sentence_why_a_key_is_refused(facts: dict[str, Any]) -> None:
    done = run(facts["url"], "not-a-key", "Be kind.")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "API key" in done.stderr
    assert "Traceback" not in done.stderr


PAGE = b"<html>Sign in</html>"
STRANGE = [  # status, headers, body
    (200, {}, PAGE),
    (200, {}, b"[]"),
    (200, {}, b"{}"),
    (200, {}, b"\xff\xfe"),
    (200, {"Content-Length": "500"}, b'{"task_id":'),
    (404, {}, PAGE),
    (408, {}, PAGE),
    (425, {}, PAGE),
    (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, PAGE),
    (429, {"Retry-After": "-1"}, PAGE),
    (502, {}, PAGE),
    (503, {"Retry-After": "7"}, b'{"error_code": "storage_unavailable", "error": "Try again."}'),
]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example as a module; its pauses are in ``paused``."""
    spec = importlib.util.spec_from_file_location("generate", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.paused = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=module.paused.append))
    return module


@pytest.fixture
def answers() -> Iterator[tuple[str, list[Any]]]:
    """A server's URL, and what it answers to the next requests, one after the other."""
    coming: list[Any] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = coming.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}", coming
        server.shutdown()
        serving.join()


def test_an_answer_that_is_not_the_servers_is_asked_for_again(example: Any, answers: tuple[str, list[Any]]) -> None:
    url, coming = answers
    example.TRIES = len(STRANGE) + 1
    coming += [*STRANGE, (200, {}, b'{"task_id": "a", "status": "queued"}')]
    assert example.PromptClient(url, "a-key").status("a")["status"] == "queued"
    assert example.paused == [1] * (len(STRANGE) - 1) + [7]


def test_what_will_not_be_answered_soon_is_not_waited_for(example: Any, answers: tuple[str, list[Any]]) -> None:
    url, coming = answers
    coming += [
        (503, {"Retry-After": "31536000"}, PAGE),
        (404, {}, b'{"error_code": "task_not_found", "error": "There is no such task."}'),
    ]
    for said in ("HTTP 503", "There is no such task."):
        with pytest.raises(example.Refused, match=said):
            example.PromptClient(url, "a-key").status("a")
    assert example.paused == []
