"""Which requests are being answered, so that a process that is about to stop can wait for the last of them."""

from __future__ import annotations

import asyncio

from generation import Patience


class OpenRequests:
    """How many requests are being answered; while draining each answer asks its client to come on a new connection.

    ``HTTPServer.stop()`` alone leaves keep-alive connections serving for ever.
    """

    def __init__(self) -> None:
        self.count = 0
        self.draining = False
        self.waiting: set[Patience] = set()
        self._none = asyncio.Event()
        self._none.set()

    def begin(self) -> None:
        self.count += 1
        self._none.clear()

    def end(self) -> None:
        self.count -= 1
        if not self.count:
            self._none.set()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until the last request is answered; say whether it was in time."""
        self.draining = True
        for patience in list(self.waiting):
            patience.end()
        try:
            await asyncio.wait_for(self._none.wait(), timeout_s)
        except TimeoutError:
            return False
        return True
