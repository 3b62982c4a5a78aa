"""The index of webhooks whose last try failed, of all accounts: a hint, the delivery's record is the truth.

It lies outside every account's slot, spread over shards. A shard that is none makes way for a new one; a member that
is not ours is taken out. Both are logged and counted. Refuses to know what a delivery is beyond its two ids.
"""

from __future__ import annotations

import asyncio
import heapq
import re
from collections.abc import Sequence
from typing import NamedTuple

from generation.lease_index import SHARDS, shard_of
from notifications.errors import CursorInvalid
from notifications.notices import KEPT_S
from storage.storage import Storage
from storage.wire import Argument

MAX_PER_SHARD = 1_000  # the newest; a receiver that is dead for days would fill Redis else
CURSOR = re.compile(r"(-[0-9]{1,15})_([!-~]{1,60})")


class Failed(NamedTuple):
    """Which delivery of which account failed, and when: ms of Redis' clock below zero, so that the newest is least."""

    minus_ms: int
    delivery_id: str
    account_id: str

    @property
    def cursor(self) -> str:
        return f"{self.minus_ms}_{self.delivery_id}"


class FailedDeliveries:
    """Sorted sets ``pg:failed_deliveries:{NN}``: ``delivery account`` → when its last try failed, as ``minus_ms``."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def note(self, account_id: str, delivery_id: str) -> None:
        """List a delivery, before its record says that it failed.

        Raises:
            StorageUnavailable
        """
        args: list[Argument] = [f"{delivery_id} {account_id}", KEPT_S, MAX_PER_SHARD]
        await self._storage.run("note_failed_delivery", [self._key(shard_of(account_id))], args)

    async def drop(self, account_id: str, delivery_ids: Sequence[str]) -> None:
        """List deliveries no more.

        Raises:
            StorageUnavailable
        """
        members = [f"{each} {account_id}" for each in delivery_ids]
        await self._storage.command("ZREM", self._key(shard_of(account_id)), *members)

    async def drop_all(self, account_id: str) -> None:
        """List nothing of the account any more, not even what its own list of deliveries has forgotten.

        Raises:
            StorageUnavailable
        """
        key, suffix = self._key(shard_of(account_id)), b" " + account_id.encode()
        members = await self._storage.command("ZRANGE", key, 0, -1)
        if found := [each for each in members if each[each.find(b" ") :] == suffix]:
            await self._storage.command("ZREM", key, *found)

    async def page(self, limit: int, before: str = "") -> list[Failed]:
        """Return up to ``limit`` deliveries, the one that failed last first; ``before`` is a cursor, '' for the newest.

        Raises:
            CursorInvalid, StorageUnavailable
        """
        cursor = CURSOR.fullmatch(before) if before else None
        if before and cursor is None:
            raise CursorInvalid
        last = (int(cursor[1]), cursor[2]) if cursor else None
        shards = await asyncio.gather(*(self._shard_page(shard, limit, last) for shard in range(SHARDS)))
        return [failed for failed, _ in zip(heapq.merge(*shards), range(limit), strict=False)]

    async def _shard_page(self, shard: int, limit: int, last: tuple[int, str] | None) -> list[Failed]:
        key = self._key(shard)
        args: list[Argument] = [str(last[0]) if last else "-inf", limit]
        while True:
            flat = await self._storage.run("list_failed_deliveries", [key], args)
            found, spoilt = [], []
            for member, score in zip(flat[::2], flat[1::2], strict=True):
                try:
                    found.append(_failed(member, score))
                except (ValueError, OverflowError) as exc:
                    self._storage.spoilt.note(f"{key} {member!r}", exc)
                    spoilt.append(member)
            if not spoilt:
                return [each for each in found if last is None or each[:2] > last]
            await self._storage.command("ZREM", key, *spoilt)  # they took the places of others

    def _key(self, shard: int) -> str:
        return self._storage.shared_key("failed_deliveries", f"{{{shard:02d}}}")


def _failed(member: bytes, score: bytes | float) -> Failed:
    """Read a member.

    Raises:
        ValueError, OverflowError: it is not one that we write.
    """
    delivery_id, account_id = str(member, "utf-8").split(" ", 1)
    failed = Failed(int(float(score)), delivery_id, account_id)
    if not account_id or CURSOR.fullmatch(failed.cursor) is None:
        raise ValueError
    return failed
