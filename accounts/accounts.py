"""Accounts, their tokens and subscriptions, and the proof that the numbers agree.

Refuses to know what tokens are used for: holds and settlements are Lua fragments that the task scripts include.
Everything of one account is in one slot.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.audit import AuditFailure, audit
from accounts.errors import AccountExists, GrantRefused, InvalidAccountId, TokensOutOfRange, UnknownAccount
from accounts.ledger import Ledger, LedgerEntry
from storage.storage import Storage, account_of

LONGEST_ACCOUNT_ID = 255  # characters; what a JWT's sub may have. Source: OpenID Connect Core 1.0, section 2
MOST_TOKENS = 10**15  # that an account may be granted in all: Lua's numbers are exact to 2^53


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


class Accounts:
    """Create, show, grant, subscribe, and prove."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._ledger = Ledger(storage)

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

        A subscription ends with the year 9999 at the latest.

        Raises:
            InvalidAccountId, TokensOutOfRange, AccountExists, StorageUnavailable
        """
        account_id = checked_account_id(account_id if account_id is not None else f"acc_{secrets.token_hex(8)}")
        if not 0 <= tokens <= MOST_TOKENS:
            raise TokensOutOfRange(tokens, MOST_TOKENS)
        created = await self._storage.run(
            "create_account",
            [*self._keys(account_id), self._mark(account_id)],
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
        members, active, _newest = await self._read(account_id)
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
            UnknownAccount, GrantRefused, TokensOutOfRange
            StorageUnavailable: the grant may have happened; look before repeating it.
        """
        if abs(tokens) > MOST_TOKENS:
            raise TokensOutOfRange(tokens, MOST_TOKENS)
        keys = [*self._keys(account_id), self._mark(account_id)]
        answer = await self._storage.run("grant_tokens", keys, [tokens, reason or "granted", MOST_TOKENS])
        if answer[0] == -1:
            raise UnknownAccount(account_id)
        if answer[0] == -2:
            raise GrantRefused(-tokens, answer[1])
        if answer[0] == -3:
            raise TokensOutOfRange(tokens, MOST_TOKENS)
        return await self.show(account_id)

    async def subscribe(self, account_id: str, days: int) -> Account:
        """Extend the subscription from its end or from now, whichever is later; 0 days end it now.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        keys = [self._storage.key(account_id, "account"), self._mark(account_id)]
        if await self._storage.run("extend_subscription", keys, [days]) == -1:
            raise UnknownAccount(account_id)
        return await self.show(account_id)

    async def ledger(
        self, account_id: str, *, limit: int = 50, before: str | None = None
    ) -> tuple[list[LedgerEntry], str | None]:
        """Return a page of entries, newest first, and the id to give as ``before`` for the next page, or None.

        Raises:
            InvalidEntryId, StorageUnavailable
        """
        return await self._ledger.page(account_id, limit, before)

    async def audit(self, account_id: str | None = None) -> list[AuditFailure]:
        """Check one account, or all: ``granted == balance + held + charged``, nothing negative, the ledger agrees.

        An account's numbers and its ledger are compared as of one moment, and Redis is not kept from others meanwhile:
        numbers and newest entry are read in one step, then the entries up to that one, which change no more.

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
        members, _active, newest = await self._read(account_id)
        return await audit(account_id, members, self._ledger.until(account_id, newest))

    async def _read(self, account_id: str) -> tuple[Mapping[str, str], bool, str]:
        flat, active, newest = await self._storage.run("read_account", self._keys(account_id), [])
        if not flat:
            raise UnknownAccount(account_id)
        texts = [str(text, "utf-8") for text in flat]
        return dict(zip(texts[::2], texts[1::2], strict=True)), bool(active), str(newest, "ascii")

    def _keys(self, account_id: str) -> list[str]:
        return [self._storage.key(account_id, "account"), self._storage.key(account_id, "ledger")]

    def _mark(self, account_id: str) -> str:
        """Name a call that must count once, however often the connection repeats it."""
        return self._storage.key(account_id, "call", secrets.token_hex(8))


def checked_account_id(account_id: str) -> str:
    """Return the id when it can name an account.

    Raises:
        InvalidAccountId
    """
    if not is_account_id(account_id):
        raise InvalidAccountId(account_id)
    return account_id


def is_account_id(text: str) -> bool:
    """Say whether the text can name an account: 1 to 255 printable characters of any language, spaces included."""
    return 0 < len(text) <= LONGEST_ACCOUNT_ID and text.isprintable()


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
