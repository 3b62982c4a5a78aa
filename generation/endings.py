"""How a task ends: completed, failed, cancelled; each in one atomic step that also settles the hold.

Owns which endings were written lately, so that a server that lost them can be given them again.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from generation.documents import CANCELLED, Failure, failed_head
from generation.errors import TaskNotFound
from generation.idempotency import Idempotency
from generation.lease import Lease
from generation.lease_index import TaskRef
from generation.stages import COMPLETED, FAILED, FINALIZING, Stage
from generation.task_codes import Code, raise_if_lost
from generation.task_records import TaskRecords
from runtime.metrics import Metrics
from storage.wire import Argument

ENDINGS_KEPT_S = 15.0  # longer than a replica lags behind, or than a server that syncs once a second can lose


@dataclass(frozen=True, slots=True)
class Ending:
    """One call that ended a task. ``at`` is in seconds of the monotonic clock."""

    at: float
    lease: Lease
    script: str
    arguments: list[Argument]


class Endings:
    """Writes final documents, settles holds, and counts both."""

    def __init__(self, records: TaskRecords, metrics: Metrics) -> None:
        self._records = records
        self._metrics = metrics
        self._latest: deque[Ending] = deque()

    async def complete(self, lease: Lease, stage: Stage, head: bytes, used_tokens: int, reason: str) -> bytes:
        """Write the result and settle the hold, in one step; return the final document.

        Raises:
            TaskLost, StorageUnavailable
        """
        arguments = [*self._arguments(lease, stage, head, used_tokens, reason), FINALIZING.name]
        return await self._end(lease, "complete", arguments, stage, reason)

    async def fail(self, lease: Lease, failure: Failure, used_tokens: int) -> bytes:
        """End the task without a result and give its hold back, in one step; return the final document.

        Raises:
            TaskLost, StorageUnavailable
        """
        arguments = self._arguments(lease, FAILED, failed_head(failure), used_tokens, failure.error_code)
        return await self._end(lease, "fail", arguments, FAILED, failure.error_code)

    async def cancel(self, account_id: str, task_id: str) -> bytes:
        """End the task, in whatever process it runs; a terminal task stays as it is. Return the final document.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        task = TaskRef(account_id, task_id)
        answer = await self._records.call("cancel", task, self._cancel_arguments())
        if answer[0] == Code.GONE or answer[1] is None:
            raise TaskNotFound
        if answer[0] == Code.DONE:
            return self.announce(task, answer, FAILED, CANCELLED.error_code)
        self._records.written(account_id, task_id, answer[1])
        return bytes(answer[1])

    async def cancel_unacknowledged(self, task: TaskRef, idempotency: Idempotency | None) -> bool:
        """End a task whose client was told that there is none; return whether it has ended.

        The task goes on when a repetition of its submit, with the same key, has returned it.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        key_sha256 = idempotency.key_sha256 if idempotency else ""
        key = self._records.storage.key(task.account_id, "idempotency", key_sha256)
        answer = await self._records.call("cancel_unacknowledged", task, self._cancel_arguments(), key)
        if answer[0] == Code.GONE:
            raise TaskNotFound
        if answer[0] == Code.DONE:
            self.announce(task, answer, FAILED, CANCELLED.error_code)
        return bool(answer[0] != Code.REPLAYED)

    def announce(self, task: TaskRef, answer: list[Any], stage: Stage, reason: str) -> bytes:
        """Publish and count an ending that a script has just written; return the document.

        ``answer`` is that of a script that closes a task: code, document, tokens charged, milliseconds since created.

        Raises:
            TaskLost
        """
        raise_if_lost(answer[0])
        _, document, charged, elapsed_ms = answer
        self._records.written(task.account_id, task.task_id, document)
        self._metrics.tokens_charged(charged)
        self._metrics.task_ended(stage.name, "" if stage is COMPLETED else reason, elapsed_ms / 1000)
        return bytes(document)

    def latest(self) -> list[Ending]:
        """Return the endings that this process wrote in the last ``ENDINGS_KEPT_S`` seconds."""
        since = time.monotonic() - ENDINGS_KEPT_S
        return [ending for ending in self._latest if ending.at >= since]

    async def _end(self, lease: Lease, script: str, arguments: list[Argument], stage: Stage, reason: str) -> bytes:
        answer = await self._records.call(script, lease.ref, arguments)
        document = self.announce(lease.ref, answer, stage, reason)
        now = time.monotonic()
        self._latest.append(Ending(now, lease, script, arguments))
        while self._latest[0].at < now - ENDINGS_KEPT_S:
            self._latest.popleft()
        return document

    def _arguments(self, lease: Lease, stage: Stage, head: bytes, used_tokens: int, reason: str) -> list[Argument]:
        ttl_s = self._records.settings.status_ttl_s
        return [self._records.owner, lease.epoch, stage.name, head, used_tokens, ttl_s, reason]

    def _cancel_arguments(self) -> list[Argument]:
        return [FAILED.name, failed_head(CANCELLED), self._records.settings.status_ttl_s, CANCELLED.error_code]
