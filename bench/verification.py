"""Proof that a contender does its work before it is measured: the right document, nobody else's, no wrong token.

Refuses to know how fast.
"""

from __future__ import annotations

import http.client
import json
import secrets
import uuid
from urllib.parse import urlsplit

from bench.headers import STATUS_PATH, browser_headers
from bench.load_accounts import LoadAccount, sign
from bench.process import BenchmarkFailed
from bench.shared_slots import SharedSlots


def verify(name: str, url: str, slots: SharedSlots, accounts: list[LoadAccount], secret: str) -> None:
    """Ask a contender what an honest one answers rightly.

    Raises:
        BenchmarkFailed: it did not; the text says what it answered.
    """
    address = urlsplit(url).netloc
    first, second = accounts[0], accounts[1]
    with_wrong_key = sign(first.account_id, secrets.token_hex(32))
    expired = sign(first.account_id, secret, lifetime_s=-3_600)
    for _ in range(5):  # a task may expire between the look at the slots and the question
        task_id = slots.task(0)
        status, body = ask(address, first.token, task_id)
        if status == 200:
            break
    _expect(name, "its own task", status, 200, body)
    document = json.loads(body)
    sane = {"queued", "processing", "completed"}
    if document.get("status") not in sane or document.get("task_id") != task_id or "created_at" not in document:
        raise BenchmarkFailed(f"{name}: not the document of task {task_id}: {body!r}")
    for what, token, asked, expected in (
        ("another account's task", first.token, slots.task(1), 404),
        ("an unknown task", first.token, str(uuid.uuid4()), 404),
        ("a token with a wrong signature", with_wrong_key, task_id, 401),
        ("an expired token", expired, task_id, 401),
        ("another account's token", second.token, task_id, 404),
    ):
        _expect(name, what, *_status_first(ask(address, token, asked), expected))


def verify_fixed(name: str, url: str, accounts: list[LoadAccount], task_id: str) -> None:
    """Ask a contender that answers everybody alike: with 200 and always the same body.

    Raises:
        BenchmarkFailed: it did not; the text says what it answered.
    """
    address = urlsplit(url).netloc
    bodies = set()
    for account in accounts[:2]:
        status, body = ask(address, account.token, task_id)
        _expect(name, "a poll", status, 200, body)
        bodies.add(body)
    if len(bodies) != 1 or not bodies.pop():
        raise BenchmarkFailed(f"{name}: not one fixed answer")


def ask(address: str, token: str, task_id: str) -> tuple[int, bytes]:
    """Poll once on a connection of its own."""
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", f"{STATUS_PATH}{task_id}/", headers=dict(browser_headers(token)))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _status_first(answer: tuple[int, bytes], expected: int) -> tuple[int, int, bytes]:
    return answer[0], expected, answer[1]


def _expect(name: str, what: str, status: int, expected: int, body: bytes) -> None:
    if status != expected:
        raise BenchmarkFailed(f"{name}: {what} got {status}, not {expected}: {body[:500]!r}")
