"""Closes sockets whose clients may still be sending, after time to read the answer.

A socket that is closed with unread bytes is reset, and a reset can take the answer from the client before it is read.
"""

from __future__ import annotations

import asyncio
import socket

from server.handoff_stream import READ_BYTES

LINGER_S = 1.0
LINGER_BYTES = 1_048_576  # what a client may go on sending meanwhile
LINGERING_SOCKETS = 256  # beyond these the oldest is closed at once


class Lingering:
    """The sockets that will be closed when their clients have had time to read."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sockets: dict[socket.socket, asyncio.TimerHandle] = {}

    def add(self, sock: socket.socket) -> None:
        """Close the socket soon; what its client sends until then is read and discarded, up to a bound."""
        try:
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            sock.close()
            return
        self._sockets[sock] = self._loop.call_later(LINGER_S, self._close, sock)
        self._loop.add_reader(sock, self._discard, sock, [LINGER_BYTES])
        if len(self._sockets) > LINGERING_SOCKETS:
            self._close(next(iter(self._sockets)))

    def close(self) -> None:
        """Close all sockets now."""
        for sock in list(self._sockets):
            self._close(sock)

    def _discard(self, sock: socket.socket, left: list[int]) -> None:
        try:
            received = len(sock.recv(READ_BYTES))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        left[0] -= received
        if not received or left[0] < 0:
            self._close(sock)

    def _close(self, sock: socket.socket) -> None:
        self._sockets.pop(sock).cancel()
        self._loop.remove_reader(sock)
        sock.close()
