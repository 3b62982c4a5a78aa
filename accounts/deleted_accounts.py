"""Which accounts were deleted with their ledger, so that a token that is still valid does not make them anew.

``pg:deleted_account:{SHA-256 of the id}`` (the day, ISO) is all that stays of such an account: its id is not stored. A
backend that creates the account again removes it. Refuses to know what an account is.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from storage.storage import Storage


class DeletedAccounts:
    """Note, find and drop ids."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def note(self, account_id: str) -> None:
        await self._storage.command("SET", self._key(account_id), datetime.now(UTC).date().isoformat())

    async def has(self, account_id: str) -> bool:
        return bool(await self._storage.command("EXISTS", self._key(account_id)))

    async def drop(self, account_id: str) -> None:
        await self._storage.command("DEL", self._key(account_id))

    def _key(self, account_id: str) -> str:
        digest = hashlib.sha256(account_id.encode("utf-8", "surrogateescape")).hexdigest()
        return self._storage.shared_key("deleted_account", digest)
