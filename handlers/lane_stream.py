"""A connection while ordinary Tornado has it: lent with the bytes already read, given back with those read since.

Tornado asks a server's stream for a head with ``read_until_regex`` and for nothing else in that way. Whenever it asks a
second time, the exchange before is over: every byte of its answer is with the kernel, and what arrives from then on
belongs to no body. There, and nowhere else, may what arrives be looked at by others, or may the stream end for Tornado
while its socket lives on.
"""

from __future__ import annotations

import socket
import time
from asyncio import Future
from collections.abc import Awaitable
from contextlib import suppress
from typing import Protocol, cast

from tornado.ioloop import IOLoop, _Selectable
from tornado.iostream import IOStream

READ_BYTES = 16_384


class Lender(Protocol):
    """Who lends connections to Tornado."""

    def answer(self, data: bytes, now: float) -> bytes | None:
        """Answer a read between two requests without Tornado, or not."""

    def memorable(self, data: bytes) -> bytes | None:
        """Return what the memo may know a request by."""

    def exchanged(self, stream: LaneStream, *, poll: bool) -> None:
        """Hear that an exchange is over; may give the stream back or close it."""

    def taken_back(self, sock: socket.socket, data: bytes, unsent: bytes) -> None:
        """Have a connection again, with what was read from it and not answered, and what of an answer is to be sent."""

    def ended(self, stream: LaneStream) -> None:
        """Hear that Tornado has the stream no longer, either way."""


class LaneStream(IOStream):
    """``block`` is what the memo may know the request under way by; None when nothing of it may be remembered.

    ``between``: Tornado waits for a request of which no byte has come. ``last``: the answer under way is the last one.
    """

    def __init__(self, sock: socket.socket, received: bytes, lender: Lender, *, max_buffer_size: int | None) -> None:
        super().__init__(sock, max_buffer_size=max_buffer_size, read_chunk_size=READ_BYTES)
        self.block = lender.memorable(received)
        self.between = False
        self.last = False
        self._received = received
        self._lender = lender
        self._unsent = b""
        self._asked_for_a_head = False
        self._going_back = False
        self._written, self._moved_at = 0, time.monotonic()

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        if self._asked_for_a_head and not self.closed():
            if self._read_buffer:  # came before the answer was out: the next request's bytes, or some of them
                self._received = (
                    cast("Future[bytes]", self.read_bytes(self.max_buffer_size, True)).result() + self._received
                )
            poll = self.block is not None
            self.block = None
            self.between = True
            self._lender.exchanged(self, poll=poll)
        self._asked_for_a_head = True
        return super().read_until_regex(regex, max_bytes)

    def _handle_events(self, fd: int | _Selectable, events: int) -> None:
        # Tornado's own way to read_from_fd costs a third of a poll. Were this not called, nothing else would change.
        if self.between and events == IOLoop.READ and not self._received:
            with suppress(OSError):  # Tornado meets it again
                self._received = self.socket.recv(READ_BYTES)
            if self._received and self._answered():
                return
        super()._handle_events(fd, events)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        if self.between and not self._received:
            try:
                self._received = self.socket.recv(READ_BYTES)
            except BlockingIOError:
                return None
            if not self._received:
                return 0
        if not self._received:
            return super().read_from_fd(buf)
        if self.between and self._answered():
            return None
        count = min(len(buf), len(self._received))
        buf[:count] = self._received[:count]
        self._received = self._received[count:]
        return count

    def _answered(self) -> bool:
        """Have a read between two requests answered, or else make it the beginning of the next."""
        answer = self._lender.answer(self._received, time.monotonic())
        if answer is None:
            self.between = False
            self.block = self._lender.memorable(self._received)
            return False
        self._received = b""
        self._send(answer)
        return True

    def _send(self, answer: bytes) -> None:
        try:
            sent = self.socket.send(answer)
        except BlockingIOError:
            sent = 0
        except OSError as exc:
            self.close(exc_info=exc)
            return
        if sent < len(answer):  # Tornado's time for a head has begun: it must not end an answer
            self._unsent = answer[sent:]
            self.give_back()

    def stalled_s(self, now: float) -> float:
        """For how long the client has taken nothing of what is to be written; ``now`` is time.monotonic()."""
        if not self.writing() or self._written != self._total_write_done_index:
            self._written, self._moved_at = self._total_write_done_index, now
        return now - self._moved_at

    def give_back(self) -> None:
        """End for Tornado, which takes it for a closed connection, and let the lender have the socket."""
        self._going_back = True
        self.close()

    def close_fd(self) -> None:
        self.between = False
        if self._going_back:
            sock, self.socket = self.socket, None  # type: ignore[assignment]  # as IOStream leaves it
            self._lender.taken_back(sock, self._received, self._unsent)
        else:
            super().close_fd()
        self._lender.ended(self)

    def set_nodelay(self, value: bool) -> None:
        """Leave TCP_NODELAY on: it was set once for the connection's life."""
