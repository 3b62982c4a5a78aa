"""The limit of a request's body, for every route, and the answer as soon as a body is larger.

Stands between Tornado's parser and the handler, so that no handler can forget it; Tornado's own limit would close the
connection with a bare 400. Refuses to know what a body says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine

from handlers.errors import BadRequest

WITHOUT_BODY = 4_096  # where none is expected: clients send '{}' or a form's leftovers all the same


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

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        announced = headers.get("Content-Length", "")
        self._linger(bool(announced.strip("0")) or "Transfer-Encoding" in headers)
        if announced.isascii() and announced.isdigit() and int(announced[:19]) > self._limit:  # others: Tornado's
            self._delegate = self._refuse()
            self._limit = 1 << 63  # the rest of the body is passed over
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._received <= self._limit:
            return self._delegate.data_received(chunk)
        self._delegate.on_connection_close()  # ends the handler's wait for the rest
        self._delegate = self._refuse()
        self._limit = 1 << 63
        # A refusing handler takes no body: it answers at once, and with its answer the connection ends.
        return self._delegate.headers_received(self._start_line(), self._request.headers)

    def finish(self) -> None:
        self._linger(False)
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()

    def _start_line(self) -> RequestStartLine:
        return RequestStartLine(self._request.method or "", self._request.uri or "", self._request.version)

    def _linger(self, lingers: bool) -> None:
        stream: LingeringStream | None = getattr(self._request.connection, "stream", None)
        if stream is not None:
            stream.lingers = lingers
