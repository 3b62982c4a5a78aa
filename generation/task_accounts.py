"""Which account a task is of, for operators who have the task's id alone. A hint that expires; the record is the truth.

Refuses to know what a task is beyond its two ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from generation.lease_index import SHARDS, TaskRef, shard_of
from storage.storage import Storage

TASKS_PER_CALL = 500


class TaskAccounts:
    """``pg:task_account:{NN}:ID`` → account id, for ``kept_s`` seconds.

    NN is the account's shard, so that one step notes it and the task's lease.
    """

    def __init__(self, storage: Storage, kept_s: float) -> None:
        self._storage = storage
        self.kept_s = int(kept_s)

    def key(self, task: TaskRef) -> str:
        """Name the key; ``LeaseIndex.note_new`` writes it."""
        return self._key(shard_of(task.account_id), task.task_id)

    def _key(self, shard: int, task_id: str) -> str:
        return self._storage.shared_key("task_account", f"{{{shard:02d}}}:{task_id}")

    async def forget(self, account_id: str, task_ids: Sequence[str]) -> None:
        """Forget tasks of one account: it is deleted, or they were never made.

        Raises:
            StorageUnavailable
        """
        for at in range(0, len(task_ids), TASKS_PER_CALL):
            some = task_ids[at : at + TASKS_PER_CALL]
            await self._storage.command("DEL", *(self._key(shard_of(account_id), task_id) for task_id in some))

    async def find(self, task_id: str) -> str | None:
        """Return the account of a task, None where no shard knows it.

        Raises:
            StorageUnavailable: no shard that answered knows it.
        """
        reads = (self._storage.command("GET", self._key(shard, task_id)) for shard in range(SHARDS))
        found = await asyncio.gather(*reads, return_exceptions=True)
        account_id = next((each for each in found if isinstance(each, bytes)), None)
        if account_id is not None:
            return str(account_id, "utf-8", "replace")
        failure = next((each for each in found if isinstance(each, BaseException)), None)
        if failure is not None:
            raise failure
        return None
