"""The index of leases, which the reaper reads first. A hint that may be stale or lost; task records are the truth.

Two sorted sets in each of a fixed number of shards, outside every account's slot: the ends of leases, and the accounts
that may have unfinished tasks. Refuses to know what a task is beyond its two ids.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple

from accounts import LOW
from storage.errors import UNREADABLE, StorageUnavailable
from storage.storage import Call, Storage

SHARDS = 16  # never changed: a process with another number would look in other places
MARKER = "whole"  # a member that never expires: a shard without it was lost, at least in part
MEMBERS_PER_CALL = 1_000  # unpack() in Lua and one answer are both bounded by this
ACCOUNTS_PER_CALL = 200
CLAIMED_FOR_S = 5.0  # how long tasks that one process took are hidden from the others
REBUILT_EVERY_S = 270.0  # by whichever process comes first
PUSH = "push-"  # before the task's id in the name of a push
SETTLED_S = 60.0  # an account that was noted so long ago and has no unfinished task is forgotten


class TaskRef(NamedTuple):
    """Which task, of which account."""

    account_id: str
    task_id: str


class LeaseIndex:
    """``pg:leases:{NN}``: ``task_id account_id`` → lease end; ``pg:unfinished_accounts:{NN}``: account → last noted.

    Both times are in ms of Redis' clock; NN is the account's shard.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.unreachable: frozenset[int] = frozenset()  # at the last look
        self.handed_back_key = storage.shared_key("handed_back", "{00}")

    def leases_key(self, shard: int) -> str:
        return self._storage.shared_key("leases", f"{{{shard:02d}}}")

    def accounts_key(self, shard: int) -> str:
        return self._storage.shared_key("unfinished_accounts", f"{{{shard:02d}}}")

    async def note(self, tasks: Sequence[TaskRef], lease_s: float) -> None:
        """Record that the tasks' leases end in ``lease_s`` seconds and that their accounts have unfinished tasks.

        Raises:
            StorageUnavailable
        """
        calls: list[Call] = []
        for shard, members in _by_shard(tasks).items():
            for start in range(0, len(members), MEMBERS_PER_CALL):
                some = members[start : start + MEMBERS_PER_CALL]
                keys = [self.leases_key(shard), self.accounts_key(shard)]
                calls.append(
                    (keys, [int(lease_s * 1000), *(part for task in some for part in (_member(task), task[0]))])
                )
        if calls:
            await self._storage.run_many("index_leases", calls)

    async def note_new(self, task: TaskRef, lease_s: float, account_key: str, kept_s: int) -> None:
        """Record the same of a task that is about to be made, and whose it is, in one step; see TaskAccounts.

        Raises:
            StorageUnavailable
        """
        shard = shard_of(task.account_id)
        keys = [self.leases_key(shard), self.accounts_key(shard), account_key]
        await self._storage.run("index_new_task", keys, [int(lease_s * 1000), _member(task), task.account_id, kept_s])

    async def note_end(self, task: TaskRef, lease_ms: int) -> None:
        """Correct one entry to what the task's record says."""
        await self._storage.command("ZADD", self.leases_key(shard_of(task.account_id)), lease_ms, _member(task))

    async def drop(self, tasks: Sequence[TaskRef]) -> None:
        """Forget tasks that are terminal or gone."""
        for shard, members in _by_shard(tasks).items():
            await self._storage.command("ZREM", self.leases_key(shard), *map(_member, members))

    async def forget(self, account_id: str, tasks: Sequence[TaskRef]) -> None:
        """Forget an account that is deleted, and its tasks.

        Raises:
            StorageUnavailable
        """
        for at in range(0, len(tasks), MEMBERS_PER_CALL):
            await self.drop(tasks[at : at + MEMBERS_PER_CALL])
        await self._storage.command("ZREM", self.accounts_key(shard_of(account_id)), account_id)

    async def say_handed_back(self) -> None:
        """Tell the reapers of all processes, who watch this key, that it is worth looking now."""
        try:
            await self._storage.command("INCR", self.handed_back_key)
        except UNREADABLE as exc:  # it is no number
            await self._storage.spoilt.rename(self.handed_back_key, exc)
            await self._storage.command("INCR", self.handed_back_key)

    async def due(self) -> dict[int, int | None]:
        """Count by shard the leases that should have ended; None for a shard whose leases were lost.

        Shards that give no answer are left out, and named in ``unreachable`` until the next call.

        Raises:
            StorageUnavailable: no shard answered.
        """
        counted = await asyncio.gather(*map(self._due, range(SHARDS)), return_exceptions=True)
        silent = _unanswered(counted)
        if len(silent) == SHARDS:
            raise silent[0]
        self.unreachable = frozenset(silent)
        return {
            shard: count for shard, count in enumerate(counted) if count != 0 and not isinstance(count, BaseException)
        }

    async def _due(self, shard: int) -> int | None:
        key = self.leases_key(shard)
        whole, count = await self._storage.run("count_due", [key], [MARKER])
        return int(count) if whole else None

    async def take_due(self, shard: int, limit: int) -> list[TaskRef]:
        """Return up to ``limit`` tasks that are due, oldest first; for a few seconds no other process gets them.

        Raises:
            StorageUnavailable
        """
        key = self.leases_key(shard)
        members = await self._storage.run("take_due", [key], [min(limit, MEMBERS_PER_CALL), int(CLAIMED_FOR_S * 1000)])
        tasks = []
        for member in members:
            try:
                tasks.append(_task(member))
            except ValueError as exc:
                self._storage.spoilt.note(f"{key} {member!r}", exc)
                await self._storage.command("ZREM", key, member)
        return tasks

    async def whose_turn(self) -> list[int]:
        """Claim and return the shards that no process has rebuilt for some minutes.

        Shards that give no answer are left out.
        """
        calls = [
            self._storage.command("SET", self._storage.shared_key("rebuilt", f"{{{shard:02d}}}"), "", "NX", "PX", ms)
            for shard, ms in ((shard, int(REBUILT_EVERY_S * 1000)) for shard in range(SHARDS))
        ]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        silent = _unanswered(answers)
        return [shard for shard, ours in enumerate(answers) if ours and shard not in silent]

    async def rebuild(self, shard: int) -> int:
        """Note as due now every unfinished task of the shard's accounts that is not there; return how many that were.

        An entry that is due is only a reason to look at the record, so running tasks lose nothing.

        Raises:
            StorageUnavailable: also when only some accounts gave no answer; the others' tasks are noted then.
        """
        missing, idle = 0, []
        silent: dict[int, StorageUnavailable] = {}
        async for accounts in self._accounts(shard):
            found = await asyncio.gather(*map(self._unfinished, accounts), return_exceptions=True)
            silent |= _unanswered(found)
            idle += [account_id for account_id, tasks in zip(accounts, found, strict=True) if tasks == []]
            members = [_member(task) for tasks in found if isinstance(tasks, list) for task in tasks]
            for start in range(0, len(members), MEMBERS_PER_CALL):
                some = members[start : start + MEMBERS_PER_CALL]
                missing += await self._storage.run("index_missing", [self.leases_key(shard)], some)
        for start in range(0, len(idle), MEMBERS_PER_CALL):
            some = idle[start : start + MEMBERS_PER_CALL]
            await self._storage.run("forget_accounts", [self.accounts_key(shard)], [int(SETTLED_S * 1000), *some])
        if silent:
            raise next(iter(silent.values()))
        await self._storage.command("ZADD", self.leases_key(shard), "+inf", MARKER)
        return missing

    async def _accounts(self, shard: int) -> AsyncIterator[list[str]]:
        key, start = self.accounts_key(shard), 0
        while True:
            members = await self._storage.command("ZRANGE", key, start, start + ACCOUNTS_PER_CALL - 1)
            accounts = []
            for member in members:
                try:
                    accounts.append(str(member, "utf-8"))
                except ValueError as exc:
                    self._storage.spoilt.note(f"{key} {member!r}", exc)
            if accounts:
                yield accounts
            if len(members) < ACCOUNTS_PER_CALL:
                return
            start += ACCOUNTS_PER_CALL

    async def _unfinished(self, account_id: str) -> list[TaskRef]:
        key = self._storage.key(account_id, "unfinished")
        try:
            ids = await self._storage.run("list_unfinished", [key], [MEMBERS_PER_CALL])
            due = await self._storage.run(
                "list_unfinished", [self._storage.key(account_id, "deliveries_due")], [MEMBERS_PER_CALL]
            )
            named = [str(each, "ascii") for each in ids] + [task_of_delivery(str(each, "ascii")) for each in due]
            return [TaskRef(account_id, task_id) for task_id in dict.fromkeys(named)]
        except UNREADABLE as exc:
            self._storage.spoilt.note(key, exc)
            return []


def task_of_delivery(delivery_id: str) -> str:
    """Return the id of the task whose end left the delivery."""
    return delivery_id.removeprefix(LOW).removeprefix(PUSH)


def shard_of(account_id: str) -> int:
    """Return the account's shard, the same in every process and for ever."""
    return zlib.crc32(account_id.encode()) % SHARDS


def _unanswered(answers: Sequence[object]) -> dict[int, StorageUnavailable]:
    """Return by place what kept it from answering; anything else that was raised is raised here."""
    silent = {}
    for shard, answer in enumerate(answers):
        if isinstance(answer, StorageUnavailable):
            silent[shard] = answer
        elif isinstance(answer, BaseException):
            raise answer
    return silent


def _by_shard(tasks: Iterable[TaskRef]) -> dict[int, list[TaskRef]]:
    shards: dict[int, list[TaskRef]] = defaultdict(list)
    for task in tasks:
        shards[shard_of(task.account_id)].append(task)
    return shards


def _member(task: TaskRef) -> str:
    return f"{task.task_id} {task.account_id}"


def _task(member: Any) -> TaskRef:
    task_id, account_id = str(member, "utf-8").split(" ", 1)
    return TaskRef(account_id, task_id)
