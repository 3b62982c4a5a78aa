"""The periodic callback that takes over, or ends, tasks whose owner is gone.

Runs in every process. Refuses to decide: whether a lease has ended is decided by the claim script, in Redis' time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from types import TracebackType

import structlog

from generation.lease import Lease
from generation.lease_index import TaskRef
from generation.runner import Runner
from generation.status_copy import StatusCopy
from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.periodic import Periodic
from storage.errors import UNREADABLE, StorageUnavailable

PORTION = 50  # tasks taken at a time, so that all processes share what a dead one leaves
PAUSE_S = 0.02  # between two portions
JITTER = 0.2  # so that many processes do not all look at the same moment
TURN_S = 30.0  # the longest that one turn takes; the next one continues where it stopped

log = structlog.get_logger(__name__)


class Reaper:
    """An async context manager: while it is open it takes a turn every ``every_s``, and when tasks are handed back."""

    def __init__(self, tasks: Tasks, runner: Runner, copy: StatusCopy, metrics: Metrics, *, every_s: float) -> None:
        self._tasks = tasks
        self._runner = runner
        self._copy = copy
        self._metrics = metrics
        self.periodic = Periodic("reaper", self.turn, every_s, jitter=JITTER, call_s=2 * TURN_S)
        self.taken_over = 0  # tasks, since the start
        self._listener: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._sits_out = False
        self._unreachable: frozenset[int] = frozenset()  # shards that sit out a turn of their own

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
        """Claim every task that is due, as far as this process has places; no failure ends the process.

        After an outage of Redis one turn is skipped: the owners are alive too and renew their leases first.
        """
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(TURN_S):
                    await self._claim_due()
            except (StorageUnavailable, TimeoutError) as exc:
                self._sits_out = True
                log.warning("reaper_failed", reason=getattr(exc, "reason", "timeout"))
            except Exception:
                log.exception("reaper_crashed")

    async def _claim_due(self) -> None:
        await self._tasks.silent.look()
        due = await self._tasks.index.due()
        lost = [shard for shard, count in due.items() if count is None]
        if wanting := sorted({*lost, *await self._tasks.index.whose_turn()}):
            found = 0
            for shard in wanting:
                try:
                    found += await self._tasks.index.rebuild(shard)
                except StorageUnavailable as exc:
                    log.warning("lease_index_not_rebuilt", shard=shard, reason=exc.reason)
            log.info("lease_index_rebuilt", shards=len(wanting), found=found)
            due = await self._tasks.index.due()
        came_back, self._unreachable = self._unreachable, self._tasks.index.unreachable
        if self._unreachable:
            log.warning("lease_index_unreachable", shards=sorted(self._unreachable))
        if self._sits_out:
            self._sits_out = False
            return
        shards = [shard for shard in due if shard not in came_back]  # also those that are not yet whole again
        random.shuffle(shards)  # several processes that look at the same moment begin at different ends
        told = False
        while shards and self._runner.free > 0:
            taken = await self._take_portion(shards)
            await self._claim([task for task in taken if task not in self._runner])
            if shards and not told:  # more than one portion: a process that had many has died
                told = True
                with contextlib.suppress(StorageUnavailable):  # they also look on their own
                    await self._tasks.index.say_handed_back()
            if shards:
                await asyncio.sleep(PAUSE_S)

    async def _take_portion(self, shards: list[int]) -> list[TaskRef]:
        """Take due tasks from the shards, as many as one portion and the free places hold; drop shards without more."""
        portion, taken = min(PORTION, self._runner.free), list[TaskRef]()
        while shards and len(taken) < portion:
            wanted = portion - len(taken)
            try:
                some = await self._tasks.index.take_due(shards[-1], wanted)
            except StorageUnavailable as exc:
                shard = shards.pop()
                self._unreachable |= {shard}
                log.warning("lease_index_unreachable", shards=[shard], reason=exc.reason)
                continue
            taken += some
            if len(some) < wanted:
                shards.pop()
        return taken

    async def _claim(self, tasks: Sequence[TaskRef]) -> None:
        """Claim the tasks; when a server does not answer, skip it and its other accounts' tasks."""
        tasks = [task for task in tasks if not self._tasks.silent.sits_out(task.account_id)]
        claimed = await asyncio.gather(*map(self._tasks.claims.claim, tasks), return_exceptions=True)
        unknown: BaseException | None = None
        unanswered = 0
        for task, outcome in zip(tasks, claimed, strict=True):
            if isinstance(outcome, UNREADABLE):
                with contextlib.suppress(StorageUnavailable):  # it is found again
                    await self._tasks.claims.end_unreadable(task, outcome)
            elif isinstance(outcome, StorageUnavailable):
                self._tasks.silent.note(task.account_id)
                unanswered += 1
            elif isinstance(outcome, BaseException):
                unknown = outcome
            else:
                self._take(outcome)
        if unanswered:
            log.warning("claims_unanswered", tasks=unanswered)
        if unknown is not None:
            raise unknown

    def _take(self, claimed: Lease | bytes | None) -> None:
        if isinstance(claimed, Lease):
            log.warning("task_taken_over", **claimed.log_fields, attempt=claimed.attempt)
            self._metrics.task_reaped("taken_over")
            self.taken_over += 1
            self._runner.start(claimed)
        elif claimed is not None:
            self._metrics.task_reaped("interrupted")

    async def _listen(self) -> None:
        """Take a turn at once when another process has handed tasks back."""
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
