"""Audits one account, or all that the index names. A record that cannot be read is a failure, and stops no other audit.

Refuses to know what must hold: accounts/audit.py does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from accounts.account_index import AccountIndex, printable
from accounts.archives import Archives
from accounts.audit import UNREADABLE_RECORD, AuditFailure, audit
from accounts.errors import UnknownAccount
from accounts.ledger import Ledger
from storage.errors import UNREADABLE

RECHECK_AFTER_S = 1.0  # an account is in the index before it is made, and until after it is deleted

Read = Callable[[str], Awaitable[tuple[Mapping[str, str], bool, str]]]


class Auditor:
    """``read``: account id → its members, whether its subscription runs, its newest entry's id, as of one moment."""

    def __init__(self, index: AccountIndex, ledger: Ledger, read: Read) -> None:
        self._index = index
        self._ledger = ledger
        self._read = read

    async def one(self, account_id: str, archives: Archives | None = None) -> AuditFailure | None:
        """Compare an account's numbers with each other and with its ledger.

        Raises:
            UnknownAccount, StorageUnavailable
        """
        try:
            while True:
                carried = await self._ledger.carried(account_id)
                members, _active, newest = await self._read(account_id)
                entries = self._ledger.until(account_id, newest)
                known = archives.problems(account_id, carried) if archives else ()
                failure = await audit(account_id, members, entries, carried, known)
                if failure is None or await self._ledger.carried(account_id) == carried:
                    return failure  # else entries were archived meanwhile
        except UNREADABLE as exc:
            return _unreadable(account_id, exc)

    async def all(self, archives: Archives | None = None) -> tuple[int, list[AuditFailure]]:
        """Return how many accounts the index names, and what is wrong, records that are lost included.

        Raises:
            StorageUnavailable
        """
        failures: list[AuditFailure] = []
        without_record = []
        checked = 0

        def note(key: str, exc: BaseException) -> None:
            failures.append(_unreadable(key, exc))

        async for account_id in self._index.ids(note):
            try:
                failure = await self.one(account_id, archives)
            except UnknownAccount:
                without_record.append(account_id)
                continue
            checked += 1
            failures += [failure] if failure else []
        if without_record:
            await asyncio.sleep(RECHECK_AFTER_S)
        for account_id in without_record:
            if await self._index.has(account_id):
                checked += 1
                failure = await self._once_more(account_id, archives)
                failures += [failure] if failure else []
        return checked, failures

    async def _once_more(self, account_id: str, archives: Archives | None) -> AuditFailure | None:
        try:
            return await self.one(account_id, archives)
        except UnknownAccount:
            pass
        try:
            newest, _ = await self._ledger.page(account_id, 1, None)
            entries = self._ledger.until(account_id, newest[0].id if newest else "")
            return await audit(account_id, None, entries, await self._ledger.carried(account_id))
        except UNREADABLE as exc:
            return _unreadable(account_id, exc)


def _unreadable(name: str, exc: BaseException) -> AuditFailure:
    problem = f"{UNREADABLE_RECORD} ({type(exc).__name__})"
    return AuditFailure(printable(name), (problem,), None, None, None, None, 0, 0, 0)
