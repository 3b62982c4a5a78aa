"""A poll's answer in bytes, as the ordinary handler would have sent it.

The headers stand in the order of the ordinary answer: Content-Type, Date, X-Request-Id, the lines that depend on the
request (``header_blocks.py``), then those that depend on the answer. Does not know who gets it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import NamedTuple

from tornado.httputil import HTTPHeaders

REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
REQUEST_ID_IN_BODY = "0" * 16


class ErrorAnswer(NamedTuple):
    """An error as the ordinary handler answers it: its own headers, and its body for a request id."""

    status: int
    headers: Mapping[str, str]
    body: Callable[[str], bytes]


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
        if request_id:
            return self._ok + request_id
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        return b"%b%b%08x" % (self._ok, self._id_start, number)

    def error(self, status: int, request_id: bytes) -> bytes:
        """Return the beginning of an error's answer, without a line end."""
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


def document_lines(length: int, retry_after_s: int | None) -> bytes:
    """Render the header lines that depend on the document, and the end of the head."""
    retry_after = "" if retry_after_s is None else f"Retry-After: {retry_after_s}\r\n"
    return f"{retry_after}Content-Length: {length}\r\n\r\n".encode()


class Refusal:
    """An error that is rendered once and sent often."""

    def __init__(self, error: ErrorAnswer) -> None:
        self._before, _, self._after = error.body(REQUEST_ID_IN_BODY).partition(REQUEST_ID_IN_BODY.encode())
        self._status = error.status
        headers = HTTPHeaders(error.headers)  # spells names as Tornado does
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.get_all()).encode()

    def render(self, head: Head, lines: bytes, request_id: bytes) -> bytes:
        """Return the whole answer; ``lines`` begin with the line end of the head before."""
        request_id = request_id or head.request_id()
        length = b"Content-Length: %d\r\n\r\n" % (len(self._before) + len(request_id) + len(self._after))
        start = head.error(self._status, request_id)
        return b"".join((start, lines, self._headers, length, self._before, request_id, self._after))
