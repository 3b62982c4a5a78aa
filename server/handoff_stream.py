"""A connection while Tornado has it: handed off with the bytes already read, returned with those read since.

Tornado asks a server's stream for a head with ``read_until_regex`` and for nothing else in that way. When it asks a
second time, the exchange before is over: every byte of its answer is with the kernel, and what arrives from then on
belongs to no body. There, and nowhere else, may the stream end for Tornado while its socket lives on.
"""

from __future__ import annotations

import contextlib
import socket
import time
from asyncio import Future
from collections.abc import Awaitable
from typing import Protocol, cast

from tornado.iostream import IOStream, UnsatisfiableReadError

from server.bare_answers import BareAnswers
from server.lane.poll_request import PollRequest

READ_BYTES = 16_384
STATUS_LINE = b"HTTP/1.1 "
MALFORMED = b"HTTP/1.1 400 Bad Request\r\n\r\n"  # all that Tornado says to what is no HTTP
REFUSED = b"HTTP/1.1 4"
HEAD_END = b"\r\n\r\n"


class StreamOwner(Protocol):
    """The owner of a handed-off stream, which takes the connection back."""

    bare_answers: BareAnswers

    def returned(self, sock: socket.socket, data: bytes, refusals: int) -> None:
        """Take the connection back, with what was read from it and not answered."""

    def linger(self, sock: socket.socket) -> None:
        """Close a connection whose client may still be sending, after time to read the answer."""

    def ended(self, stream: HandoffStream) -> None:
        """Note that Tornado has the stream no longer, either way."""


class HandoffStream(IOStream):
    """An IOStream that begins with bytes already read, and gives its socket back when the exchange is over.

    Attributes:
        poll: the request, when it was one whole poll; else None.
        answer_head: the head of Tornado's answer, once it is written.
        last: the connection ends with the answer in progress.
        refusals: the number of answers in a row that were refusals (4xx).
        lingers: the request's body has not arrived whole, so the client may still be sending. A socket that is closed
            then would be reset, and the answer lost with it.
    """

    def __init__(
        self,
        sock: socket.socket,
        received: bytes,
        poll: PollRequest | None,
        owner: StreamOwner,
        max_buffer_size: int | None,
    ) -> None:
        super().__init__(sock, max_buffer_size=max_buffer_size, read_chunk_size=READ_BYTES)
        self.poll = poll
        self.answer_head = b""
        self.last = False
        self.refusals = 0
        self.lingers = False
        self.closed_by_server = False
        self._received = received
        self._owner = owner
        self._asked_for_a_head = False
        self._reads_head = False
        self._reads_nothing = False
        self._returning = False
        self._moved_at = time.monotonic()

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        if self._asked_for_a_head and not self.closed():
            self._received = self._unread() + self._received
            self._returning = not self.last
            self.lingers = self.last and bool(self._received)
            self.close()  # for Tornado the client has closed it
        self._asked_for_a_head = self._reads_head = True
        return super().read_until_regex(regex, max_bytes)

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        self._reads_head = False  # but the length of a chunk
        return super().read_until(delimiter, max_bytes)

    @property
    def unread_bytes(self) -> int:
        """The number of bytes that have come and that Tornado has not taken yet."""
        return self._read_buffer_size + len(self._received)

    def _unread(self) -> bytes:
        """Return what came before the answer was out: the next request's bytes, or some of them."""
        self._reads_nothing = True  # so that only what is buffered is found
        buffered = cast("Future[bytes]", self.read_bytes(self.max_buffer_size, partial=True))
        return buffered.result() if buffered.done() else b""

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        if self._reads_nothing:
            return None
        if not self._received:
            return super().read_from_fd(buf)
        count = min(len(buf), len(self._received))
        buf[:count] = self._received[:count]
        self._received = self._received[count:]
        return count

    def write(self, data: bytes | memoryview) -> Future[None]:
        if data == MALFORMED:
            data = self._owner.bare_answers.malformed()
            self.last = self.lingers = True
        if not self.answer_head and bytes(data[:10]).startswith(STATUS_LINE) and data[9] != ord("1"):
            self.answer_head = bytes(data).partition(HEAD_END)[0]
            self.refusals = self.refusals + 1 if self.answer_head.startswith(REFUSED) else 0
        return super().write(data)

    def write_to_fd(self, data: memoryview) -> int:
        try:
            sent = super().write_to_fd(data)
        finally:
            del data  # as IOStream does: a traceback that holds it would lock its buffer
        if sent:
            self._moved_at = time.monotonic()
        return sent

    def stalled_s(self, now: float) -> float:
        """Return for how long the client has taken nothing of what is to be written; ``now`` is time.monotonic()."""
        if not self.writing():
            self._moved_at = now
        return now - self._moved_at

    def close_fd(self) -> None:
        if isinstance(self.error, UnsatisfiableReadError):
            self._refuse_too_much()
        if self._returning:
            self._owner.returned(self._release(), self._received, self.refusals)
        elif self.lingers and self.error is None and self.socket is not None:
            self._owner.linger(self._release())
        else:
            super().close_fd()
        self._owner.ended(self)

    def _refuse_too_much(self) -> None:
        """Answer, in Tornado's place, a head or a chunk's length that does not end."""
        if self.answer_head or self.socket is None:
            return
        answers = self._owner.bare_answers
        with contextlib.suppress(OSError):
            self.socket.send(answers.head_too_large() if self._reads_head else answers.malformed())
        self.lingers, self.error = True, None

    def _release(self) -> socket.socket:
        sock, self.socket = self.socket, None  # type: ignore[assignment]  # as IOStream leaves it
        return sock

    def set_nodelay(self, value: bool) -> None:
        """Leave TCP_NODELAY on: it was set once for the connection's life."""
