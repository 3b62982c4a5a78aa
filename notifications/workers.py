"""A bounded queue and the coroutines that work through it. Refuses to know of a job more than its task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from generation.lease_index import TaskRef
from storage.errors import StorageUnavailable

QUEUE_LIMIT = 1_000  # jobs; the index of what is due still has those that did not fit

Job = TypeVar("Job")

log = structlog.get_logger(__name__)


class Workers(Generic[Job]):
    """``count`` workers that each process one job at a time; a job that fails is logged and ends no worker.
    Each line of the log about a job names its task and account.

    ``name`` begins the names of the events in the log: ``<name>_put_off``, ``<name>_crashed``.
    """

    def __init__(
        self, name: str, count: int, process: Callable[[Job], Awaitable[None]], task_of: Callable[[Job], TaskRef]
    ) -> None:
        self._name = name
        self._count = count
        self._process = process
        self._task_of = task_of
        self._queue: asyncio.Queue[Job] = asyncio.Queue(QUEUE_LIMIT)
        self._running: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._running = [
            asyncio.create_task(self._work(), name=f"{self._name} worker {number}") for number in range(self._count)
        ]

    async def stop(self) -> None:
        """Cancel the workers, in the middle of a job too, and wait until they have ended."""
        for worker in self._running:
            worker.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def enqueue(self, job: Job) -> bool:
        """Add a job; return False when the queue is full."""
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            return False
        return True

    async def _work(self) -> None:
        while True:
            job = await self._queue.get()
            with structlog.contextvars.bound_contextvars(**self._task_of(job)._asdict()):
                await self._attempt(job)

    async def _attempt(self, job: Job) -> None:
        try:
            await self._process(job)
        except StorageUnavailable as exc:
            log.warning(f"{self._name}_put_off", reason=exc.reason)
        except Exception:
            log.exception(f"{self._name}_crashed")
