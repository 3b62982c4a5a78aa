"""An end for a wait that something else decides: the client that leaves, or this process that stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class WaitScope:
    """Bounds a wait: it lasts until ``end`` is called, at any time, from anywhere on the event loop."""

    def __init__(self) -> None:
        self._ended = False
        self.ended_by_server = False
        self._scope: asyncio.Timeout | None = None

    def end(self, *, by_server: bool = False) -> None:
        """End the wait; the first call counts. ``by_server``: the client is still there, this process is stopping."""
        if self._ended:
            return
        self._ended = True
        self.ended_by_server = by_server
        if self._scope is not None:
            self._scope.reschedule(0)

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Raise TimeoutError out of the block when the wait is ended."""
        try:
            async with asyncio.timeout(0 if self._ended else None) as self._scope:
                yield
        finally:
            self._scope = None
