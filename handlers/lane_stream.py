"""A connection while ordinary Tornado has it: lent with the bytes already read, and given back with those read since.

Tornado asks a server's stream for a head with ``read_until_regex`` and for nothing else in that way. Whenever it asks
a second time, the exchange before is over: every byte of its answer is with the kernel, and what has arrived since
belongs to no body. There the stream ends for Tornado, while the socket and those bytes go back to who lent them.
"""

from __future__ import annotations

import socket
from asyncio import Future
from collections.abc import Awaitable, Callable
from typing import cast

from tornado.iostream import IOStream

READ_BYTES = 16_384


class LaneStream(IOStream):
    """``block`` is what the memo may know the first request by; None when nothing of it may be remembered.

    At the end either ``given_back`` is called, with the socket's family, file descriptor and bytes, or ``closed``.
    Without ``given_back`` the stream stays with Tornado. ``last``: it ends with the answer under way.
    """

    def __init__(
        self,
        sock: socket.socket,
        received: bytes,
        block: bytes | None,
        given_back: Callable[[LaneStream, int, int, bytes], None] | None,
        closed: Callable[[LaneStream], None],
        *,
        max_buffer_size: int | None,
    ) -> None:
        super().__init__(sock, max_buffer_size=max_buffer_size, read_chunk_size=READ_BYTES)
        self.block = block
        self._received = received
        self._given_back = given_back
        self._closed_for_good = closed
        self._asked_for_a_head = False
        self._going_back = False
        self.last = False

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        if self._received:
            count = min(len(buf), len(self._received))
            buf[:count] = self._received[:count]
            self._received = self._received[count:]
            return count
        return super().read_from_fd(buf)

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        if self._asked_for_a_head:
            self.block = None  # it was the first request's
            if self.last:
                self.close()  # the answer has said so
            elif self._given_back is not None and not self.closed():
                self._go_back()
        self._asked_for_a_head = True
        return super().read_until_regex(regex, max_bytes)

    def _go_back(self) -> None:
        arrived = cast("Future[bytes]", self.read_bytes(self.max_buffer_size, partial=True))
        if not self.closed():  # the client may have closed it
            self._going_back = True
            self._received = (arrived.result() if arrived.done() else b"") + self._received
            self.close()  # for Tornado: what it asks for next raises StreamClosedError, the quiet end of its loop

    def close_fd(self) -> None:
        if self._going_back and self._given_back is not None:
            sock, self.socket = self.socket, None  # type: ignore[assignment]  # as IOStream leaves it
            self._given_back(self, sock.family, sock.detach(), self._received)
        else:
            super().close_fd()
            self._closed_for_good(self)

    def set_nodelay(self, value: bool) -> None:
        """Leave TCP_NODELAY on: the lane set it once for the connection's life."""
