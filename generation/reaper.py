"""The periodic callback that takes over, or ends, tasks that nobody works on any more.

Runs in every process. Refuses to decide: whether a lease has ended is decided by the claim script, in Redis' time.
"""

from __future__ import annotations

import structlog

from generation.runner import Runner
from generation.tasks import Lease, Tasks
from runtime.metrics import Metrics
from runtime.storage import StorageUnavailable

TURNS_BETWEEN_REBUILDS = 60  # with a turn every 5 s: a hint that got lost alone is found again within 5 minutes

log = structlog.get_logger(__name__)


class Reaper:
    """Looks at due leases and starts what it could claim."""

    def __init__(self, tasks: Tasks, runner: Runner, metrics: Metrics) -> None:
        self._tasks = tasks
        self._runner = runner
        self._metrics = metrics
        self._turns = 0
        self._sits_out = False

    async def turn(self) -> None:
        """Claim every task that is due, as far as this process has places.

        After an outage of Redis one turn is sat out: the owners, who are alive as we are, renew their leases first.
        """
        try:
            due = await self._tasks.index.expired()
            if due is None or self._turns % TURNS_BETWEEN_REBUILDS == 0:
                found = await self._tasks.index.rebuild()
                log.info("lease_index_rebuilt", found=found)
                due = await self._tasks.index.expired() or []
            self._turns += 1
            if self._sits_out:
                self._sits_out = False
                return
            for task in due:
                if task not in self._runner:
                    if self._runner.free <= 0:
                        return
                    self._take(await self._tasks.claim(task))
        except StorageUnavailable as exc:
            self._sits_out = True
            log.warning("reaper_failed", reason=exc.reason)

    def _take(self, claimed: Lease | bytes | None) -> None:
        if isinstance(claimed, Lease):
            log.warning("task_taken_over", task_id=claimed.task_id, attempt=claimed.attempt)
            self._metrics.task_reaped("taken_over")
            self._runner.start(claimed)
        elif claimed is not None:
            log.warning("task_interrupted")
            self._metrics.task_reaped("interrupted")
