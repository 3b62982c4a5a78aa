"""Accounts, their tokens and subscriptions, and the proof that the numbers agree.

Refuses to know what tokens are used for: holds and settlements are Lua fragments that the task scripts include.
Everything of one account is in one slot.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from accounts.account import MAX_TOKENS, Account, account_from, checked_account_id, is_account_id, iso
from accounts.account_index import AccountIndex, printable
from accounts.archives import Archives
from accounts.audit import AuditFailure
from accounts.auditor import Auditor
from accounts.deleted_accounts import DeletedAccounts
from accounts.errors import AccountClosed, AccountExists, TokensOutOfRange, UnknownAccount
from accounts.grants import Grants, new_call_id
from accounts.ledger import Ledger, LedgerEntry
from storage.errors import RecordUnreadable
from storage.storage import Storage, account_of

LAST_MS = 253_402_300_799_000  # the end of the year 9999, ISO 8601's last; as lua/include/subscription_end.lua
ENTRIES_PER_BATCH = 500  # of a ledger that one step rewrites


class Accounts:
    """Create, show, change, subscribe, close, delete, and prove; ``grants`` gives them tokens."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._ledger = Ledger(storage)
        self.index = AccountIndex(storage)
        self._deleted = DeletedAccounts(storage)
        self._auditor = Auditor(self.index, self._ledger, self._read)
        self.grants = Grants(storage, self._ledger, self.show)

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
        account, repeated = await self.create_once(account_id, tokens, subscription_days, business_type, name)
        if repeated:
            raise AccountExists(account.account_id)
        return account

    async def create_once(
        self, account_id: str | None, tokens: int, subscription_days: int, business_type: str, name: str
    ) -> tuple[Account, bool]:
        """Create an account, or return the one that was created with the same values, and whether it was there before.

        Raises:
            InvalidAccountId, TokensOutOfRange, AccountExists, StorageUnavailable
        """
        account_id = checked_account_id(account_id if account_id is not None else f"acc_{secrets.token_hex(8)}")
        repeated = await self._create(account_id, tokens, subscription_days, business_type, name)
        await self._deleted.drop(account_id)
        return await self.show(account_id), repeated

    async def create_on_first_use(
        self, account_id: str, tokens: int, subscription_days: int, business_type: str
    ) -> None:
        """Create the account of somebody who comes with a token, unless it is there or was deleted.

        Raises:
            InvalidAccountId, TokensOutOfRange, AccountClosed, StorageUnavailable
        """
        if await self._deleted.has(account_id):
            raise AccountClosed(account_id)
        with contextlib.suppress(AccountExists):  # a request that came at the same moment was first
            await self._create(account_id, tokens, subscription_days, business_type, "")

    async def _create(
        self, account_id: str, tokens: int, subscription_days: int, business_type: str, name: str
    ) -> bool:
        """Create the account; return whether it was there before, created with the same values."""
        if not 0 <= tokens <= MAX_TOKENS:
            raise TokensOutOfRange(tokens, MAX_TOKENS)
        await self.index.note(account_id)
        asked = json.dumps([tokens, subscription_days, business_type, name])
        created = await self._storage.run(
            "create_account",
            [*self._keys(account_id), self._storage.key(account_id, "calls")],
            [name, business_type, iso(datetime.now(UTC)), subscription_days, tokens, _sha256(asked), new_call_id()],
        )
        if not created:
            raise AccountExists(account_id)
        return bool(created == 2)

    async def show(self, account_id: str) -> Account:
        """Read the account.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        members, active, _newest = await self._read(account_id)
        with self._storage.reading(self._storage.key(account_id, "account")):
            return account_from(account_id, members, active)

    async def readable(self, account_id: str) -> Account | None:
        """Return the account, or None where there is none (its creation never came to its end) or none to be read.

        Raises:
            StorageUnavailable
        """
        try:
            return await self.show(account_id)
        except (UnknownAccount, RecordUnreadable):
            return None
        except ValueError as exc:  # an id that is no text names no key
            self._storage.spoilt.note(printable(account_id), exc)
            return None

    async def exists(self, account_id: str) -> bool:
        """Say whether there is such an account."""
        return bool(await self._storage.command("EXISTS", self._storage.key(account_id, "account")))

    async def require_open(self, account_id: str) -> None:
        """Return when the account may be used.

        Raises:
            UnknownAccount, AccountClosed, StorageUnavailable
        """
        _, *asked = self.record_of(account_id)
        created_at, closed_at = await self._storage.command("HMGET", *asked)
        if created_at is None:
            raise UnknownAccount(account_id)
        if closed_at:
            raise AccountClosed(account_id)

    def record_of(self, account_id: str, digest: bytes = b"") -> tuple[str, ...]:  # noqa: ARG002  # the same for each
        """Return the command that reads whether the account may be used."""
        return ("HMGET", self._storage.key(account_id, "account"), "created_at", "closed_at")

    def holds(self, reply: Any) -> bool:
        """Say whether the account may be used by what that command returned."""
        if isinstance(reply, RecordUnreadable):
            return False
        created_at, closed_at = reply
        return created_at is not None and not closed_at

    async def page(self, limit: int, after: str = "") -> tuple[list[Account], str | None]:
        """Return up to ``limit`` accounts by their ids, and the id to give as ``after`` for the next page, or None.

        Raises:
            StorageUnavailable
        """
        found = await self.index.page(limit + 1, after)
        accounts = [account for account_id in found[:limit] if (account := await self.readable(account_id))]
        following = found[:limit] if len(found) > limit else []
        return accounts, next(filter(is_account_id, reversed(following)), None)

    async def change(
        self,
        account_id: str,
        *,
        name: str | None = None,
        business_type: str | None = None,
        subscription_until: datetime | None = None,
        subscription_days: int | None = None,
    ) -> tuple[Account, list[str]]:
        """Change what is given, in one step: all of it or nothing; return the account and the members that differ now.

        ``subscription_until`` is aware of its time zone; outside the years 1970 to 9999 in UTC it is the nearest moment
        in them, and the very first of them is no subscription. ``subscription_days`` extend the subscription from its
        end or from now, whichever is later, and 0 end it now.

        Raises:
            UnknownAccount, AccountClosed, StorageUnavailable
        """
        members: list[str | int] = []
        members += ["name", name] if name is not None else []
        members += ["business_type", business_type] if business_type is not None else []
        if subscription_until is not None:
            until_ms = int(subscription_until.timestamp() * 1000)
            members += ["subscription_until_ms", min(max(until_ms, 0), LAST_MS)]
        changed = await self._set(account_id, members, subscription_days)
        return await self.show(account_id), changed

    async def close(self, account_id: str) -> bool:
        """Refuse every further use: subscription and keys end in one step; return whether that changed anything.

        Closing twice keeps the first time. An id without any other record is removed from the index.

        Raises:
            UnknownAccount, StorageUnavailable, RecordUnreadable
        """
        keys = [self._storage.key(account_id, part) for part in ("account", "api_keys", "calls")]
        closed = await self._storage.run("close_account", keys, [iso(datetime.now(UTC)), new_call_id()])
        if closed == -1:
            if not await self._storage.command("EXISTS", self._storage.key(account_id, "ledger")):
                await self.index.drop(account_id)
            raise UnknownAccount(account_id)
        return bool(closed == 1)

    async def forget(self, account_id: str, *, keep_ledger: bool) -> bool:
        """Delete a closed account: with its ledger, or all but the ledger's numbers and those that it explains.

        What people wrote goes in both cases: the names, the ids of grants, and their reasons. No grant follows.
        Return whether there was anything to delete.

        Raises:
            UnknownAccount, StorageUnavailable, RecordUnreadable
        """
        await self.close(account_id)
        key = self._storage.key
        if keep_ledger:
            if await self._storage.command("HGET", key(account_id, "account"), "deleted_at") is None:
                await self._set(account_id, ["deleted_at", iso(datetime.now(UTC))], closed_too=True)
            await self._storage.command("DEL", key(account_id, "grants"))
            while not await self._storage.run(
                "blank_reasons", [key(account_id, "ledger"), key(account_id, "ledger_blanked")], [ENTRIES_PER_BATCH]
            ):
                pass
            # The last step: until then a repetition has something to do.
            return bool(await self._set(account_id, ["name", "", "business_type", "", "asked", ""], closed_too=True))
        await self._deleted.note(account_id)
        parts = ("account", "ledger", "ledger_archived", "ledger_blanked", "grants", "usage", "calls")
        await self._storage.command("DEL", *(key(account_id, part) for part in parts))
        await self.index.drop(account_id)
        return True

    async def _set(
        self,
        account_id: str,
        members: Sequence[str | int],
        subscription_days: int | None = None,
        *,
        closed_too: bool = False,
    ) -> list[str]:
        """Set members; return the names of those that differ now."""
        keys = [self._storage.key(account_id, part) for part in ("account", "calls")]
        days = "" if subscription_days is None else subscription_days
        code, *rest = await self._storage.run("change_account", keys, [days, new_call_id(), int(closed_too), *members])
        match code:
            case -1:
                raise UnknownAccount(account_id)
            case -2:
                raise AccountClosed(account_id)
        return [
            "subscription_until" if name == "subscription_until_ms" else name for name in str(rest[0], "ascii").split()
        ]

    async def subscribe(self, account_id: str, days: int) -> Account:
        """Extend the subscription from its end or from now, whichever is later; 0 days end it now.

        Raises:
            UnknownAccount, AccountClosed, StorageUnavailable
        """
        account, _changed = await self.change(account_id, subscription_days=days)
        return account

    async def ledger(
        self, account_id: str, *, limit: int = 50, before: str | None = None
    ) -> tuple[list[LedgerEntry], str | None]:
        """Return a page of entries, newest first, and the id to give as ``before`` for the next page, or None.

        Raises:
            InvalidEntryId, StorageUnavailable
        """
        return await self._ledger.page(account_id, limit, before)

    async def audit(self, account_id: str | None = None, archives: Archives | None = None) -> list[AuditFailure]:
        """Check one account, or all: ``granted == balance + held + charged``, nothing negative, the ledger agrees.

        An account's numbers and its ledger are compared as of one moment, without blocking Redis:
        numbers and newest entry are read in one step, then the entries up to that one, which change no more.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        if account_id is not None:
            failure = await self._auditor.one(account_id, archives)
            return [failure] if failure else []
        return (await self.audit_all(archives))[1]

    async def audit_all(self, archives: Archives | None = None) -> tuple[int, list[AuditFailure]]:
        """Check every account that the index names; return how many there are, and failures.

        Also what is left of one whose record is lost, and records that cannot be read. With ``archives``, that the
        archived entries are there and explain the sums that are carried forward; else those are taken as they are.

        Raises:
            StorageUnavailable
        """
        return await self._auditor.all(archives)

    def ids(self) -> AsyncIterator[str]:
        """Yield the id of every account once, as the index has them.

        Raises:
            StorageUnavailable
        """
        return self.index.ids()

    async def reindex(self, names: Iterable[str]) -> int:
        """Add accounts to the index by their ids or by names of their keys; return how many of them exist.

        Raises:
            StorageUnavailable
        """
        ids = {account_of(name) if "{" in name else name for name in names}
        found = 0
        for account_id in filter(is_account_id, ids):
            parts = [self._storage.key(account_id, part) for part in ("account", "ledger")]
            if await self._storage.command("EXISTS", *parts):
                await self.index.note(account_id)
                found += 1
        return found

    async def _read(self, account_id: str) -> tuple[Mapping[str, str], bool, str]:
        flat, active, newest = await self._storage.run("read_account", self._keys(account_id), [])
        if not flat:
            raise UnknownAccount(account_id)
        with self._storage.reading(self._storage.key(account_id, "account")):
            texts = [str(text, "utf-8") for text in flat]
        return dict(zip(texts[::2], texts[1::2], strict=True)), bool(active), str(newest, "ascii")

    def _keys(self, account_id: str) -> list[str]:
        return [self._storage.key(account_id, "account"), self._storage.key(account_id, "ledger")]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
