"""Tracks the requests in progress, so that a process that is stopping can wait for the last of them."""

from __future__ import annotations

import asyncio

from generation import WaitScope


class OpenRequests:
    """The requests in progress; while draining each answer asks its client to use a new connection next time.

    ``HTTPServer.stop()`` alone leaves keep-alive connections serving for ever.
    """

    def __init__(self) -> None:
        self._requests: set[object] = set()
        self.draining = False
        self.waiting: set[WaitScope] = set()
        self._none = asyncio.Event()
        self._none.set()

    @property
    def count(self) -> int:
        return len(self._requests)

    def begin(self, request: object) -> None:
        self._requests.add(request)
        self._none.clear()

    def end(self, request: object) -> None:
        """Note that a request is over; a second call changes nothing."""
        self._requests.discard(request)
        if not self._requests:
            self._none.set()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until the last request is answered; return False when the time runs out first."""
        self.draining = True
        for wait_scope in list(self.waiting):
            wait_scope.end()
        try:
            await asyncio.wait_for(self._none.wait(), timeout_s)
        except TimeoutError:
            return False
        return True
