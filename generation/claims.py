"""Takes tasks whose lease ran out: they are ours, or they are ended, or they leave the index.

Refuses to know which tasks are due, and when (lease_index, reaper).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import structlog

from generation.documents import INTERNAL, INTERRUPTED, failed_head
from generation.endings import Endings
from generation.errors import TaskGone, TaskLost
from generation.lease import Lease, loop_time
from generation.lease_index import CLAIMED_FOR_S, LeaseIndex, TaskRef
from generation.origin import Origin
from generation.stages import FAILED, FINALIZING, QUEUED, WAITING
from generation.steering import Steering
from generation.task_codes import Code
from generation.task_records import TaskRecords
from storage.errors import UNREADABLE, RecordUnreadable, StorageUnavailable
from storage.spoilt_records import LEFT_FOR_S

SETTLE_AGAIN_S = 60.0  # a task is tried again so often while its account or ledger cannot be read
MAX_OWNERS_LOST = 2  # owners that ended while they finished one and the same task

log = structlog.get_logger(__name__)


class Claims:
    """Claims tasks for one owner (a process), and clears what cannot be claimed out of the way."""

    def __init__(self, records: TaskRecords, index: LeaseIndex, endings: Endings) -> None:
        self._records = records
        self._index = index
        self._endings = endings

    async def claim(self, orphan: TaskRef) -> Lease | bytes | None:
        """Take over a task whose lease ran out, and correct the index.

        Returns a Lease (it is ours now), its final document (it had had its attempts or its time and has been ended),
        or None (another owner has it, or there is nothing left to do).

        Raises:
            StorageUnavailable
        """
        answer = await self._claim(orphan)
        match answer[0]:
            case Code.DONE:
                with contextlib.suppress(StorageUnavailable):  # a hint: the first renewal writes it again
                    await self._index.note([orphan], self._records.settings.lease_s)
                return await self._taken(orphan, answer)
            case Code.LEASE_RUNS:
                await self._index.note_end(orphan, answer[1])
            case Code.UNSETTLED:
                await self._settle(orphan)
            case Code.GONE if await self._recovered(orphan):
                await self.end_unreadable(orphan, RecordUnreadable([self._records.keys(orphan)[0]]))
            case Code.ENDED:
                await self.let_go(orphan)
                *closed, trace, request_id = answer
                log.warning("task_interrupted", **orphan._asdict(), **Origin.read(trace, request_id).log_fields)
                return self._endings.announce(orphan, closed, FAILED, INTERRUPTED.error_code)
            case _:
                await self.let_go(orphan)
        return None

    async def _claim(self, orphan: TaskRef) -> Any:
        return await self._records.call(
            "claim",
            orphan,
            [
                self._records.owner,
                self._records.lease_ms,
                self._records.settings.attempts,
                QUEUED.name,
                FAILED.name,
                failed_head(INTERRUPTED),
                self._records.settings.status_ttl_s,
                INTERRUPTED.error_code,
                orphan.task_id,
                FINALIZING.name,
                MAX_OWNERS_LOST,
                *self._records.after_end.notice(failed_head(INTERRUPTED), failed=True).arguments,
                WAITING.name,
            ],
            *self._records.closing_keys(orphan),
        )

    async def _taken(self, orphan: TaskRef, answer: Sequence[Any]) -> Lease | bytes:
        """Make a lease of the script's answer; where the record says too little, end the task."""
        _, epoch, attempt, progress, manual_prompt, used_tokens, now_ms, deadline_ms, *more = answer
        steering, created, kinds, lost_estimate, *origin = more
        deadline = loop_time(deadline_ms - now_ms)
        lease = Lease(orphan.account_id, orphan.task_id, "", epoch, attempt, deadline, progress, used_tokens)
        lease.created_ms, lease.origin, lease.lost_estimate = created, Origin.read(*origin), lost_estimate
        try:
            lease.manual_prompt = str(manual_prompt, "utf-8")
            lease.steering = Steering.read(str(steering, "utf-8"))
            lease.note_earlier(str(kinds, "ascii"))
        except UNREADABLE as exc:  # it is ours: it can be ended, and its hold given back
            self._records.storage.spoilt.note(self._records.keys(orphan)[0], exc)
            return await self._endings.fail(lease, INTERNAL, used_tokens)
        return lease

    async def _recovered(self, task: TaskRef) -> bool:
        """Write a record for a task that has none any more, but a document that says that it runs, or a hold."""
        answer = await self._records.call("recover", task, [task.task_id, QUEUED.name])
        if recovered := answer[0] == Code.DONE:
            log.error("task_record_lost", task_id=task.task_id, effect="the task fails and its hold is released")
        return bool(recovered)

    async def _settle(self, task: TaskRef) -> None:
        try:
            await self._endings.settle(task)
        except RecordUnreadable:  # it has been logged with its key
            self._records.after_end.offer(task)
            await self._index.note([task], SETTLE_AGAIN_S)
        else:
            await self.let_go(task)

    async def let_go(self, task: TaskRef) -> None:
        """Remove a task that has ended from the index, unless a notification of its end is still due.

        Raises:
            StorageUnavailable
        """
        again_s = self._records.after_end.offer(task)
        if again_s is None:
            await self._index.drop([task])
        elif again_s > CLAIMED_FOR_S:  # else every process claims it anew every few seconds
            await self._index.note([task], again_s)

    async def end_unreadable(self, task: TaskRef, exc: BaseException) -> None:
        """End a task without an owner that cannot be claimed because a record cannot be read.

        Where the task's own says too little, it is set aside.

        Raises:
            StorageUnavailable
        """
        try:
            await self._endings.fail_unsettled(task)
        except TaskGone:  # it was never made, which the ledger cannot confirm
            await self._index.note([task], SETTLE_AGAIN_S)
            return
        except TaskLost:  # another process was quicker
            return
        except UNREADABLE:
            await self.set_aside(task, exc)
            return
        if not isinstance(exc, RecordUnreadable):  # which has been logged
            self._records.storage.spoilt.note(self._records.keys(task)[0], exc)
        await self._settle(task)

    async def set_aside(self, task: TaskRef, exc: BaseException) -> None:
        """Skip a task whose record cannot be read until that is gone: its prompt must not stay for ever.

        The record stays as it is until it expires; then its hold is found in the ledger.

        Raises:
            StorageUnavailable
        """
        storage, record = self._records.storage, self._records.keys(task)[0]
        storage.spoilt.note(record, exc)
        await storage.command("EXPIRE", record, LEFT_FOR_S, "NX")
        await self._index.note([task], LEFT_FOR_S + 1)
        with contextlib.suppress(*UNREADABLE):
            await storage.command("ZREM", storage.key(task.account_id, "unfinished"), task.task_id)
