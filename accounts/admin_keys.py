"""Admin keys: for the operator's backends, good for accounts and money, and for no generation.

Made once on the command line, shown once, stored as SHA-256: ``pg:admin_keys`` (hash → JSON).
"""

from __future__ import annotations

import json
from typing import Any

from accounts.api_keys import ApiKey, NewApiKey, generate_key, is_well_formed, key_digest, now_iso, read_keys
from accounts.errors import Unauthorized, UnknownApiKey
from storage.storage import Storage

ADMIN_KEY_PREFIX = "pa_"


class AdminKeys:
    """Create, list, revoke and find admin keys; they have no account."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._key = storage.shared_key("admin_keys")

    async def create(self, label: str = "") -> NewApiKey:
        """Make a key; it cannot be shown again.

        Raises:
            StorageUnavailable
        """
        key = generate_key(ADMIN_KEY_PREFIX)
        digest = key_digest(key)
        await self._store(digest, ApiKey(digest[:12], label, now_iso(), ""))
        return NewApiKey(key, digest[:12])

    async def list_all(self) -> list[ApiKey]:
        """Return all keys, oldest first."""
        return sorted((key for _, key in await self._records()), key=lambda key: key.created_at)

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key; revoking twice keeps the first time.

        Raises:
            UnknownApiKey, StorageUnavailable
        """
        for digest, key in await self._records():
            if key.key_id == key_id:
                revoked = ApiKey(key.key_id, key.label, key.created_at, key.revoked_at or now_iso())
                await self._store(digest, revoked)
                return revoked
        raise UnknownApiKey(key_id)

    async def find(self, key: str) -> ApiKey:
        """Return what is known of a key that works.

        Raises:
            Unauthorized: malformed (without asking Redis), unknown_key or revoked_key.
            StorageUnavailable
        """
        if not is_well_formed(key, ADMIN_KEY_PREFIX):
            raise Unauthorized("malformed")
        digest = key_digest(key)
        record = await self._storage.command("HGET", self._key, digest)
        if record is None:
            raise Unauthorized("unknown_key")
        with self._storage.reading(f"{self._key} {digest}"):
            found = _parsed(record)
        if found.revoked_at:
            raise Unauthorized("revoked_key")
        return found

    async def _records(self) -> list[tuple[str, ApiKey]]:
        records = await self._storage.command("HGETALL", self._key)
        return list(read_keys(self._storage, self._key, records))

    async def _store(self, digest: str, key: ApiKey) -> None:
        await self._storage.command("HSET", self._key, digest, json.dumps(key.as_dict(), ensure_ascii=False))


def _parsed(record: bytes) -> ApiKey:
    members: dict[str, Any] = json.loads(record)
    return ApiKey(**members)
