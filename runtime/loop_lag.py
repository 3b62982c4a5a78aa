"""Measures how late the event loop runs what is due: every answer of this process waits as long.

Refuses to know what holds the loop up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType

LOOKS_KEPT = 100
LOOK_EVERY_S = 0.1


class LoopLag:
    """An async context manager: while it is open it calls ``observe`` ten times a second with the delay in seconds.

    A loop that stands still for a second is one late measurement, not ten.
    """

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> LoopLag:
        self._look_later(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + LOOK_EVERY_S
        self._timer = loop.call_at(due, self._look, loop, due)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._observe(max(0.0, loop.time() - due))
        self._look_later(loop)


class WorstLag:
    """The longest delay of the last ten seconds or so."""

    def __init__(self, observe: Callable[[float], None]) -> None:
        self._observe = observe
        self._latest: deque[float] = deque(maxlen=LOOKS_KEPT)

    def note(self, seconds: float) -> None:
        self._latest.append(seconds)
        self._observe(seconds)

    @property
    def seconds(self) -> float:
        return max(self._latest, default=0.0)
