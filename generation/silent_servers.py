"""Tracks the accounts whose servers do not answer, so that a dead server delays no takeover elsewhere.

When it answers again, its accounts are skipped for one turn: their owners are alive too and renew their leases first.
Refuses to know what is asked of an account.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

from storage.errors import StorageUnavailable
from storage.primary import Primary
from storage.storage import Storage


class SilentServers:
    """``look`` begins a turn; ``note`` says that a call for an account got no answer in it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._servers: set[Primary] = set()  # that gave no answer in this turn
        self._accounts: set[str] = set()  # whose servers gave no answer when they were last asked
        self._back: set[str] = set()  # whose servers answer for the first time in this turn

    async def look(self) -> None:
        """Find out which of the silent servers answer again, with one PING each."""
        by_server: dict[Primary, list[str]] = defaultdict(list)
        for account_id in self._accounts:
            by_server[self._server(account_id)].append(account_id)
        answers = await asyncio.gather(*(self._answers(accounts[0]) for accounts in by_server.values()))
        self._servers, self._back = set(), set()
        for (server, accounts), answered in zip(by_server.items(), answers, strict=True):
            if answered:
                self._back.update(accounts)
                self._accounts.difference_update(accounts)
            else:
                self._servers.add(server)

    def note(self, account_id: str) -> None:
        self._accounts.add(account_id)
        self._servers.add(self._server(account_id))

    def sits_out(self, account_id: str) -> bool:
        """Say whether the account is skipped in this turn."""
        if self._server(account_id) in self._servers:
            self._accounts.add(account_id)
            return True
        return account_id in self._back

    def _server(self, account_id: str) -> Primary:
        return self._storage.topology.of(self._storage.key(account_id, "account"))

    async def _answers(self, account_id: str) -> bool:
        try:
            await self._storage.command("EXISTS", self._storage.key(account_id, "account"))
        except StorageUnavailable:
            return False
        return True
