"""The requests that browsers send: 17 headers and a token for a poll, four more for a submit.

Refuses to send them: the Lua script of wrk gets them as text, the Python clients as a mapping.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

BASE = "/api/v1/web-knowledge"
SUBMIT_PATH = f"{BASE}/generate-prompt-async/"
STATUS_PATH = f"{BASE}/generate-prompt-async/status/"
HOST = "app.example.com"
REPEATED_BODY = json.dumps(
    {"manual_prompt": "Answer questions about our bakery. Open 7-18, call 030 1234567."}
).encode()


def browser_headers(token: str) -> Mapping[str, str]:
    """Return what Chrome sends with a fetch() to the page's own origin, in its order; 17 headers."""
    return {
        "Host": HOST,
        "Connection": "keep-alive",
        "Pragma": "no-cache",
        "Cache-Control": "no-cache",
        "sec-ch-ua-platform": '"Windows"',
        "Authorization": f"Bearer {token}",
        "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36",
        "sec-ch-ua": '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
        "DNT": "1",
        "sec-ch-ua-mobile": "?0",
        "Accept": "*/*",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Dest": "empty",
        "Referer": f"https://{HOST}/settings/knowledge/prompt",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7",
    }


def submit_headers(token: str, body: bytes, idempotency_key: str = "") -> Mapping[str, str]:
    """Return what it sends with a POST; with a key, if there is one."""
    key = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    return {
        **browser_headers(token),
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Origin": f"https://{HOST}",
        **key,
    }


def repeated_submit(account_id: str, token: str) -> Mapping[str, str]:
    """Return the headers of the submit that an account sends again and again: only the first starts a generation."""
    return submit_headers(token, REPEATED_BODY, f"bench-{account_id}")


def as_text(headers: Mapping[str, str]) -> bytes:
    """Render a header block, its empty line included."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii") + b"\r\n"
