"""The index of leases: where the reaper looks first. A hint that may be stale or lost; task records are the truth.

It lies outside every account's slot, so no script writes it together with a task. Refuses to know what a task is
beyond its two ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from storage.storage import Storage, account_of

MARKER = "whole"  # a member that never expires: an index without it was lost, at least in part
MOST_AT_ONCE = 1_000  # unpack() in Lua and one reaper's turn are both bounded by this


class TaskRef(NamedTuple):
    """Which task, of which account."""

    account_id: str
    task_id: str


class LeaseIndex:
    """A sorted set ``pg:leases``: ``task_id account_id`` → lease end in ms of Redis' clock."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._key = storage.shared_key("leases")
        self.handed_back_key = storage.shared_key("handed_back")

    async def note(self, tasks: Sequence[TaskRef], lease_s: float) -> None:
        """Say that the tasks' leases end in ``lease_s`` seconds.

        Raises:
            StorageUnavailable
        """
        for start in range(0, len(tasks), MOST_AT_ONCE):
            members = [_member(task) for task in tasks[start : start + MOST_AT_ONCE]]
            await self._storage.run("index_leases", [self._key], [int(lease_s * 1000), *members])

    async def note_end(self, task: TaskRef, lease_ms: int) -> None:
        """Correct one entry to what the task's record says."""
        await self._storage.command("ZADD", self._key, lease_ms, _member(task))

    async def drop(self, tasks: Sequence[TaskRef]) -> None:
        """Forget tasks that are terminal or gone."""
        if tasks:
            await self._storage.command("ZREM", self._key, *(_member(task) for task in tasks))

    async def say_handed_back(self) -> None:
        """Tell the reapers of all processes, who watch this key, that it is worth looking now."""
        await self._storage.command("INCR", self.handed_back_key)

    async def expired(self) -> list[TaskRef] | None:
        """Return tasks whose lease should have ended, oldest first; None when the index was lost."""
        whole, members = await self._storage.run("expired_leases", [self._key], [MARKER, MOST_AT_ONCE])
        return [_task(member) for member in members] if whole else None

    async def rebuild(self) -> int:
        """Find every unfinished task in the accounts' own keys and note it as due now; return how many were missing.

        An entry that is due is only a reason to look at the record, so running tasks lose nothing.
        """
        missing = 0
        async for key in self._storage.scan(self._storage.key("*", "unfinished")):
            account_id = account_of(key)
            for task_id in await self._storage.command("ZRANGE", key, 0, -1):
                member = _member(TaskRef(account_id, str(task_id, "ascii")))
                # NX: an entry that is there came from somebody who knows better.
                missing += await self._storage.command("ZADD", self._key, "NX", 0, member)
        await self._storage.command("ZADD", self._key, "+inf", MARKER)
        return missing


def _member(task: TaskRef) -> str:
    return f"{task.task_id} {task.account_id}"


def _task(member: bytes) -> TaskRef:
    task_id, account_id = str(member, "utf-8").split(" ", 1)
    return TaskRef(account_id, task_id)
