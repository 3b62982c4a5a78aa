"""Repeats work at an interval, and knows how long ago it last succeeded.

Pauses are measured on the event loop's clock, which is monotonic: setting the wall clock neither hurries nor stops
it. (Tornado's PeriodicCallback follows the wall clock, and does not wait at its stop for a call in progress.)
Refuses to know what is called.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from types import TracebackType

import structlog

TURNS_MISSED = 4  # after so many, and the seconds below, the work stands still
GRACE_S = 5.0  # allowance for the turn itself
LETS_GO_S = 1.0  # time for a cancelled call to end
ENDS_WITHIN_S = 10.0  # how long closing waits for a call in progress

log = structlog.get_logger(__name__)


class Periodic:
    """An async context manager: while it is open it calls every ``every_s``, one call after the other.

    ``name`` stands in logs and metrics. ``jitter`` is the share of ``every_s`` by which each pause may differ. A call
    that raises is logged, and the next one comes in its time; one that takes ``call_s`` is cancelled, and left behind
    when it does not end then.
    """

    def __init__(
        self,
        name: str,
        call: Callable[[], Awaitable[None]],
        every_s: float,
        *,
        jitter: float = 0.0,
        call_s: float = 60.0,
    ) -> None:
        self.name = name
        self._call = call
        self._every_s = every_s
        self._jitter = jitter
        self._call_s = call_s
        self._calls: set[asyncio.Task[None]] = set()
        self._ended_at = time.monotonic()
        self._work: asyncio.Task[None] | None = None
        self._pausing = False
        self._ending = False

    @property
    def age_s(self) -> float:
        """Seconds since a call last ended without an error, or since this was made."""
        return time.monotonic() - self._ended_at

    @property
    def stands_still(self) -> bool:
        """Say whether several turns in a row have not come to their end."""
        return self.age_s > TURNS_MISSED * self._every_s + GRACE_S

    async def __aenter__(self) -> Periodic:
        self._ended_at = time.monotonic()
        self._work = asyncio.create_task(self._turns(), name=self.name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        if self._work is None:
            return
        if self._pausing:
            self._work.cancel()
        await asyncio.wait([self._work], timeout=ENDS_WITHIN_S)
        if not self._work.done():
            log.error("periodic_work_cancelled", name=self.name)
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _turns(self) -> None:
        while not self._ending:
            self._pausing = True
            await asyncio.sleep(self._every_s * (1 + self._jitter * random.uniform(-0.5, 0.5)))  # noqa: S311  # no secret
            self._pausing = False
            await self._turn()

    async def _turn(self) -> None:
        call = asyncio.create_task(self._called(), name=f"{self.name}: one turn")
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        try:
            ended, _ = await asyncio.wait([call], timeout=self._call_s)
        except asyncio.CancelledError:
            call.cancel()
            await asyncio.wait([call], timeout=LETS_GO_S)
            raise
        if not ended:
            log.error("periodic_work_stopped", name=self.name, after_s=self._call_s)
            call.cancel()
            await asyncio.wait([call], timeout=LETS_GO_S)

    async def _called(self) -> None:
        try:
            await self._call()
        except Exception:
            log.exception("periodic_work_failed", name=self.name)
        else:
            self._ended_at = time.monotonic()
