"""How a poll's answer looks in bytes, for who sends it without Tornado.

The headers are those of the ordinary answer, in its order (``poll_memo.py`` takes over what depends on the request):
Content-Type, Date, X-Request-Id, the request's own lines, then what depends on the document.
Refuses to know who gets them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from generation import Document
from handlers.errors import Answer, error_body

RETRY_AFTER_S = "1"  # while a document is not terminal
REASONS = {404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}
_ID_IN_BODY = "0" * 16


class Head:
    """Begins every answer: status line, Content-Type, Date, and a request id that no other answer has."""

    def __init__(self) -> None:
        self._id_start = secrets.token_hex(4).encode()
        self._number = secrets.randbits(32)
        self._ok = b""
        self._second_ends = 0.0

    def ok(self, now: float, request_id: bytes) -> bytes:
        """Return the beginning of a 200, without a line end; ``now`` is time.monotonic()."""
        if now >= self._second_ends:
            self._ok = self._start("200 OK")
            self._second_ends = now + 1 - time.time() % 1
        return self._ok + (request_id or self.request_id())

    def other(self, status: int, request_id: bytes) -> bytes:
        """Return the beginning of another answer, without a line end."""
        return self._start(f"{status} {REASONS[status]}") + request_id

    def request_id(self) -> bytes:
        """Make an id: random for the process, then counted."""
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        return b"%b%08x" % (self._id_start, number)

    def _start(self, status: str) -> bytes:
        return (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=UTF-8\r\n"
            f"Date: {formatdate(usegmt=True)}\r\nX-Request-Id: "
        ).encode()


def document_lines(document: Document) -> bytes:
    """Render what depends on the document, and the end of the head."""
    retry_after = "" if document.terminal else f"Retry-After: {RETRY_AFTER_S}\r\n"
    return f"{retry_after}Content-Length: {len(document.body)}\r\n\r\n".encode()


class Refusal:
    """An error that is rendered once and sent often."""

    def __init__(self, answer: Answer, extra: Mapping[str, Any] | None = None) -> None:
        self._before, _, self._after = error_body(answer, _ID_IN_BODY, extra).partition(_ID_IN_BODY.encode())
        headers = "".join(f"{name}: {value}\r\n" for name, value in (answer.headers or {}).items())
        self._status = answer.status
        self._headers = headers.encode()

    def render(self, head: Head, lines: bytes, request_id: bytes) -> bytes:
        """Return the whole answer; ``lines`` begin with the line end of the head before."""
        request_id = request_id or head.request_id()
        length = b"Content-Length: %d\r\n\r\n" % (len(self._before) + len(request_id) + len(self._after))
        start = head.other(self._status, request_id)
        return b"".join((start, lines, self._headers, length, self._before, request_id, self._after))
