"""What a Redis server lost, written again from the memory of the process that wrote it first.

Owns the two ways: a task that runs here starts again from its beginning; an ending is written again with its
charge. Refuses to know when a server has lost something (healing, runner).
"""

from __future__ import annotations

import asyncio
from typing import Any

from generation.documents import progress_head
from generation.endings import Ending, Endings
from generation.lease import Lease
from generation.lease_index import LeaseIndex
from generation.stages import FINALIZING, QUEUED, STEPS
from generation.task_codes import Code
from generation.task_records import TaskRecords

VERSIONS_PER_EPOCH = 100  # more than the documents that one run writes


class Restoration:
    """Writes lost tasks and lost endings again. Every script may be repeated: what was not lost does not change."""

    def __init__(self, records: TaskRecords, index: LeaseIndex, endings: Endings) -> None:
        self._records = records
        self._index = index
        self._endings = endings

    async def restore(self, lease: Lease) -> Lease | None:
        """Write a task again whose record is gone, to run from its beginning; None when there is one after all.

        Its document keeps its age and follows every version that clients may have seen.

        Raises:
            StorageUnavailable
        """
        settings = self._records.settings
        await self._index.note([lease.ref], settings.lease_s)
        left_ms = max(0, int((lease.deadline - asyncio.get_running_loop().time()) * 1000))
        epoch = lease.epoch + 1
        answer = await self._records.call(
            "restore",
            lease.ref,
            [
                lease.task_id,
                self._records.owner,
                lease.manual_prompt,
                self._records.lease_ms,
                left_ms,
                int(settings.deadline_s * 1000),
                settings.status_ttl_s,
                QUEUED.name,
                progress_head(QUEUED, lease.progress_floor),
                epoch,
                lease.attempt,
                lease.progress_floor,
                epoch * VERSIONS_PER_EPOCH,
            ],
        )
        if answer[0] != Code.DONE:
            return None
        self._records.written(lease.account_id, lease.task_id, answer[1])
        return Lease(
            lease.account_id,
            lease.task_id,
            lease.manual_prompt,
            epoch,
            lease.attempt,
            lease.deadline,
            lease.progress_floor,
            lease.used_tokens,
        )

    async def repeat_endings(self) -> int:
        """Write the endings of the last seconds again; return how many the server had lost.

        Raises:
            StorageUnavailable
        """
        return sum(await asyncio.gather(*map(self._repeat, self._endings.latest())))

    async def _repeat(self, ending: Ending) -> bool:
        lease = ending.lease
        answer = await self._write(lease, ending)
        if answer[0] == Code.GONE and (restored := await self.restore(lease)) is not None:
            answer = await self._write(restored, ending)
        if answer[0] == Code.DONE:
            self._records.written(lease.account_id, lease.task_id, answer[1])
        return bool(answer[0] == Code.DONE)

    async def _write(self, lease: Lease, ending: Ending) -> Any:
        if ending.script == "complete":  # the stage before it may be lost as well
            step = self._records.advance_arguments(lease, FINALIZING, STEPS)
            await self._records.call("advance", lease.ref, step)
        _, _, *rest = ending.arguments
        return await self._records.call(ending.script, lease.ref, [self._records.owner, lease.epoch, *rest])
