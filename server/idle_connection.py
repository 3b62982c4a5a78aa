"""One connection that waits for its next request, as a file descriptor in the event loop.

Owns reading and writing; refuses to know what was read: who answers it is the owner's business.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from server.handoff_stream import READ_BYTES, LaneStream

if TYPE_CHECKING:
    from server.connections import Connections


class Connection:
    """A connection that waits for its next request, or for its answer (``busy``), or takes the rest of one (too)."""

    __slots__ = ("_owner", "_unsent", "busy", "descriptor", "family", "seen_at")

    def __init__(self, owner: Connections, family: int, descriptor: int) -> None:
        self._owner = owner
        self._unsent = b""
        self.busy = False
        self.family = family
        self.descriptor = descriptor  # -1 when it is not ours any more
        self.seen_at = time.monotonic()

    def readable(self) -> None:
        try:
            data = os.read(self.descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.seen_at = now = time.monotonic()
            self._owner.take(self, data, now)
        else:
            self.close()

    def take(self, data: bytes) -> None:
        """Have answered what was read before a pause, or by others."""
        self.seen_at = now = time.monotonic()
        self._owner.take(self, data, now)

    def send(self, answer: bytes) -> None:
        """Send an answer, the rest of it as the client takes it; until then nothing more is read."""
        try:
            sent = os.write(self.descriptor, answer)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(answer):
            self._unsent = answer[sent:]
            self.pause()
            self._owner.loop.add_writer(self.descriptor, self._writable)

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
            self.resume()

    def pause(self) -> None:
        """Read nothing until ``resume``."""
        self.busy = True
        self._owner.readers.remove_reader(self.descriptor)

    def resume(self) -> bool:
        """Read again; False when the connection has been closed meanwhile."""
        if self.descriptor < 0:
            return False
        self.busy = False
        self._owner.listen(self)
        return True

    def lend(self, data: bytes) -> LaneStream | None:
        """Let Tornado answer this; None when the client has gone."""
        return self._owner.lend(self, data)

    def close_if_idle(self) -> None:
        """Close, unless a request has come meanwhile and waits for its turn: that is answered first."""
        self.readable()
        if not self.busy:
            self.close()

    def close(self) -> None:
        if self.descriptor >= 0:
            self._owner.readers.remove_reader(self.descriptor)
            self._owner.loop.remove_writer(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = -1
            self._owner.closed(self)
