"""No prompt, key or token reaches a log line, whatever goes wrong: markers go in, and the whole log is searched."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import jwt
import pytest

from handlers.paths import BASE

ROOT = Path(__file__).parent.parent
MARKER = "Zwiebelkuchen-4711"
JWT_SECRET = "a-secret-for-tests-that-is-long-enough-for-HS256"
INVALID_HEADS = [  # Tornado quotes in its log what it will not take
    "GET /health/live HTTP/1.1\r\nHost: a\r\nCookie: session={marker}\x01\r\n\r\n",
    "GET {base}/generate-prompt-async/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\x02\r\n\r\n",
    "GET /health/live HTTP/1.1\r\nHost: a\r\n{marker} \x02: x\r\n\r\n",
    "GET /health/live?{marker}\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST {base}/generate-prompt/ HTTP/1.1\r\nHost: a\r\nContent-Length: {marker}\r\n\r\n",
]
FAULTS = ["", "overloaded", "api_key_invalid", "safety", "html", "wrong_utf8", "error_mid_stream", "quota_per_day"]


def ask(url: str, key: str, body: bytes | None, **headers: str) -> tuple[int, dict[str, Any]]:
    sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} | headers
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, sent), timeout=180) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as exc:
        return exc.code, json.load(exc)


def send(url: str, data: bytes) -> bytes:
    """Send the bytes unchanged, and return everything until the server closes the connection."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=180) as connection:
        connection.sendall(data)
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_prompt_key_or_token_is_logged(tmp_path: Path, log_format: str) -> None:
    ready, log = tmp_path / "ready.json", tmp_path / "log"
    environment = {name: text for name, text in os.environ.items() if name != "GEMINI_API_KEY"} | {
        "PROMPT_LOGS__FORMAT": log_format,
        "PROMPT_LOGS__LEVEL": "debug",
        "PROMPT_IDENTITY__JWT__ALGORITHM": "HS256",
        "PROMPT_IDENTITY__JWT__SECRET": JWT_SECRET,
        "PROMPT_GEMINI__RETRY_BASE_S": "0.01",
    }
    command = [sys.executable, "main.py", "demo", "--port", "0", "--data", str(tmp_path / "data")]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready), "--gemini-delay-s", "0"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        while not ready.exists():
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        demo = json.loads(ready.read_text())
        token = jwt.encode({"sub": demo["account_id"], "exp": time.time() + 600}, JWT_SECRET, "HS256")
        for fault in FAULTS:
            prompt = f"{MARKER} " + (f"[[standin:fault={fault}]]" if fault else "")
            body = json.dumps({"manual_prompt": prompt}).encode()
            status, _answer = ask(f"{demo['url']}{BASE}/generate-prompt/", token, body)
            assert status == 200
        watched = json.dumps({"manual_prompt": MARKER, "watch_token": True}).encode()
        _status, started = ask(f"{demo['url']}{BASE}/generate-prompt-async/", token, watched)
        watch_token = started["watch_token"]
        encoded = "".join(f"%25{ord(each):02X}" for each in watch_token[:6]) + watch_token[6:]
        paths = (f"status/{started['task_id']}/", f"status/{watch_token}/", f"?token={watch_token}", f"x/{encoded}/")
        for path in paths:
            ask(f"{demo['url']}{BASE}/generate-prompt-async/{path}", watch_token, None)
        wrong = [
            (demo["api_key"], b'{"manual_prompt": "' + MARKER.encode()),
            (demo["api_key"], json.dumps({"manual_prompt": [MARKER]}).encode()),
            (demo["api_key"], json.dumps({"manual_prompt": MARKER + "\0"}).encode()),
            (demo["api_key"], json.dumps({"manual_prompt": MARKER * 2_000}).encode()),
            (demo["api_key"][:-1] + "!", json.dumps({"manual_prompt": MARKER}).encode()),
            (token[:-3] + "abc", json.dumps({"manual_prompt": MARKER}).encode()),
        ]
        for key, body in wrong:
            status, _answer = ask(f"{demo['url']}{BASE}/generate-prompt-async/", key, body)
            assert status in (400, 401)
        for head in INVALID_HEADS:
            refused = send(demo["url"], head.format(base=BASE, key=demo["api_key"], marker=MARKER).encode("latin-1"))
            assert refused.startswith(b"HTTP/1.1 4"), refused
    finally:
        process.terminate()
        assert process.wait(timeout=180) == 0
    text = log.read_text("utf-8")
    assert text.count("gemini_failed") >= len(FAULTS) - 1
    assert text.count("tornado.general") >= 3, "that Tornado refused something is logged, without its words"
    assert text.count("request") > len(FAULTS) + len(wrong)
    for secret in (
        MARKER,
        demo["api_key"],
        demo["api_key"][:20],
        token,
        token.split(".")[1],
        watch_token,
        watch_token[6:30],
        JWT_SECRET,
    ):
        assert secret not in text
