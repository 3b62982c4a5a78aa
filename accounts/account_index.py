"""The index of accounts: which there are, in the order of their ids. A hint; an account's own record is the truth.

It lies outside every account's slot and is spread over shards, so that no key and no server holds all of it. An id is
noted before its account is made: a process that dies in between leaves an id without an account, not the reverse.
Refuses to know what an account is.
"""

from __future__ import annotations

import hashlib
import heapq

from storage.storage import Storage

SHARDS = 16  # for ever: another number would look for ids where they are not


class AccountIndex:
    """Sorted sets ``pg:accounts:{00}`` …: account ids, all with the score 0."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def note(self, account_id: str) -> None:
        await self._storage.command("ZADD", self._shard_of(account_id), 0, account_id)

    async def drop(self, account_id: str) -> None:
        await self._storage.command("ZREM", self._shard_of(account_id), account_id)

    async def page(self, limit: int, after: str = "") -> list[str]:
        """Return up to ``limit`` ids that come after the given one, in the order of their UTF-8 bytes.

        Raises:
            StorageUnavailable
        """
        start = f"({after}" if after else "-"
        calls = [(self._shard(number), start, "+", "LIMIT", 0, limit) for number in range(SHARDS)]
        shards = await self._storage.commands("ZRANGEBYLEX", calls)
        merged = heapq.merge(*shards)
        return [str(account_id, "utf-8") for account_id, _ in zip(merged, range(limit), strict=False)]

    def _shard_of(self, account_id: str) -> str:
        return self._shard(hashlib.sha256(account_id.encode()).digest()[0] % SHARDS)

    def _shard(self, number: int) -> str:
        return self._storage.shared_key("accounts", f"{{{number:02x}}}")
