"""Tornado's PeriodicCallback with an end: a call that is under way ends before what it uses is closed.

``PeriodicCallback.stop`` alone leaves such a call to nobody. Refuses to know what is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

from tornado.ioloop import PeriodicCallback


class Periodic:
    """An async context manager: while it is open it calls every ``every_s``, one call after the other.

    ``jitter`` is the share of that time by which each pause may differ.
    """

    def __init__(self, call: Callable[[], Awaitable[None]], every_s: float, *, jitter: float = 0.0) -> None:
        self._call = call
        self._timer = PeriodicCallback(self._called, every_s * 1000, jitter)
        self._under_way = asyncio.Lock()

    async def __aenter__(self) -> Periodic:
        self._timer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.stop()
        async with self._under_way:
            pass

    async def _called(self) -> None:
        async with self._under_way:
            await self._call()
