"""Tokens that are given to accounts, and taken back."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Awaitable, Callable, Sequence

from accounts.account import MAX_TOKENS, Account
from accounts.errors import AccountClosed, GrantIdReused, GrantRefused, TokensOutOfRange, UnknownAccount
from accounts.ledger import Ledger, LedgerEntry, moment_of
from accounts.low_balance import NothingToSend, TakenBack, low_balance_keys
from storage.errors import RecordUnreadable
from storage.storage import Storage


class Grants:
    """``show`` reads an account; ``taken_back`` sends the webhooks of balances that fell below a limit."""

    def __init__(self, storage: Storage, ledger: Ledger, show: Callable[[str], Awaitable[Account]]) -> None:
        self.taken_back: TakenBack = NothingToSend()
        self._storage = storage
        self._ledger = ledger
        self._show = show

    async def add(self, account_id: str, tokens: int, reason: str = "") -> Account:
        """Add tokens; a negative number takes back what is neither held nor charged.

        Raises:
            UnknownAccount, GrantRefused, TokensOutOfRange
            AccountClosed: it is deleted, and its ledger was kept.
            StorageUnavailable: the grant may have happened; look before repeating it.
        """
        await self._run("grant_tokens", account_id, tokens, reason)
        return await self._show(account_id)

    async def add_once(self, account_id: str, grant_id: str, tokens: int, reason: str = "") -> tuple[LedgerEntry, bool]:
        """Add tokens once for each ``grant_id``, for ever; return the entry, and whether it was there before.

        Of an entry that is archived by now id, time and tokens are as they were; balance, held and charged are today's.

        Raises:
            UnknownAccount, GrantRefused, TokensOutOfRange, GrantIdReused, StorageUnavailable
            AccountClosed: it is deleted, and its ledger was kept.
        """
        code, entry_id = await self._run("grant_once", account_id, tokens, reason, ["grants"], [grant_id])
        name = str(entry_id, "ascii")
        entry = await self._ledger.entry(account_id, name)
        return entry or await self._archived(account_id, name, tokens), code == 2

    async def of(self, account_id: str) -> list[dict[str, str]]:
        """Return ``{grant_id, entry_id}`` of each grant that was made with an id, by these ids.

        Raises:
            StorageUnavailable, RecordUnreadable
        """
        key = self._storage.key(account_id, "grants")
        stored = await self._storage.command("HGETALL", key)
        with self._storage.reading(key):
            return [
                {"grant_id": str(grant_id, "utf-8"), "entry_id": str(entry, "ascii").split(" ")[0]}
                for grant_id, entry in sorted(stored.items())
            ]

    async def _run(
        self,
        script: str,
        account_id: str,
        tokens: int,
        reason: str,
        parts: Sequence[str] = (),
        grant_id: Sequence[str] = (),
    ) -> tuple[int, bytes]:
        """Run a script that adds tokens; return its code and what it answered besides."""
        if abs(tokens) > MAX_TOKENS:
            raise TokensOutOfRange(tokens, MAX_TOKENS)
        call_id, told = str(uuid.uuid4()), self.taken_back
        keys = [self._storage.key(account_id, part) for part in ("account", "ledger", "calls", *parts)]
        keys += low_balance_keys(self._storage, account_id, call_id)
        arguments: list[str | int] = [
            tokens,
            reason or "granted",
            MAX_TOKENS,
            call_id,
            told.limit,
            told.kept_s,
            *grant_id,
        ]
        if tokens < 0:
            await told.expect(account_id, call_id)
        try:
            code, *rest = await self._storage.run(script, keys, arguments)
        except RecordUnreadable:
            if tokens < 0:
                await told.answered(account_id, call_id, due=False)
            raise
        if tokens < 0:
            await told.answered(account_id, call_id, due=code == 1 and bool(rest[0]))
        match code:
            case -1:
                raise UnknownAccount(account_id)
            case -2:
                raise GrantRefused(-tokens, rest[0])
            case -3:
                raise TokensOutOfRange(tokens, MAX_TOKENS)
            case -4:
                raise GrantIdReused(*grant_id)
            case -5:
                raise AccountClosed(account_id)
        return code, rest[-1]

    async def _archived(self, account_id: str, entry_id: str, tokens: int) -> LedgerEntry:
        now = await self._show(account_id)
        numbers = (now.tokens_remaining, now.tokens_held, now.tokens_charged)
        return LedgerEntry(entry_id, moment_of(entry_id), "grant", tokens, *numbers, "", "archived", 0)


def new_call_id() -> str:
    """Make an id for one call, so that it counts once, however often the connection repeats it."""
    return secrets.token_hex(8)
