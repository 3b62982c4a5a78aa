"""The index of accounts: which there are, in the order of their ids. A hint; an account's own record is the truth.

It lies outside every account's slot and is spread over shards, so that no key and no server holds all of it. An id is
noted before its account is made: a process that dies in between leaves an id without an account, not the reverse.
Refuses to know what an account is.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections.abc import AsyncIterator, Callable

import structlog
from redis import exceptions as redis_errors

from storage.errors import UNREADABLE
from storage.storage import Storage

SHARDS = 16  # for ever: another number would look for ids where they are not
IDS_PER_PAGE = 1_000

Note = Callable[[str, BaseException], None]

log = structlog.get_logger(__name__)


def log_unreadable(key: str, exc: BaseException) -> None:
    log.error("record_set_aside", redis_key=key, error=type(exc).__name__)


class AccountIndex:
    """Sorted sets ``pg:accounts:{00}`` …: account ids, all with the score 0.

    A shard that is none is passed over; ``note`` hears of it. Ids that are no UTF-8 keep their bytes as surrogates.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def note(self, account_id: str) -> None:
        key = self._shard_of(account_id)
        try:
            await self._storage.command("ZADD", key, 0, account_id)
        except redis_errors.ResponseError as exc:  # somebody wrote something else there
            log_unreadable(key, exc)
            await self._storage.command("RENAME", key, f"{key}:set_aside")
            await self._storage.command("ZADD", key, 0, account_id)

    async def drop(self, account_id: str) -> None:
        await self._storage.command("ZREM", self._shard_of(account_id), account_id)

    async def has(self, account_id: str) -> bool:
        return await self._storage.command("ZSCORE", self._shard_of(account_id), _bytes(account_id)) is not None

    async def page(self, limit: int, after: str = "", note: Note = log_unreadable) -> list[str]:
        """Return up to ``limit`` ids that come after the given one, in the order of their UTF-8 bytes.

        Raises:
            StorageUnavailable
        """
        numbers = range(SHARDS)
        shards = await asyncio.gather(*(self._shard_page(number, limit, _bytes(after), note) for number in numbers))
        return [_text(account_id) for account_id, _ in zip(heapq.merge(*shards), range(limit), strict=False)]

    async def ids(self, note: Note = log_unreadable) -> AsyncIterator[str]:
        """Yield every id once, shard by shard.

        Raises:
            StorageUnavailable
        """
        for number in range(SHARDS):
            after = b""
            while page := await self._shard_page(number, IDS_PER_PAGE, after, note):
                for account_id in page:
                    yield _text(account_id)
                after = page[-1]

    async def _shard_page(self, number: int, limit: int, after: bytes, note: Note) -> list[bytes]:
        key, start = self._shard(number), b"(" + after if after else b"-"
        try:
            page: list[bytes] = await self._storage.command("ZRANGEBYLEX", key, start, "+", "LIMIT", 0, limit)
        except UNREADABLE as exc:
            note(key, exc)
            return []
        return page

    def _shard_of(self, account_id: str) -> str:
        return self._shard(hashlib.sha256(_bytes(account_id)).digest()[0] % SHARDS)

    def _shard(self, number: int) -> str:
        return self._storage.shared_key("accounts", f"{{{number:02x}}}")


def printable(name: str) -> str:
    """Return a name that can be shown, whatever bytes somebody wrote."""
    return _bytes(name).decode("utf-8", "backslashreplace")


def _bytes(account_id: str) -> bytes:
    return account_id.encode("utf-8", "surrogateescape")


def _text(account_id: bytes) -> str:
    return account_id.decode("utf-8", "surrogateescape")
