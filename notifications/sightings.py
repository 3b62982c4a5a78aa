"""Withdraws the notification of an end that somebody has seen: by a poll, a wait, a stream or a synchronous answer.

Asks nothing of who reads: one call when a process first hands out a terminal document, and Redis is told afterwards.
Refuses to know how long a notification waits for that (``unseen_s`` of the settings).
"""

from __future__ import annotations

import asyncio
from types import TracebackType

import structlog

from generation.lease_index import TaskRef
from notifications.deliveries import Deliveries
from storage.errors import StorageUnavailable

MAX_UNTOLD = 1_000  # not yet told to Redis; of those beyond somebody is notified of what they have seen

log = structlog.get_logger(__name__)


class Sightings:
    """An async context manager: while it is open, Redis is told of what is noted."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._seen: set[TaskRef] = set()
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Sightings:
        self._worker = asyncio.create_task(self._work(), name="sightings")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._worker is not None
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)

    def note(self, account_id: str, task_id: str) -> None:
        """Somebody has seen how the task ended."""
        if len(self._seen) < MAX_UNTOLD:
            self._seen.add(TaskRef(account_id, task_id))
            self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            seen, self._seen = self._seen, set()
            told = await asyncio.gather(*map(self._deliveries.withdraw_push, seen), return_exceptions=True)
            for task, failure in zip(seen, told, strict=True):
                if isinstance(failure, StorageUnavailable):
                    log.info("push_not_withdrawn", reason=failure.reason, **task._asdict())
                elif isinstance(failure, Exception):
                    log.error("push_not_withdrawn", exc_info=failure, **task._asdict())
