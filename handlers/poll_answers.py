"""How a poll's answer looks in bytes, for who sends it without Tornado.

The headers are those of the ordinary answer, in its order (``poll_memo.py`` takes over what depends on the request):
Content-Type, Date, X-Request-Id, the request's own lines, then what depends on the document.
Refuses to know who gets them.
"""

from __future__ import annotations

import secrets
import time
from email.utils import formatdate

from generation import Document
from handlers.errors import Answer, error_body

RETRY_AFTER_S = "1"  # while a document is not terminal
REASONS = {429: "Too Many Requests", 503: "Service Unavailable"}
_ID_IN_BODY = "0" * 16


class Head:
    """Begins every answer: status line, Content-Type, Date, and a request id that no other answer has."""

    def __init__(self) -> None:
        self._id_start = secrets.token_hex(4)
        self._number = secrets.randbits(32)
        self._ok = b""
        self._second_ends = 0.0

    def ok(self, now: float) -> bytes:
        """Return the beginning of a 200, without a line end; ``now`` is time.monotonic()."""
        if now >= self._second_ends:
            self._ok = self._start("200 OK")
            self._second_ends = now + 1 - time.time() % 1
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        return b"%b%08x" % (self._ok, number)

    def other(self, status: int) -> tuple[bytes, str]:
        """Return the beginning of another answer, without a line end, and its request id."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        number = f"{self._number:08x}"
        return self._start(f"{status} {REASONS[status]}") + number.encode(), self._id_start + number

    def _start(self, status: str) -> bytes:
        return (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=UTF-8\r\n"
            f"Date: {formatdate(usegmt=True)}\r\nX-Request-Id: {self._id_start}"
        ).encode()


def document_lines(document: Document) -> bytes:
    """Render what depends on the document, and the end of the head."""
    retry_after = "" if document.terminal else f"Retry-After: {RETRY_AFTER_S}\r\n"
    return f"{retry_after}Content-Length: {len(document.body)}\r\n\r\n".encode()


class Refusal:
    """An error that is rendered once and sent often."""

    def __init__(self, answer: Answer) -> None:
        before, _, after = error_body(answer, _ID_IN_BODY).partition(_ID_IN_BODY.encode())
        length = len(before) + len(_ID_IN_BODY) + len(after)
        headers = "".join(f"{name}: {value}\r\n" for name, value in (answer.headers or {}).items())
        self._status = answer.status
        self._before = f"{headers}Content-Length: {length}\r\n\r\n".encode() + before
        self._after = after

    def render(self, head: Head, lines: bytes) -> bytes:
        """Return the whole answer; ``lines`` begin with the line end of the head before."""
        start, request_id = head.other(self._status)
        return b"".join((start, lines, self._before, request_id.encode(), self._after))
