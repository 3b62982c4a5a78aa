"""Tokens that are given to accounts, and taken back."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence

from accounts.account import MAX_TOKENS, Account
from accounts.errors import AccountClosed, GrantIdReused, GrantRefused, TokensOutOfRange, UnknownAccount
from accounts.ledger import Ledger, LedgerEntry, moment_of
from storage.storage import Storage


async def _nobody(_account_id: str, _tokens: int) -> None:
    pass


class Grants:
    """``show`` reads an account; ``taken_back`` hears of the tokens that were taken back from one."""

    def __init__(self, storage: Storage, ledger: Ledger, show: Callable[[str], Awaitable[Account]]) -> None:
        self.taken_back: Callable[[str, int], Awaitable[None]] = _nobody
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
        code, entry_id = await self._run("grant_once", account_id, tokens, reason, ["grants"], grant_id)
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
        self, script: str, account_id: str, tokens: int, reason: str, parts: Sequence[str] = (), *grant_id: str
    ) -> tuple[int, bytes]:
        """Run a script that adds tokens; return its code and what it answered besides."""
        if abs(tokens) > MAX_TOKENS:
            raise TokensOutOfRange(tokens, MAX_TOKENS)
        keys = [self._storage.key(account_id, part) for part in ("account", "ledger", "calls", *parts)]
        arguments: list[str | int] = [tokens, reason or "granted", MAX_TOKENS, new_call_id(), *grant_id]
        code, *rest = await self._storage.run(script, keys, arguments)
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
        if tokens < 0 and code == 1:
            await self.taken_back(account_id, -tokens)
        return code, rest[0] if rest else b""

    async def _archived(self, account_id: str, entry_id: str, tokens: int) -> LedgerEntry:
        now = await self._show(account_id)
        numbers = (now.tokens_remaining, now.tokens_held, now.tokens_charged)
        return LedgerEntry(entry_id, moment_of(entry_id), "grant", tokens, *numbers, "", "archived", 0)


def new_call_id() -> str:
    """Make an id for one call, so that it counts once, however often the connection repeats it."""
    return secrets.token_hex(8)
