"""API keys: made once, shown once, stored as SHA-256.

``pg:{account}:api_keys`` (hash → JSON) is the truth; ``pg:api_key:{hash}`` only says in which account to look.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.accounts import Accounts
from accounts.errors import AccountClosed, Unauthorized, UnknownAccount, UnknownApiKey
from storage.errors import UNREADABLE, RecordUnreadable
from storage.storage import Storage

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_CHARACTERS = 37  # 220 bits
CHECKSUM_CHARACTERS = 6  # a CRC-32 fits: 62^6 > 2^32
WRONG_FOR_S = 5.0  # how long a wrong key is refused without asking Redis; a new key was never asked for
WRONG_KEPT = 10_000
API_KEY_PREFIX = "pg_"
AFTER_PREFIX = re.compile(r"[0-9A-Za-z]{43}")


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key as its owner sees it, once."""

    key: str
    key_id: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed. Times are ISO 8601; ``revoked_at`` is empty while it works."""

    key_id: str
    label: str
    created_at: str
    revoked_at: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


class ApiKeys:
    """Create, list, revoke and find keys."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._wrong: dict[str, tuple[float, str]] = {}  # digest → until (time.monotonic()), why; the oldest first

    async def create(self, account_id: str, label: str = "") -> NewApiKey:
        """Make a key for the account; it cannot be shown again.

        Raises:
            UnknownAccount, AccountClosed, StorageUnavailable
        """
        key = generate_key()
        digest = key_digest(key)
        record = {"key_id": digest[:12], "label": label, "created_at": now_iso(), "revoked_at": ""}
        # The truth first: a hint without it finds nothing, and the key has not been shown yet.
        keys = [self._storage.key(account_id, "account"), self._key(account_id)]
        match await self._storage.run("create_api_key", keys, [digest, json.dumps(record, ensure_ascii=False)]):
            case -1:
                raise UnknownAccount(account_id)
            case -2:
                raise AccountClosed(account_id)
        await self._storage.command("SET", self._hint(digest), account_id)
        self._wrong.pop(digest, None)
        return NewApiKey(key, record["key_id"])

    async def of(self, account_id: str) -> list[ApiKey]:
        """Return the account's keys, oldest first.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        records = await self._records(account_id)
        if not records and not await Accounts(self._storage).exists(account_id):
            raise UnknownAccount(account_id)
        return sorted((key for _digest, key in records), key=lambda key: (key.created_at, key.key_id))

    async def page(self, account_id: str, limit: int, after: str = "") -> tuple[list[ApiKey], str | None]:
        """Return up to ``limit`` keys, oldest first, and the id to give as ``after`` for the next page, or None.

        Raises:
            UnknownAccount, StorageUnavailable
            UnknownApiKey: ``after`` is none of the account's keys.
        """
        keys = await self.of(account_id)
        start = 0
        if after:
            start = next((number for number, key in enumerate(keys, 1) if key.key_id == after), 0)
            if not start:
                raise UnknownApiKey(after)
        page = keys[start : start + limit]
        return page, page[-1].key_id if start + limit < len(keys) else None

    async def revoke(self, account_id: str, key_id: str) -> ApiKey:
        """End a key; revoking twice keeps the first time.

        Raises:
            UnknownApiKey, StorageUnavailable
        """
        for digest, key in await self._records(account_id):
            if key.key_id == key_id:
                revoked = ApiKey(key.key_id, key.label, key.created_at, key.revoked_at or now_iso())
                text = json.dumps({name: getattr(revoked, name) for name in ApiKey.__slots__}, ensure_ascii=False)
                if await self._storage.run("replace_api_key", [self._key(account_id)], [digest, text]) == 1:
                    return revoked
        raise UnknownApiKey(key_id)

    async def revoke_all(self, account_id: str) -> list[ApiKey]:
        """End all keys of the account; return them.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        return [await self.revoke(account_id, key.key_id) for key in await self.of(account_id)]

    async def working(self, account_id: str) -> set[str]:
        """Return the ids of the account's keys that are not revoked.

        Raises:
            StorageUnavailable
        """
        return {key.key_id for _digest, key in await self._records(account_id) if not key.revoked_at}

    async def delete_all(self, account_id: str) -> None:
        """Delete every record of the account's keys, and the hints, also of records that cannot be read."""
        for digest in await self._storage.command("HKEYS", self._key(account_id)):
            await self._storage.command("DEL", self._hint(str(digest, "ascii", "replace")))
        await self._storage.command("DEL", self._key(account_id))

    async def find(self, key: str) -> str:
        """Return the id of the account that the key belongs to.

        Raises:
            Unauthorized: malformed (without asking Redis), unknown_key or revoked_key.
            StorageUnavailable
        """
        if reason := self.refused(key):
            raise Unauthorized(reason)
        digest = key_digest(key)
        account_id, reason = await self._look_up(digest)
        if reason:
            self._remember_wrong(digest, reason)
            raise Unauthorized(reason)
        return account_id

    def refused(self, key: str) -> str:
        """Return why a key is refused without asking Redis: malformed, or wrong a moment ago; '' when it is asked."""
        if not is_well_formed(key):
            return "malformed"
        until, reason = self._wrong.get(key_digest(key), (0.0, ""))
        return reason if time.monotonic() < until else ""

    async def _look_up(self, digest: str) -> tuple[str, str]:
        """Return the account's id, or why the key is wrong."""
        hint = await self._storage.command("GET", self._hint(digest))
        if hint is None:
            return "", "unknown_key"
        with self._storage.reading(self._hint(digest)):
            account_id = str(hint, "utf-8")
        record = await self._storage.command("HGET", self._key(account_id), digest)
        if record is None:
            return "", "unknown_key"
        with self._storage.reading(f"{self._key(account_id)} {digest}"):
            return account_id, "revoked_key" if json.loads(record)["revoked_at"] else ""

    def _remember_wrong(self, digest: str, reason: str) -> None:
        self._wrong.pop(digest, None)
        self._wrong[digest] = (time.monotonic() + WRONG_FOR_S, reason)
        while len(self._wrong) > WRONG_KEPT:
            del self._wrong[next(iter(self._wrong))]

    def record_of(self, account_id: str, digest: bytes) -> tuple[str, ...]:
        """Return the command that reads the record of a key that was found before."""
        return ("HGET", self._key(account_id), digest.hex())

    def holds(self, reply: Any) -> bool:
        """Say whether a key works by its record; one that cannot be read does not: who finds it hears why."""
        if reply is None or isinstance(reply, RecordUnreadable):
            return False
        with contextlib.suppress(*UNREADABLE):
            return not json.loads(reply)["revoked_at"]
        return False

    async def _records(self, account_id: str) -> list[tuple[str, ApiKey]]:
        records = await self._storage.command("HGETALL", self._key(account_id))
        return list(read_keys(self._storage, self._key(account_id), records))

    def _key(self, account_id: str) -> str:
        return self._storage.key(account_id, "api_keys")

    def _hint(self, digest: str) -> str:
        return self._storage.shared_key("api_key", digest)


def read_keys(storage: Storage, stored_in: str, records: Mapping[bytes, bytes]) -> Iterator[tuple[str, ApiKey]]:
    """Read the records of keys by digest; one that cannot be read is passed over, and hides no other."""
    for digest, record in records.items():
        try:
            yield str(digest, "ascii"), ApiKey(**json.loads(record))
        except UNREADABLE as exc:
            storage.spoilt.note(f"{stored_in} {digest!r}", exc)


def generate_key(prefix: str = API_KEY_PREFIX) -> str:
    """Return the prefix, 37 random base62 characters, and their CRC-32 in 6 more."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return f"{prefix}{text}{_checksum(text)}"


def is_well_formed(key: str, prefix: str = API_KEY_PREFIX) -> bool:
    """Say whether the key could be one of ours: a typing error is refused without asking Redis."""
    text = key.removeprefix(prefix)
    fits = key.startswith(prefix) and AFTER_PREFIX.fullmatch(text) is not None
    return fits and text[-CHECKSUM_CHARACTERS:] == _checksum(text[:-CHECKSUM_CHARACTERS])


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode("ascii"))
    digits = []
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def key_digest(key: str) -> str:
    return hashlib.sha256(key.encode("ascii")).hexdigest()


def now_iso() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
