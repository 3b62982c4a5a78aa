"""The limit of a request's body, for every route, and the answer as soon as a body is larger.

Stands between Tornado's parser and the handler, so that no handler can forget it; Tornado's own limit would close the
connection with a bare 400. Refuses to know what a body says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine

from handlers.errors import BadRequest

WITHOUT_BODY = 4_096  # where none is expected: some clients send '{}' all the same


class LingeringStream(Protocol):
    """A stream that, closed by the server, waits until the client has read the answer: it may still be sending."""

    lingers: bool


def bytes_for(characters: int) -> int:
    """Return how long JSON with a text may be: a character beyond U+FFFF is twelve bytes when it is escaped."""
    return 12 * characters + WITHOUT_BODY


def too_large(limit: int) -> BadRequest:
    return BadRequest(413, "body_too_large", "Body is too large", f"Send a body of {limit} bytes at most.")


class BoundedBody(HTTPMessageDelegate):
    """Passes a request on to its handler's delegate, or, larger than ``limit`` bytes, to one that ``refuse`` makes."""

    _head: tuple[RequestStartLine | ResponseStartLine, HTTPHeaders]

    def __init__(
        self,
        handler: HTTPMessageDelegate,
        request: HTTPServerRequest,
        limit: int,
        refuse: Callable[[], HTTPMessageDelegate],
    ) -> None:
        self._delegate = handler
        self._request = request
        self._limit = limit
        self._refuse = refuse
        self._received = 0
        self._passed_on = False
        self._came_with_head: list[bytes] = []

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._head = (start_line, headers)
        announced = headers.get("Content-Length", "0")
        length = int(announced[:19]) if announced.isascii() and announced.isdigit() else None  # others: Tornado's
        if length is not None and "Transfer-Encoding" not in headers and length <= self._unread_bytes():
            return None  # whole with its head: passed on by finish(), so that Tornado ends no connection for its sake
        self._linger(True)
        if length is not None and length > self._limit:
            self._delegate = self._refuse()
            self._limit = 1 << 63  # the rest of the body is passed over
        return self._pass_on()

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if not self._passed_on:
            self._came_with_head.append(chunk)
            return None
        if self._received <= self._limit:
            return self._delegate.data_received(chunk)
        self._delegate.on_connection_close()  # ends the handler's wait for the rest
        self._delegate = self._refuse()
        self._limit = 1 << 63
        # A refusing handler takes no body: it answers at once, and with its answer the connection ends.
        return self._pass_on()

    def finish(self) -> None:
        self._linger(False)
        if not self._passed_on:
            self._pass_on()
            for chunk in self._came_with_head:
                self._delegate.data_received(chunk)
        self._delegate.finish()

    def on_connection_close(self) -> None:
        if self._passed_on:
            self._delegate.on_connection_close()

    def _pass_on(self) -> Awaitable[None] | None:
        self._passed_on = True
        return self._delegate.headers_received(*self._head)

    def _linger(self, lingers: bool) -> None:
        if (stream := self._stream()) is not None:
            stream.lingers = lingers

    def _unread_bytes(self) -> int:
        """Return how many bytes of a body arrived with its head, up to the limit."""
        return min(getattr(self._stream(), "unread_bytes", 0), self._limit)  # a plain IOStream does not say

    def _stream(self) -> LingeringStream | None:
        return getattr(self._request.connection, "stream", None)
