"""Deletes every trace of an account's tasks: their records, what submits left, and hints in shared indexes.

Refuses to know what else belongs to an account.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from generation.endings import Endings
from generation.errors import TaskNotFound
from generation.gemini.usage import NO_USAGE, Usage
from generation.lease_index import LeaseIndex, TaskRef
from generation.stages import QUEUED
from generation.task_accounts import TaskAccounts
from generation.task_listing import TaskListing
from generation.task_records import TaskRecords
from storage.errors import RecordUnreadable

KEYS_PER_BATCH = 500
Known = tuple[Usage, int]  # what is known of a task's use, and the estimated input of its request, in tokens


def nothing_known(_task: TaskRef) -> Known:
    """Know nothing beside the task's record."""
    return NO_USAGE, 0


class TaskDeletion:
    """Ends and deletes; the account is closed before, so that nothing new comes."""

    def __init__(
        self,
        records: TaskRecords,
        index: LeaseIndex,
        accounts_of: TaskAccounts,
        listing: TaskListing,
        endings: Endings,
    ) -> None:
        self._records = records
        self._index = index
        self._accounts_of = accounts_of
        self._listing = listing
        self._endings = endings

    async def delete_all(self, account_id: str, known: Callable[[TaskRef], Known] = nothing_known) -> list[str]:
        """End every task of the account, which pays as one that is cancelled, and delete its record; return the ids.

        Raises:
            RecordUnreadable: the account or its ledger, without which a hold cannot be settled.
            StorageUnavailable
        """
        command, key = self._records.storage.command, self._records.storage.key
        ids = await self._listing.ids(account_id)
        for task_id in ids:
            task = TaskRef(account_id, task_id)
            try:
                await self._end(task, known)
            except RecordUnreadable as exc:
                await self._end_unreadable(task, known, exc)
            await command("DEL", *self._records.keys(task)[:3], key(account_id, "readers", task_id))
        await self._delete_keys(account_id)
        await self._accounts_of.forget(account_id, ids)
        await self._index.forget(account_id, [TaskRef(account_id, task_id) for task_id in ids])
        # The lists of ids last: a deletion that is repeated after a failure finds in them what is left.
        listed = self._listing.key(account_id), self._listing.unfinished_key(account_id)
        await command("DEL", *listed, key(account_id, "submits"))
        return ids

    async def _end(self, task: TaskRef, known: Callable[[TaskRef], Known]) -> None:
        with contextlib.suppress(TaskNotFound):
            await self._endings.cancel(*task, *known(task))
        await self._endings.settle(task)  # of one that ended while its account could not be read

    async def _end_unreadable(self, task: TaskRef, known: Callable[[TaskRef], Known], exc: RecordUnreadable) -> None:
        """End a task of which a record of its own cannot be read: those are deleted, and its hold is in the ledger.

        Raises:
            RecordUnreadable: another record is meant, its account or ledger.
            StorageUnavailable
        """
        own = self._records.keys(task)[:3]
        if not set(exc.keys) <= set(own):
            raise exc
        await self._records.storage.command("DEL", *own)
        await self._records.call("recover", task, [task.task_id, QUEUED.name])
        await self._end(task, known)

    async def _delete_keys(self, account_id: str) -> None:
        """Delete the account's idempotency keys: they would answer a repeated submit with a task that is gone."""
        command, key = self._records.storage.command, self._records.storage.key
        index = key(account_id, "idempotency_keys")
        while found := await command("ZRANGE", index, 0, KEYS_PER_BATCH - 1):
            names = [str(each, "ascii", "replace") for each in found]
            await command("DEL", *(key(account_id, "idempotency", name) for name in names))
            await command("ZREM", index, *found)  # after them: a deletion that ends between finds them again
