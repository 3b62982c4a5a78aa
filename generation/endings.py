"""The ends of a task: completed, failed, cancelled; each is one atomic step that also settles the hold.

Owns the endings of the last seconds, so that they can be written again to a server that lost them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generation.documents import CANCELLED, UNREADABLE_ACCOUNT, Failure, failed_head
from generation.errors import TaskNotFound
from generation.failures import RecentFailures
from generation.gemini.usage import NO_USAGE, Usage
from generation.idempotency import Idempotency
from generation.last_hour import LastHour
from generation.lease import Lease
from generation.lease_index import TaskRef
from generation.restoration import Restoration
from generation.stages import COMPLETED, FAILED, FINALIZING, STEPS, Stage
from generation.task_codes import Code, raise_if_lost
from generation.task_records import TaskRecords
from runtime.metrics import Metrics
from storage.wire import Argument

ENDINGS_KEPT_S = 15.0  # longer than a replica lags behind, or than a server that syncs once a second can lose
NEVER_WRITTEN = ""  # the document of an end that is written for the first time


@dataclass(frozen=True, slots=True)
class Ending:
    """The call that writes an end again, to the letter. ``at`` is in seconds of the monotonic clock.

    ``lease`` is that of the owner who ended the task; a cancellation has none.
    """

    at: float
    task: TaskRef
    script: str
    arguments: Sequence[Argument]
    more_keys: tuple[str, ...] = ()
    lease: Lease | None = None


class Endings:
    """Writes final documents, settles holds, and counts both."""

    def __init__(self, records: TaskRecords, restoration: Restoration, metrics: Metrics) -> None:
        self._records = records
        self._restoration = restoration
        self._metrics = metrics
        self.failures = RecentFailures()
        self.last_hour = LastHour()
        self._latest: deque[Ending] = deque()

    async def complete(
        self, lease: Lease, stage: Stage, head: bytes, used_tokens: int, reason: str, kinds: Usage = NO_USAGE
    ) -> bytes:
        """Write the result and settle the hold, in one step; return the final document.

        Raises:
            TaskLost, StorageUnavailable
        """
        arguments = self._arguments(lease, stage, head, used_tokens, reason)
        told = [*self._told(head, failed=False), kinds.stored]
        from_any = [*told, *(stage.name for stage in STEPS)]
        keys = self._records.closing_keys(lease.ref)
        usual = [*arguments, NEVER_WRITTEN, *told, FINALIZING.name]
        answer = await self._restoration.step("complete", lease, usual, *keys)
        if answer[0] == Code.STEP_REFUSED and lease.stage is FINALIZING:  # the server lost the task's last step
            answer = await self._restoration.step("complete", lease, [*arguments, NEVER_WRITTEN, *from_any], *keys)
        document = self.announce(lease.ref, answer, stage, reason)
        self._ended(lease, "complete", [*arguments, document, *from_any])
        return document

    async def fail(self, lease: Lease, failure: Failure, used_tokens: int, kinds: Usage = NO_USAGE) -> bytes:
        """End the task without a result and give its hold back, in one step; return the final document.

        Raises:
            TaskLost, StorageUnavailable
        """
        head = failed_head(failure)
        arguments = self._arguments(lease, FAILED, head, used_tokens, failure.error_code)
        told = [*self._told(head, failed=True), kinds.stored]
        keys = self._records.closing_keys(lease.ref)
        answer = await self._restoration.step("fail", lease, [*arguments, NEVER_WRITTEN, *told], *keys)
        document = self.announce(lease.ref, answer, FAILED, failure.error_code)
        self._ended(lease, "fail", [*arguments, document, *told])
        return document

    async def fail_unsettled(self, task: TaskRef, lease: Lease | None = None) -> bytes:
        """End a task whose account or ledger cannot be read, and leave its settlement to ``settle``.

        ``lease`` is its owner's; without one the task's lease must have run out. Return the final document.

        Raises:
            TaskLost, RecordUnreadable (the task's own record), StorageUnavailable
        """
        head = failed_head(UNREADABLE_ACCOUNT)
        reported = lease.reported if lease is not None else NO_USAGE
        arguments: list[Argument] = [
            self._records.owner,
            lease.epoch if lease is not None else "",
            FAILED.name,
            head,
            reported.total,
            self._records.settings.status_ttl_s,
            UNREADABLE_ACCOUNT.error_code,
            *self._told(head, failed=True),
            reported.stored,
        ]
        answer = await self._records.call("fail_unsettled", task, arguments, *self._records.closing_keys(task))
        return self.announce(task, answer, FAILED, UNREADABLE_ACCOUNT.error_code)

    async def settle(self, task: TaskRef) -> None:
        """Settle a task that ended without a settlement; where that was done before nothing changes.

        Raises:
            RecordUnreadable: its account or ledger still cannot be read.
            StorageUnavailable
        """
        notice = self._records.after_end.notice(failed_head(UNREADABLE_ACCOUNT), failed=True)
        arguments = [self._records.settings.status_ttl_s, notice.low_balance, notice.kept_s]
        answer = await self._records.call("settle_ended", task, arguments, *self._records.closing_keys(task))
        if answer[0] == Code.DONE:
            self._metrics.tokens_charged(answer[1])

    async def cancel(self, account_id: str, task_id: str, reported: Usage = NO_USAGE, estimate: int = 0) -> bytes:
        """End the task, in whatever process it runs; a terminal task stays as it is. Return the final document.

        ``reported``: what is known here of its use, where it runs here; what its record says counts when it is more.
        ``estimate``, in tokens: the input of its request, where that has gone out from here.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        return await self._cancel(TaskRef(account_id, task_id), reported, estimate, "", abandoned=False) or b""

    async def cancel_abandoned(
        self, task: TaskRef, idempotency: Idempotency | None, reported: Usage, estimate: int = 0
    ) -> bool:
        """Do as ``cancel`` does for a client that has gone; return whether the task has ended.

        It goes on when a repetition of its submit, with the same key, has returned it; one that comes later makes a
        task of its own.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        key_sha256 = idempotency.key_sha256 if idempotency else ""
        return await self._cancel(task, reported, estimate, key_sha256, abandoned=True) is not None

    async def _cancel(
        self, task: TaskRef, reported: Usage, estimate: int, key_sha256: str, *, abandoned: bool
    ) -> bytes | None:
        told = self._told(failed_head(CANCELLED), failed=True)
        more = [*told, reported.stored, int(abandoned), estimate]
        arguments = [*self._cancel_arguments(), reported.total]
        idempotency_key = self._records.storage.key(task.account_id, "idempotency", key_sha256)
        keys = [*self._records.closing_keys(task), idempotency_key]
        answer = await self._records.call("cancel", task, [*arguments, NEVER_WRITTEN, *more], *keys)
        if answer[0] == Code.REPLAYED:
            return None
        if answer[0] == Code.GONE or answer[1] is None:
            raise TaskNotFound
        if answer[0] == Code.DONE:
            document = self.announce(task, answer, FAILED, CANCELLED.error_code)
            self._note(Ending(time.monotonic(), task, "cancel", [*arguments, document, *more], more_keys=tuple(keys)))
            return document
        self._records.written(task.account_id, task.task_id, answer[1])
        return bytes(answer[1])

    async def cancel_unacknowledged(self, task: TaskRef, idempotency: Idempotency | None) -> bool:
        """End a task whose submit was answered with an error; return whether it has ended.

        The task goes on when a repetition of its submit, with the same key, has returned it.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        key_sha256 = idempotency.key_sha256 if idempotency else ""
        key = self._records.storage.key(task.account_id, "idempotency", key_sha256)
        keys = (*self._records.closing_keys(task), key)
        answer = await self._records.call("cancel_unacknowledged", task, self._cancel_arguments(), *keys)
        if answer[0] == Code.GONE:
            raise TaskNotFound
        if answer[0] == Code.DONE:
            self.announce(task, answer, FAILED, CANCELLED.error_code)
            self._note(
                Ending(time.monotonic(), task, "cancel_unacknowledged", self._cancel_arguments(), more_keys=keys)
            )
        return bool(answer[0] != Code.REPLAYED)

    def announce(self, task: TaskRef, answer: list[Any], stage: Stage, reason: str) -> bytes:
        """Publish and count an ending that a script has just written; return the document.

        ``answer`` is that of a script that closes a task: code, document, tokens charged, milliseconds since created,
        and how many webhooks are due.

        Raises:
            TaskLost
        """
        raise_if_lost(answer[0])
        _, document, charged, elapsed_ms, webhooks = answer
        self._records.written(task.account_id, task.task_id, document)
        if webhooks:
            self._records.after_end.offer(task)
        self._metrics.tokens_charged(charged)
        self._metrics.task_ended(stage.name, "" if stage is COMPLETED else reason, elapsed_ms / 1000)
        cancelled = reason == CANCELLED.error_code
        self.last_hour.task_ended("cancelled" if cancelled else stage.name, elapsed_ms / 1000)
        if stage is not COMPLETED and not cancelled:
            self.failures.note(stage.name, reason)
        return bytes(document)

    async def repeat(self) -> int:
        """Write the endings of the last ``ENDINGS_KEPT_S`` seconds again; return how many the server had lost.

        Raises:
            StorageUnavailable
        """
        since = time.monotonic() - ENDINGS_KEPT_S
        return sum(await asyncio.gather(*(self._repeat(ending) for ending in self._latest if ending.at >= since)))

    async def _repeat(self, ending: Ending) -> bool:
        answer = await self._write(ending)
        if answer[0] == Code.GONE and ending.lease is not None and await self._restoration.restore(ending.lease):
            answer = await self._write(ending)
        if answer[0] == Code.DONE:
            self._records.written(*ending.task, answer[1])
            self._records.after_end.offer(ending.task)
        return bool(answer[0] == Code.DONE)

    async def _write(self, ending: Ending) -> Any:
        return await self._records.call(ending.script, ending.task, ending.arguments, *ending.more_keys)

    def _ended(self, lease: Lease, script: str, arguments: Sequence[Argument]) -> None:
        lease.ended = True
        keys = tuple(self._records.closing_keys(lease.ref))
        self._note(Ending(time.monotonic(), lease.ref, script, arguments, more_keys=keys, lease=lease))

    def _note(self, ending: Ending) -> None:
        self._latest.append(ending)
        while self._latest[0].at < ending.at - ENDINGS_KEPT_S:
            self._latest.popleft()

    def _arguments(self, lease: Lease, stage: Stage, head: bytes, used_tokens: int, reason: str) -> list[Argument]:
        ttl_s = self._records.settings.status_ttl_s
        return [self._records.owner, lease.epoch, stage.name, head, used_tokens, ttl_s, reason, lease.version]

    def _told(self, head: bytes, *, failed: bool) -> list[bytes | int]:
        return self._records.after_end.notice(head, failed=failed).arguments

    def _cancel_arguments(self) -> list[Argument]:
        return [FAILED.name, failed_head(CANCELLED), self._records.settings.status_ttl_s, CANCELLED.error_code]
