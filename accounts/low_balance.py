"""A webhook about a low balance, as far as the step that lets the balance fall writes it.

Refuses to know how a webhook is sent: ``notifications`` does.
"""

from __future__ import annotations

from typing import Protocol

from storage.storage import Storage

LOW = "low-"  # before the id of what it follows, a task or a call, in the webhook's name


def low_balance_keys(storage: Storage, account_id: str, cause_id: str) -> list[str]:
    """Name the keys of such a webhook: its record, the due ones, and all of them."""
    key = storage.key
    return [
        key(account_id, "delivery", LOW + cause_id),
        key(account_id, "deliveries_due"),
        key(account_id, "deliveries"),
    ]


class TakenBack(Protocol):
    """Sends the webhooks of tokens that are taken back.

    ``limit``: the balance, in tokens, below which it is low, 0 for no webhooks; ``kept_s``: how long its record stays.
    """

    limit: int
    kept_s: int

    async def expect(self, account_id: str, call_id: str) -> None:
        """Prepare for the call: its record may follow, even if this process then ends.

        Raises:
            StorageUnavailable: the call must not be made.
        """

    async def answered(self, account_id: str, call_id: str, *, due: bool) -> None:
        """Take up the webhook of a call when it is due. Raises nothing: the tokens are taken back by then."""


class NothingToSend:
    """Sends none."""

    limit = kept_s = 0

    async def expect(self, account_id: str, call_id: str) -> None:
        pass

    async def answered(self, account_id: str, call_id: str, *, due: bool) -> None:
        pass
