"""Accepts connections; pauses when no descriptor is left; refuses those beyond the limit with an answer.

Does not know what an accepted connection is used for.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterable

import structlog

from server.lingering import Lingering

ACCEPT_BATCH = 128  # connections in one turn of the event loop
PAUSE_WITHOUT_DESCRIPTORS_S = 0.5
NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = structlog.get_logger(__name__)


class Listener:
    """Passes at most ``limit`` connections on to ``accepted``; ``open_connections`` counts them."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        accepted: Callable[[socket.socket], None],
        open_connections: Callable[[], int],
        *,
        limit: int,
        refusal: Callable[[], bytes],
        lingering: Lingering,
    ) -> None:
        self._loop = loop
        self._accepted = accepted
        self._open_connections = open_connections
        self._limit = limit
        self._refusal = refusal
        self._lingering = lingering
        self._sockets: list[socket.socket] = []

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections on listening sockets, and own them from now on."""
        for listening in sockets:
            self._sockets.append(listening)
            self._loop.add_reader(listening, self._accept, listening)

    def accept_all(self) -> None:
        """Accept every connection that is established already: closing the listening socket would reset it."""
        for listening in list(self._sockets):
            while self._accept(listening):
                pass

    def close(self) -> None:
        while self._sockets:
            listening = self._sockets.pop()
            self._loop.remove_reader(listening)
            listening.close()

    def _accept(self, listening: socket.socket) -> bool:
        """Accept one batch; say whether there may be more."""
        for _ in range(ACCEPT_BATCH):
            try:
                sock, _ = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return False
            except OSError as exc:
                if exc.errno not in NO_DESCRIPTORS:
                    raise
                log.error("no_file_descriptors", connections=self._open_connections())  # noqa: TRY400  # nothing crashed
                self._loop.remove_reader(listening)  # it stays readable: without a pause this would spin
                self._loop.call_later(PAUSE_WITHOUT_DESCRIPTORS_S, self._accept_again, listening)
                return False
            self._begin(sock)
        return True

    def _accept_again(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)

    def _begin(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if self._open_connections() >= self._limit:
            self._refuse(sock)
            return
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted(sock)

    def _refuse(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.send(self._refusal())
        self._lingering.add(sock)
