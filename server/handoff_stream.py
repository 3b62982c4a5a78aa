"""A connection while ordinary Tornado has it: lent with the bytes already read, given back with those read since.

Tornado asks a server's stream for a head with ``read_until_regex`` and for nothing else in that way. Whenever it asks a
second time, the exchange before is over: every byte of its answer is with the kernel, and what arrives from then on
belongs to no body. There, and nowhere else, may the stream end for Tornado while its socket lives on.
"""

from __future__ import annotations

import socket
import time
from asyncio import Future
from collections.abc import Awaitable
from typing import Protocol, cast

from tornado.iostream import IOStream

READ_BYTES = 16_384


class Lender(Protocol):
    """Who lends connections to Tornado."""

    def memorable(self, data: bytes) -> bytes | None:
        """Return what the memo may know a request by."""

    def taken_back(self, sock: socket.socket, data: bytes) -> None:
        """Have a connection again, with what was read from it and not answered."""

    def linger(self, sock: socket.socket) -> None:
        """Close a connection whose client may still be sending, after time to read the answer."""

    def ended(self, stream: LaneStream) -> None:
        """Hear that Tornado has the stream no longer, either way."""


class LaneStream(IOStream):
    """``block`` is what the memo may know the request by; None when nothing of it may be remembered.

    ``last``: the connection ends with the answer under way. ``lingers``: the request's body has not come whole, so the
    client may still be sending: a socket closed then would be reset, and the answer lost with it.
    """

    def __init__(self, sock: socket.socket, received: bytes, lender: Lender, *, max_buffer_size: int | None) -> None:
        super().__init__(sock, max_buffer_size=max_buffer_size, read_chunk_size=READ_BYTES)
        self.block = lender.memorable(received)
        self.last = False
        self.lingers = False
        self.closed_by_server = False
        self._received = received
        self._lender = lender
        self._asked_for_a_head = False
        self._going_back = False
        self._written, self._moved_at = 0, time.monotonic()

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        if self._asked_for_a_head and not self.closed():
            if self._read_buffer:  # came before the answer was out: the next request's bytes, or some of them
                read = cast("Future[bytes]", self.read_bytes(self.max_buffer_size, True)).result()
                self._received = read + self._received
            self._going_back = not self.last
            self.close()  # which Tornado takes for the client's doing
        self._asked_for_a_head = True
        return super().read_until_regex(regex, max_bytes)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        if not self._received:
            return super().read_from_fd(buf)
        count = min(len(buf), len(self._received))
        buf[:count] = self._received[:count]
        self._received = self._received[count:]
        return count

    def stalled_s(self, now: float) -> float:
        """For how long the client has taken nothing of what is to be written; ``now`` is time.monotonic()."""
        if not self.writing() or self._written != self._total_write_done_index:
            self._written, self._moved_at = self._total_write_done_index, now
        return now - self._moved_at

    def close_fd(self) -> None:
        if self._going_back:
            sock, self.socket = self.socket, None  # type: ignore[assignment]  # as IOStream leaves it
            self._lender.taken_back(sock, self._received)
        elif self.lingers and self.error is None and self.socket is not None:
            sock, self.socket = self.socket, None  # type: ignore[assignment]  # as IOStream leaves it
            self._lender.linger(sock)
        else:
            super().close_fd()
        self._lender.ended(self)

    def set_nodelay(self, value: bool) -> None:
        """Leave TCP_NODELAY on: it was set once for the connection's life."""
