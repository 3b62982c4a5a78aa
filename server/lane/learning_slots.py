"""Limits the polls with unknown header blocks that Tornado answers at a time.

After a restart every client comes with a block that is not cached yet. Answered a few at a time, each block is cached
soon; all at once, they would wait for each other until their clients gave up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from server.lane.poll_request import PollRequest

SLOTS = 100
MAX_HOLD_S = 0.25  # a poll whose credential takes longer to check delays nobody behind it


class LearningSlots:
    """Admits polls to Tornado, the others later in their order."""

    def __init__(self) -> None:
        self._held: set[PollRequest] = set()
        self._queue: deque[Callable[[], None]] = deque()
        self._admitting = False

    def admit(self, poll: PollRequest, start: Callable[[], None], retry: Callable[[], None]) -> None:
        """Call ``start`` now when a slot is free; else call ``retry`` when one has become free."""
        if len(self._held) < SLOTS:
            self._held.add(poll)
            asyncio.get_running_loop().call_later(MAX_HOLD_S, self.release, poll)
            start()
        else:
            self._queue.append(retry)

    def release(self, poll: PollRequest) -> None:
        """Free the poll's slot, if it has one."""
        self._held.discard(poll)
        if self._admitting:  # a poll whose client has left releases its slot within its own admission
            return
        self._admitting = True
        try:
            while self._queue and len(self._held) < SLOTS:
                self._queue.popleft()()
        finally:
            self._admitting = False
