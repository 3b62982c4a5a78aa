"""The index of accounts: which there are, in the order of their ids. A hint; an account's own record is the truth.

It lies outside every account's slot and is spread over shards, so that no key and no server holds all of it. An id is
written before its account is made: a process that dies in between leaves an id without an account, not the reverse.
Refuses to know what an account is.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import heapq
from collections.abc import AsyncIterator, Callable

from storage.errors import RecordUnreadable
from storage.storage import Storage

SHARDS = 16  # for ever: another number would look for ids where they are not
IDS_PER_PAGE = 1_000

Unreadable = Callable[[str, BaseException], None]


class AccountIndex:
    """Sorted sets ``pg:accounts:{00}`` …: account ids, all with the score 0.

    A shard that is none is passed over; ``unreadable`` hears of it. Ids that are no UTF-8 keep their bytes as
    surrogates.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def note(self, account_id: str) -> None:
        key = self._shard_of(account_id)
        try:
            await self._storage.command("ZADD", key, 0, account_id)
        except RecordUnreadable as exc:
            await self._storage.spoilt.rename(key, exc)
            await self._storage.command("ZADD", key, 0, account_id)

    async def drop(self, account_id: str) -> None:
        with contextlib.suppress(RecordUnreadable):  # it is not there
            await self._storage.command("ZREM", self._shard_of(account_id), account_id)

    async def has(self, account_id: str) -> bool:
        with contextlib.suppress(RecordUnreadable):
            key = self._shard_of(account_id)
            return await self._storage.command("ZSCORE", key, _bytes(account_id)) is not None
        return False

    async def page(self, limit: int, after: str = "") -> list[str]:
        """Return up to ``limit`` ids that come after the given one, in the order of their UTF-8 bytes.

        Raises:
            StorageUnavailable
        """
        numbers = range(SHARDS)
        shards = await asyncio.gather(*(self._shard_page(number, limit, _bytes(after)) for number in numbers))
        return [_text(account_id) for account_id, _ in zip(heapq.merge(*shards), range(limit), strict=False)]

    async def ids(self, unreadable: Unreadable = lambda _shard, _exc: None) -> AsyncIterator[str]:
        """Yield every id once, shard by shard.

        Raises:
            StorageUnavailable
        """
        for number in range(SHARDS):
            after = b""
            while page := await self._shard_page(number, IDS_PER_PAGE, after, unreadable):
                for account_id in page:
                    yield _text(account_id)
                after = page[-1]

    async def _shard_page(
        self, number: int, limit: int, after: bytes, unreadable: Unreadable = lambda _shard, _exc: None
    ) -> list[bytes]:
        key, start = self._shard(number), b"(" + after if after else b"-"
        try:
            page: list[bytes] = await self._storage.command("ZRANGEBYLEX", key, start, "+", "LIMIT", 0, limit)
        except RecordUnreadable as exc:
            unreadable(key, exc)
            return []
        return page

    def _shard_of(self, account_id: str) -> str:
        return self._shard(hashlib.sha256(_bytes(account_id)).digest()[0] % SHARDS)

    def _shard(self, number: int) -> str:
        return self._storage.shared_key("accounts", f"{{{number:02x}}}")


def printable(name: str) -> str:
    """Return a name that can be printed, whatever its bytes are."""
    return _bytes(name).decode("utf-8", "backslashreplace")


def _bytes(account_id: str) -> bytes:
    return account_id.encode("utf-8", "surrogateescape")


def _text(account_id: bytes) -> str:
    return account_id.decode("utf-8", "surrogateescape")
