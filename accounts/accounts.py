"""Accounts, their tokens and subscriptions, and the proof that the numbers agree.

Refuses to know what tokens are used for: holds and settlements are Lua fragments that the task scripts include.
Everything of one account is in one slot.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.errors import AccountExists, GrantRefused, InvalidAccountId, UnknownAccount
from runtime.storage import Storage, account_of

# Safe inside a hash tag and in one line of text; fits what a JWT's sub holds: 42, auth0|123, a UUID, an e-mail.
ACCOUNT_ID = re.compile(r"[A-Za-z0-9_.@|:+=/-]{1,128}")
ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}")
WHOLE_LEDGER = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """An account as of one moment; times are ISO 8601 in UTC."""

    account_id: str
    name: str
    business_type: str
    created_at: str
    subscription_until: str | None
    subscription_active: bool
    tokens_granted: int
    tokens_remaining: int
    tokens_held: int
    tokens_charged: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement. ``kind``: grant | hold | settle | release; balance, held and charged are those after it."""

    id: str
    at: str
    kind: str
    tokens: int
    balance: int
    held: int
    charged: int
    task_id: str
    reason: str
    uncollected: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class AuditFailure:
    """An account whose numbers do not agree: the hash's, and what its ledger adds up to."""

    account_id: str
    problems: tuple[str, ...]
    granted: int
    balance: int
    held: int
    charged: int
    ledger_granted: int
    ledger_charged: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Accounts:
    """Create, show, grant, subscribe, and prove."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def create(
        self,
        *,
        tokens: int = 0,
        subscription_days: int = 0,
        business_type: str = "general",
        name: str = "",
        account_id: str | None = None,
    ) -> Account:
        """Create an account with its first ledger entry, in one step.

        Raises:
            InvalidAccountId, AccountExists, StorageUnavailable
        """
        account_id = checked_account_id(account_id if account_id is not None else f"acc_{secrets.token_hex(8)}")
        created = await self._storage.run(
            "create_account",
            self._keys(account_id),
            [name, business_type, _iso(datetime.now(UTC)), subscription_days, tokens],
        )
        if not created:
            raise AccountExists(account_id)
        return await self.show(account_id)

    async def show(self, account_id: str) -> Account:
        """Read the account.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        members, active, _entries = await self._read(account_id, 0)
        until_ms = int(members["subscription_until_ms"])
        return Account(
            account_id=account_id,
            name=members["name"],
            business_type=members["business_type"],
            created_at=members["created_at"],
            subscription_until=_iso(datetime.fromtimestamp(until_ms / 1000, UTC)) if until_ms else None,
            subscription_active=active,
            tokens_granted=int(members["granted"]),
            tokens_remaining=int(members["balance"]),
            tokens_held=int(members["held"]),
            tokens_charged=int(members["charged"]),
        )

    async def exists(self, account_id: str) -> bool:
        """Say whether there is such an account."""
        return bool(await self._storage.command("EXISTS", self._storage.key(account_id, "account")))

    async def grant(self, account_id: str, tokens: int, reason: str = "") -> Account:
        """Add tokens; a negative number takes back what is neither held nor charged.

        Raises:
            UnknownAccount, GrantRefused, StorageUnavailable: the grant may have happened; look before repeating it.
        """
        keys = self._keys_once(account_id)
        answer = await self._storage.run("grant_tokens", keys, [tokens, reason or "granted"])
        if answer[0] == -1:
            raise UnknownAccount(account_id)
        if answer[0] == -2:
            raise GrantRefused(-tokens, answer[1])
        return await self.show(account_id)

    async def subscribe(self, account_id: str, days: int) -> Account:
        """Extend the subscription from its end or from now, whichever is later; 0 days end it now.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        if await self._storage.run("extend_subscription", self._keys_once(account_id), [days]) == -1:
            raise UnknownAccount(account_id)
        return await self.show(account_id)

    async def ledger(
        self, account_id: str, *, limit: int = 50, before: str | None = None
    ) -> tuple[list[LedgerEntry], str | None]:
        """Return a page of entries, newest first, and the id to give as ``before`` for the next page, or None."""
        key = self._storage.key(account_id, "ledger")
        newest = f"({before}" if before and ENTRY_ID.fullmatch(before) else "+"
        entries = await self._storage.command("XREVRANGE", key, newest, "-", "COUNT", limit + 1)
        page = [_entry(entry_id, fields) for entry_id, fields in entries[:limit]]
        return page, page[-1].id if len(entries) > limit and page else None

    async def audit(self, account_id: str | None = None) -> list[AuditFailure]:
        """Check one account, or all: ``granted == balance + held + charged``, nothing negative, the ledger agrees.

        Each account is read in one step; the accounts are read one after the other.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        if account_id is not None:
            failure = await self._audit_one(account_id)
            return [failure] if failure else []
        return [failure async for each in self.ids() if (failure := await self._audit_one(each))]

    async def ids(self) -> AsyncIterator[str]:
        """Yield every account's id once."""
        seen = set()
        async for key in self._storage.scan(self._storage.key("*", "account")):
            if (account_id := account_of(key)) not in seen:
                seen.add(account_id)
                yield account_id

    async def _audit_one(self, account_id: str) -> AuditFailure | None:
        members, _active, entries = await self._read(account_id, WHOLE_LEDGER)
        granted, balance, held, charged = (int(members[name]) for name in ("granted", "balance", "held", "charged"))
        movements = [_entry(entry_id, _pairs(fields)) for entry_id, fields in entries]
        ledger_granted = sum(entry.tokens for entry in movements if entry.kind == "grant")
        ledger_charged = sum(entry.tokens for entry in movements if entry.kind == "settle")
        last = movements[-1] if movements else None
        checks = {
            "granted is not balance + held + charged": granted == balance + held + charged,
            "a number is negative": min(granted, balance, held, charged) >= 0,
            "the ledger's grants do not add up": ledger_granted == granted,
            "the ledger's charges do not add up": ledger_charged == charged,
            "the ledger's last entry disagrees": last is None
            or (last.balance, last.held, last.charged) == (balance, held, charged),
        }
        problems = tuple(problem for problem, holds in checks.items() if not holds)
        if not problems:
            return None
        return AuditFailure(account_id, problems, granted, balance, held, charged, ledger_granted, ledger_charged)

    async def _read(self, account_id: str, entries: int) -> tuple[Mapping[str, str], bool, list[Any]]:
        flat, active, ledger = await self._storage.run("read_account", self._keys(account_id), [entries])
        if not flat:
            raise UnknownAccount(account_id)
        members = {str(name, "ascii"): str(value, "utf-8") for name, value in _pairs(flat).items()}
        return members, bool(active), ledger

    def _keys_once(self, account_id: str) -> list[str]:
        """Name the keys of a call that must count once, however often the connection repeats it."""
        return [*self._keys(account_id), self._storage.key(account_id, "call", secrets.token_hex(8))]

    def _keys(self, account_id: str) -> list[str]:
        return [self._storage.key(account_id, "account"), self._storage.key(account_id, "ledger")]


def checked_account_id(account_id: str) -> str:
    """Return the id when it can name an account.

    Raises:
        InvalidAccountId
    """
    if not ACCOUNT_ID.fullmatch(account_id):
        raise InvalidAccountId(account_id)
    return account_id


def _entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> LedgerEntry:
    milliseconds = int(entry_id.split(b"-")[0])
    return LedgerEntry(
        id=str(entry_id, "ascii"),
        at=_iso(datetime.fromtimestamp(milliseconds / 1000, UTC)),
        kind=str(fields[b"kind"], "ascii"),
        tokens=int(fields[b"tokens"]),
        balance=int(fields[b"balance"]),
        held=int(fields[b"held"]),
        charged=int(fields[b"charged"]),
        task_id=str(fields[b"task"], "ascii"),
        reason=str(fields[b"reason"], "utf-8"),
        uncollected=int(fields[b"uncollected"]),
    )


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
