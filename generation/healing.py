"""Writes back what a Redis server lost, after a failover or a crash, from the memory of the process that runs the task.

Owns the occasion: the first login to a server. Every script may be repeated, so a record that was not lost does not
change. ``runner.py`` has the running tasks, ``endings.py`` the latest endings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

import structlog

from generation.tasks import Tasks
from storage.errors import StorageUnavailable
from storage.login import Entered
from storage.topology import Topology

REPEAT_AGAIN_S = 0.5
REPEATED_FOR_S = 15.0  # for so long it is tried

log = structlog.get_logger(__name__)


class Healing:
    """An async context manager: while it is open, new servers get the latest endings and the running tasks.

    ``renew`` keeps the leases of all running tasks, and puts those back that are gone.
    """

    def __init__(self, topology: Topology, tasks: Tasks, renew: Callable[[], Awaitable[None]]) -> None:
        self._topology = topology
        self._tasks = tasks
        self._renew = renew
        self._met = {primary.run_id for primary in topology.all()}
        self._repeating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Healing:
        self._topology.entered = self._entered
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._topology.entered = lambda _entered: None
        if self._repeating is not None:
            self._repeating.cancel()
            await asyncio.wait([self._repeating])

    def _entered(self, entered: Entered) -> None:
        """Handle a login; ``run_id`` changes with each start of a server, and is empty where INFO is forbidden."""
        if entered.run_id in self._met:
            return
        self._met.add(entered.run_id)
        if self._repeating is None:
            self._repeating = asyncio.create_task(self._repeat(), name="repeats endings")

    async def _repeat(self) -> None:
        try:
            ends_at = asyncio.get_running_loop().time() + REPEATED_FOR_S
            while asyncio.get_running_loop().time() < ends_at:
                try:
                    forgotten = await self._tasks.endings.repeat()
                except StorageUnavailable:
                    await asyncio.sleep(REPEAT_AGAIN_S)
                else:
                    log.warning("server_changed", endings_written_again=forgotten)
                    await self._renew()
                    return
        finally:
            self._repeating = None
