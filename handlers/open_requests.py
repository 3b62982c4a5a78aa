"""Which requests are being answered, so that a process that is about to stop can wait for the last of them."""

from __future__ import annotations

import asyncio

from generation import Patience


class OpenRequests:
    """Which requests are being answered; while draining each answer asks its client to come on a new connection.

    ``HTTPServer.stop()`` alone leaves keep-alive connections serving for ever.
    """

    def __init__(self) -> None:
        self._requests: set[object] = set()
        self.draining = False
        self.waiting: set[Patience] = set()
        self._none = asyncio.Event()
        self._none.set()

    @property
    def count(self) -> int:
        return len(self._requests)

    def begin(self, request: object) -> None:
        self._requests.add(request)
        self._none.clear()

    def end(self, request: object) -> None:
        """Hear that a request is over; hearing it twice changes nothing."""
        self._requests.discard(request)
        if not self._requests:
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
