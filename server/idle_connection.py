"""One keep-alive connection between two exchanges, as a file descriptor in the event loop.

Reads a request, sends the reply that the lane has for it, or hands the connection off with what was read. Does not know
what a request says.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Protocol

from server.batched_epoll import DescriptorReaders
from server.handoff_stream import READ_BYTES, REFUSED
from server.lane.poll_request import PollRequest


class ConnectionOwner(Protocol):
    """What an idle connection needs of the object that holds it."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    @property
    def readers(self) -> DescriptorReaders: ...

    @property
    def draining(self) -> bool: ...

    @property
    def whole_poll(self) -> Callable[[bytes], PollRequest | None]:
        """Return the poll that a read is, or None: then the connection is handed off."""

    @property
    def look_up(self) -> Callable[[PollRequest, float, Callable[[bytes | None], None]], None]:
        """Call back once with a poll's answer, at once or later; None: the connection is handed off."""

    @property
    def refusals_in_a_row(self) -> int:
        """After so many a connection is handed off, to be closed with the answer; 0: never."""

    def hand_off(self, connection: IdleConnection, data: bytes, poll: PollRequest | None) -> None:
        """Give the connection to Tornado with what was read from it."""

    def exchange_ended(self, poll: PollRequest) -> None:
        """Note that nobody waits for the poll's answer any more."""

    def closed(self, connection: IdleConnection) -> None:
        """Note that the connection exists no longer."""


class IdleConnection:
    """Waits for its next request, for its answer, or until the client has taken all of one (``busy``).

    ``refusals``: how many of its requests in a row were refused.
    """

    __slots__ = ("_owner", "_poll", "_unsent", "busy", "descriptor", "family", "refusals", "seen_at")

    def __init__(self, owner: ConnectionOwner, family: int, descriptor: int, refusals: int = 0) -> None:
        self._owner = owner
        self._poll: PollRequest | None = None  # while its answer is awaited
        self._unsent = b""
        self.busy = False
        self.family = family
        self.refusals = refusals
        self.descriptor = descriptor  # -1 when it is closed, or handed off
        self.seen_at = time.monotonic()

    def listen(self) -> None:
        """Begin to read."""
        self._owner.readers.add_reader(self.descriptor, self.readable)

    def readable(self) -> None:
        try:
            data = os.read(self.descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.received(data)
        else:
            self.close()

    def received(self, data: bytes) -> None:
        """Answer what was read, here or before the connection came here."""
        self.seen_at = now = time.monotonic()
        poll = self._owner.whole_poll(data)
        if poll is None:
            self._owner.hand_off(self, data, None)
            return
        self._poll = poll
        self._owner.look_up(poll, now, self._reply)
        if self._poll is not None:  # it is answered later
            self._pause()

    def _reply(self, answer: bytes | None) -> None:
        """Send the answer, the rest of it as the client takes it; until then nothing more is read."""
        poll, self._poll = self._poll, None
        if poll is None:
            return
        if self.descriptor < 0:  # closed while it waited
            self._owner.exchange_ended(poll)
            return
        if self.busy:
            self._resume()
            if self._owner.draining:
                answer = None  # with Tornado's answer the connection ends
        if answer is not None:
            if not answer.startswith(REFUSED):
                self.refusals = 0
            elif self._is_refused_too_often():
                answer = None
        if answer is None:
            self._owner.hand_off(self, poll.data, poll)
            return
        try:
            sent = os.write(self.descriptor, answer)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(answer):
            self._unsent = answer[sent:]
            self._pause()
            self._owner.loop.add_writer(self.descriptor, self._writable)

    def _is_refused_too_often(self) -> bool:
        self.refusals += 1
        return 0 < self._owner.refusals_in_a_row <= self.refusals

    def _writable(self) -> None:
        try:
            sent = os.write(self.descriptor, self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self._unsent = self._unsent[sent:]
        self.seen_at = time.monotonic()
        if not self._unsent:
            self._owner.loop.remove_writer(self.descriptor)
            self._resume()

    def _pause(self) -> None:
        self.busy = True
        self._owner.readers.remove_reader(self.descriptor)

    def _resume(self) -> None:
        self.busy = False
        self.seen_at = time.monotonic()
        self.listen()

    def detach(self) -> int:
        """Return the descriptor, which is the caller's from now on."""
        descriptor, self.descriptor = self.descriptor, -1
        self._owner.readers.remove_reader(descriptor)
        return descriptor

    def close_if_idle(self) -> None:
        """Close, unless a request has come meanwhile and has not been read yet: that is answered first."""
        self.readable()
        if not self.busy:
            self.close()

    def close(self) -> None:
        if self.descriptor >= 0:
            descriptor = self.detach()
            self._owner.loop.remove_writer(descriptor)
            os.close(descriptor)
            self._owner.closed(self)
