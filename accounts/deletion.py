"""The deletion of an account with all that belongs to it, in the order in which it may be repeated after a crash.

Refuses to know what belongs to it: tasks, keys, deliveries, push subscriptions are given.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from accounts.accounts import Accounts


class Belongings(Protocol):
    """Records of one kind that an account has."""

    async def delete_all(self, account_id: str) -> object: ...


async def delete_account(
    accounts: Accounts, belongings: Iterable[Belongings], account_id: str, *, keep_ledger: bool
) -> bool:
    """Close the account, delete what belongs to it, then itself; return whether there was anything to delete.

    Raises:
        UnknownAccount, StorageUnavailable, RecordUnreadable
    """
    closed = await accounts.close(account_id)
    for each in belongings:
        await each.delete_all(account_id)
    return await accounts.forget(account_id, keep_ledger=keep_ledger) or closed
