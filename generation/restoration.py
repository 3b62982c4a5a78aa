"""Writes a running task that a Redis server lost again, from the memory of the process that runs it.

Owns the record's members; refuses to know when a server has lost something (healing, runner), and ends (endings).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from generation.document import version_of
from generation.documents import progress_head
from generation.idempotency import Idempotency
from generation.lease import Lease
from generation.lease_index import LeaseIndex
from generation.task_accounts import TaskAccounts
from generation.task_codes import Code
from generation.task_records import TaskRecords
from runtime.settings import MoneySettings
from storage.wire import Argument

HOLDS_PER_BALANCE = 4  # so that an account's parallel tasks share its balance
VERSIONS_PER_EPOCH = 100  # more than the documents that one run writes
PROXY_KEY_TTL_S = 300  # longer than any proxy retries one request

log = structlog.get_logger(__name__)


class Restoration:
    """Writes lost tasks again. Every script may be repeated: what was not lost does not change."""

    def __init__(
        self, records: TaskRecords, index: LeaseIndex, accounts_of: TaskAccounts, money: MoneySettings
    ) -> None:
        self._records = records
        self._index = index
        self._accounts_of = accounts_of
        self._money = money

    async def step(self, script: str, lease: Lease, arguments: Sequence[Argument], *more_keys: str) -> Any:
        """Run a step of a running task; a task that the server lost is put back first.

        Raises:
            StorageUnavailable
        """
        answer = await self._records.call(script, lease.ref, arguments, *more_keys)
        if (answer if isinstance(answer, int) else answer[0]) == Code.GONE and await self.put_back(lease):
            answer = await self._records.call(script, lease.ref, arguments, *more_keys)
        return answer

    async def put_back(self, lease: Lease) -> bool:
        """Write a running task whose record is gone again, at its last step; return whether it exists now.

        Its document keeps its age and follows every version that clients may have seen.

        Raises:
            StorageUnavailable
        """
        if lease.ended or not await self.restore(lease):
            return False
        log.warning("task_put_back", **lease.log_fields)
        return True

    async def restore(self, lease: Lease) -> bool:
        """Write a task whose record is gone again, also one that has ended; return whether it exists now.

        Raises:
            StorageUnavailable
        """
        whose, kept_s = self._accounts_of.key(lease.ref), self._accounts_of.kept_s
        await self._index.note_new(lease.ref, self._records.settings.lease_s, whose, kept_s)
        key_sha256 = lease.idempotency.key_sha256 if lease.idempotency else ""
        key = self._records.storage.key
        keys = key(lease.account_id, "idempotency", key_sha256), key(lease.account_id, "idempotency_keys")
        answer = await self._records.call("restore", lease.ref, self._record(lease), *keys)
        if answer[0] == Code.UNKNOWN_ACCOUNT:  # deleted, perhaps: no hint may name it
            await self._index.drop([lease.ref])
            await self._accounts_of.forget(lease.account_id, [lease.task_id])
        if answer[0] != Code.DONE:
            return False
        if not lease.ended:  # clients have its final document, which comes back next
            self.acknowledged(lease, answer[1])
        await self.hold_again(lease)
        return True

    async def hold_again(self, lease: Lease) -> None:
        """Hold the same tokens again; where the account has fewer, the settlement takes what there is.

        Raises:
            StorageUnavailable
        """
        if lease.held:
            await self._records.call("hold", lease.ref, self.hold_arguments(lease))
            arguments: list[Argument] = [self._records.owner, lease.epoch, lease.hold_tokens]
            await self._records.call("extend_hold", lease.ref, arguments)

    def hold_arguments(self, lease: Lease) -> list[Argument]:
        """Build the arguments of ``hold``."""
        return [
            self._records.owner,
            lease.epoch,
            self._money.minimum_tokens,
            self._money.hold_tokens,
            lease.need.at_most,
            lease.need.whole,
            lease.need.least,
            HOLDS_PER_BALANCE,
            lease.need.doubtful,
        ]

    def key_ttl_s(self, idempotency: Idempotency | None) -> int:
        """Return how long a submit's key is kept."""
        return PROXY_KEY_TTL_S if idempotency and idempotency.by_proxy else self._records.settings.idempotency_key_ttl_s

    def acknowledged(self, lease: Lease, document: bytes) -> None:
        """Note and publish a document that a step of the task's owner wrote."""
        lease.version = version_of(document)
        self._records.written(lease.account_id, lease.task_id, document)

    def _record(self, lease: Lease) -> list[Argument]:
        return [
            lease.task_id,
            self._records.owner,
            lease.manual_prompt,
            self._records.lease_ms,
            max(0, int((lease.deadline - asyncio.get_running_loop().time()) * 1000)),
            lease.created_ms,
            self._records.settings.status_ttl_s,
            lease.stage.name,
            progress_head(lease.stage, lease.progress_floor),
            lease.epoch,
            lease.attempt,
            lease.progress_floor,
            lease.version - 1 if lease.ended else max(lease.version, lease.epoch * VERSIONS_PER_EPOCH),
            lease.steering.stored,
            lease.idempotency.body_sha256 if lease.idempotency else "",
            self.key_ttl_s(lease.idempotency),
            lease.reported.total,
            lease.estimated_input,
            lease.reported.stored,
            lease.steering.metadata,
            lease.origin.trace,
            lease.origin.request_id,
            lease.lost_estimate,
        ]
