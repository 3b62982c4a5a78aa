"""Lets the bytes of an answer gather in the kernel while nobody follows its text.

Each piece that wakes the process alone costs ten times what it costs together with others. Refuses to know what the
bytes mean.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable
from contextlib import suppress

import aiohttp

LONGEST_S = 0.25  # that an answer's end may be seen late
SHARE = 1 / 8  # of the time since the request began, so that a short answer is not held up
SHORTEST_S = 0.05  # less gathers nothing
GRID_S = 1 / 32  # answers are read in the same turns of the event loop
BYTES = 32_768  # that have gathered end a pause before its time


class Gathering:
    """One answer's pauses in reading; ``began_at`` is when its request began, in the event loop's seconds.

    ``hurried`` says whether the next bytes are wanted at once.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        began_at: float,
        hurried: Callable[[], bool],
        *,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._response = response
        self._began_at = began_at
        self._hurried = hurried
        self._longest_s = longest_s
        transport = response.connection.transport if response.connection is not None else None
        self._socket = transport.get_extra_info("socket") if transport is not None else None

    async def pause(self) -> None:
        """Wait while bytes gather; not once the answer has ended. A cancelled pause leaves the socket as it was."""
        if self._socket is None or self._response.connection is None or self._hurried():
            return
        now = asyncio.get_running_loop().time()
        pause_s = min(self._longest_s, (now - self._began_at) * SHARE)
        if pause_s < SHORTEST_S:
            return
        try:
            self._wake_at(BYTES)
        except OSError:  # it is closed
            return
        try:
            await asyncio.sleep(math.floor((now + pause_s) / GRID_S) * GRID_S - now)
        finally:
            with suppress(OSError):
                self._wake_at(1)

    def _wake_at(self, size: int) -> None:
        # Of the socket and not of aiohttp's transport: with TLS that one goes on reading, and wakes the process.
        assert self._socket is not None
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
