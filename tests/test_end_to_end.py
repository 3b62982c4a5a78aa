"""The seed's flow against `main.py demo` as a process of its own, with nothing but urllib as the client."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from handlers.paths import BASE
from tests.support.warm_start import run_main

ROOT = Path(__file__).parent.parent
MANUAL = "You answer for Bakery Sonne, Main Street 5. Open 7-18. Call +49 30 1234567 or mail info@sonne.example."
STAGES = {
    0: ("queued", "Task queued, waiting to start..."),
    10: ("processing", "Initializing AI generation..."),
    30: ("processing", "Checking tokens..."),
    50: ("processing", "Generating enhanced prompt with AI..."),
    70: ("processing", "Waiting for AI response..."),
    90: ("processing", "Finalizing..."),
    100: ("completed", "Prompt generated successfully"),
}


@dataclass
class Demo:
    """A running demo and the facts of its ready file."""

    url: str
    api_key: str
    account_id: str
    redis_url: str
    gemini_url: str
    pid: int
    admin_key: str = ""

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, dict[str, Any], Any]:
        headers = {"Authorization": f"Bearer {key or self.api_key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=180) as response:
                return response.status, json.load(response), response.headers
        except urllib.error.HTTPError as exc:
            return exc.code, json.load(exc), exc.headers

    def accounts(self, *arguments: str) -> dict[str, Any]:
        environment = os.environ | {"PROMPT_REDIS__URL": self.redis_url}
        done = run_main("accounts", *arguments, "--json", environment=environment)
        assert done.returncode == 0, done.stderr
        members: dict[str, Any] = json.loads(done.stdout)
        return members

    def poll(self, task_id: str, key: str | None = None) -> list[dict[str, Any]]:
        """Poll until the task is terminal; return every document that was seen, each once."""
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["status"] in ("queued", "processing"):
            status, document, _headers = self.ask("GET", f"{BASE}/generate-prompt-async/status/{task_id}/", key=key)
            assert status == 200
            if not seen or document != seen[-1]:
                seen.append(document)
        return seen


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    process, demo = start_demo(folder)
    yield demo
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=180) == 0


def start_demo(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], Demo]:
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    environment = {name: text for name, text in os.environ.items() if name != "GEMINI_API_KEY"}
    environment["PROMPT_LIMITS__POLLS_PER_SECOND_PER_ACCOUNT"] = "0"  # so that no short stage is missed
    process = subprocess.Popen(
        [
            *(sys.executable, "main.py", "demo", "--port", "0", "--ready-file", str(ready)),
            *("--data", str(folder / "data"), "--gemini-delay-s", "0.3"),
            *options,
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 180
    while not ready.exists():
        assert process.poll() is None, "the demo ended before it was ready"
        assert time.monotonic() < deadline, "the demo was not ready within three minutes"
        time.sleep(0.02)
    return process, Demo(**json.loads(ready.read_text()))


def test_the_flow_of_the_contract_from_submit_to_result(demo: Demo) -> None:
    status, started, headers = demo.ask("POST", f"{BASE}/generate-prompt-async/", {"manual_prompt": MANUAL})
    assert status == 202
    task_id = started["task_id"]
    assert started == {
        "success": True,
        "task_id": task_id,
        "status": "queued",
        "message": "Prompt generation started. Use task_id to check status.",
        "status_url": f"{BASE}/generate-prompt-async/status/{task_id}/",
    }
    assert headers["Location"] == started["status_url"]
    seen = demo.poll(task_id)
    for document in seen:
        assert (document["status"], document["message"]) == STAGES[document["progress"]]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["created_at"])
    assert {50, 70} & {document["progress"] for document in seen}  # the stages that last long enough to be met
    final = seen[-1]
    assert final["generated_by_ai"] is True
    assert final["completed_at"] >= final["created_at"]
    for fact in ("Bakery Sonne", "Main Street 5", "7-18", "+49 30 1234567", "info@sonne.example"):
        assert fact in final["prompt"]


def test_too_few_tokens_fail_as_documented(demo: Demo) -> None:
    made = demo.accounts("create", "--tokens", "250", "--subscription-days", "30")
    _status, started, _headers = demo.ask(
        "POST", f"{BASE}/generate-prompt-async/", {"manual_prompt": MANUAL}, made["api_key"]
    )
    final = demo.poll(started["task_id"], made["api_key"])[-1]
    assert (final["status"], final["progress"], final["message"]) == ("failed", 100, "Insufficient tokens")
    assert final["error"] == "You need at least 700 tokens for prompt enhancement. Available: 250"
    assert demo.accounts("show", made["account_id"])["tokens_remaining"] == 250


def test_an_inactive_subscription_fails_as_documented(demo: Demo) -> None:
    made = demo.accounts("create", "--tokens", "5000", "--subscription-days", "0")
    _status, started, _headers = demo.ask(
        "POST", f"{BASE}/generate-prompt-async/", {"manual_prompt": MANUAL}, made["api_key"]
    )
    final = demo.poll(started["task_id"], made["api_key"])[-1]
    assert (final["status"], final["message"]) == ("failed", "Subscription is not active")


def test_the_fallback_costs_nothing(demo: Demo) -> None:
    before = demo.accounts("show", demo.account_id)["tokens_remaining"]
    _status, started, _headers = demo.ask(
        "POST", f"{BASE}/generate-prompt-async/", {"manual_prompt": MANUAL + " [[standin:fault=api_key_invalid]]"}
    )
    final = demo.poll(started["task_id"])[-1]
    assert final["status"] == "completed"
    assert final["message"] == "Prompt generated (AI unavailable, using fallback)"
    assert final["generated_by_ai"] is False
    assert final["warning"]
    assert MANUAL in final["prompt"]
    assert demo.accounts("show", demo.account_id)["tokens_remaining"] == before


def test_the_synchronous_endpoint_still_answers(demo: Demo) -> None:
    status, answer, _headers = demo.ask("POST", f"{BASE}/generate-prompt/", {"manual_prompt": MANUAL})
    assert status == 200
    assert answer["success"] is True
    assert answer["generated_by_ai"] is True
    assert "Bakery Sonne" in answer["prompt"]


def test_an_empty_prompt_and_an_unknown_task_are_answered_as_documented(demo: Demo) -> None:
    status, answer, _headers = demo.ask("POST", f"{BASE}/generate-prompt-async/", {"manual_prompt": "  "})
    assert (status, answer["success"], answer["message"]) == (400, False, "manual_prompt is required")
    status, answer, _headers = demo.ask("GET", f"{BASE}/generate-prompt-async/status/abc123-def456-ghi789/")
    assert (status, answer["message"]) == (404, "Task not found")


def test_every_account_adds_up_afterwards(demo: Demo) -> None:
    assert demo.accounts("audit")["ok"] is True


def test_the_demo_account_survives_a_restart(tmp_path: Path) -> None:
    process, first = start_demo(tmp_path)
    _status, started, _headers = first.ask("POST", f"{BASE}/generate-prompt-async/", {"manual_prompt": MANUAL})
    final = first.poll(started["task_id"])[-1]
    process.kill()  # Redis stops with its parent, however the parent ends
    process.wait()
    process, second = start_demo(tmp_path, "--admin-key")
    try:
        assert (second.account_id, second.api_key) == (first.account_id, first.api_key)
        assert second.poll(started["task_id"])[-1] == final
        assert first.admin_key == ""
        status, answer, _headers = second.ask(
            "GET", f"/api/v1/admin/accounts/{second.account_id}/", key=second.admin_key
        )
        assert (status, answer["account"]["name"]) == (200, "Demo")
    finally:
        process.send_signal(signal.SIGHUP)  # drains, as SIGTERM does
        assert process.wait(timeout=180) == 0
