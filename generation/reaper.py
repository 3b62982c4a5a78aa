"""The periodic callback that takes over, or ends, tasks that nobody works on any more.

Runs in every process. Refuses to decide: whether a lease has ended is decided by the claim script, in Redis' time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType

import structlog

from generation.lease_index import MOST_AT_ONCE, TaskRef
from generation.runner import Runner
from generation.status_copy import StatusCopy
from generation.tasks import Lease, Tasks
from runtime.metrics import Metrics
from runtime.periodic import Periodic
from storage.errors import StorageUnavailable

TURNS_BETWEEN_REBUILDS = 60  # with a turn every 5 s: a hint that got lost alone is found again within 5 minutes
CLAIMED_AT_ONCE = 50
JITTER = 0.1  # so that many processes do not all look at the same moment

log = structlog.get_logger(__name__)


class Reaper:
    """An async context manager: while it is open it takes a turn every ``every_s``, and when tasks are handed back."""

    def __init__(self, tasks: Tasks, runner: Runner, copy: StatusCopy, metrics: Metrics, *, every_s: float) -> None:
        self._tasks = tasks
        self._runner = runner
        self._copy = copy
        self._metrics = metrics
        self.periodic = Periodic("reaper", self.turn, every_s, jitter=JITTER)
        self._listener: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._turns = 0
        self._sits_out = False

    async def __aenter__(self) -> Reaper:
        await self.turn()
        await self.periodic.__aenter__()
        self._listener = asyncio.create_task(self._listen(), name="reaper listens")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.periodic.__aexit__(kind, exc, trace)
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener

    async def turn(self) -> None:
        """Claim every task that is due, as far as this process has places.

        After an outage of Redis one turn is sat out: the owners, who are alive as we are, renew their leases first.
        """
        async with self._one_at_a_time:
            try:
                await self._claim_due()
            except StorageUnavailable as exc:
                self._sits_out = True
                log.warning("reaper_failed", reason=exc.reason)

    async def _claim_due(self) -> None:
        due = await self._tasks.index.expired()
        if due is None or self._turns % TURNS_BETWEEN_REBUILDS == 0:
            found = await self._tasks.index.rebuild()
            log.info("lease_index_rebuilt", found=found)
            due = await self._tasks.index.expired() or []
        self._turns += 1
        if self._sits_out:
            self._sits_out = False
            return
        while wanted := [task for task in due if task not in self._runner][: max(0, self._runner.free)]:
            for start in range(0, len(wanted), CLAIMED_AT_ONCE):
                await self._claim(wanted[start : start + CLAIMED_AT_ONCE])
            if len(due) < MOST_AT_ONCE:
                return
            due = await self._tasks.index.expired() or []  # a process that had thousands has died

    async def _claim(self, tasks: Sequence[TaskRef]) -> None:
        claimed = await asyncio.gather(*map(self._tasks.claim, tasks), return_exceptions=True)
        for one in claimed:
            if not isinstance(one, BaseException):
                self._take(one)
        for one in claimed:
            if isinstance(one, BaseException):
                raise one

    def _take(self, claimed: Lease | bytes | None) -> None:
        if isinstance(claimed, Lease):
            log.warning("task_taken_over", task_id=claimed.task_id, attempt=claimed.attempt)
            self._metrics.task_reaped("taken_over")
            self._runner.start(claimed)
        elif claimed is not None:
            log.warning("task_interrupted")
            self._metrics.task_reaped("interrupted")

    async def _listen(self) -> None:
        """Take a turn at once when another process says that it has handed tasks back."""
        changed = asyncio.Event()
        seen: bytes | None = None
        key = self._tasks.index.handed_back_key
        unwatch = self._copy.watch(key, changed.set)
        try:
            while True:
                changed.clear()
                with contextlib.suppress(StorageUnavailable):
                    count = await self._copy.read_tracked("GET", key)
                    if count != seen:
                        seen = count
                        await self.turn()
                await changed.wait()
        finally:
            unwatch()
