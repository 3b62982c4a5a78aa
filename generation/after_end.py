"""What follows a task's end, as the tasks see it: the record of a notification, and the task's further owner.

Refuses to know how notifications are sent: ``notifications`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from accounts import low_balance_keys
from generation.lease_index import PUSH, TaskRef
from storage.storage import Storage


@dataclass(frozen=True, slots=True)
class Notice:
    """The record of notifications that the script that ends a task writes.

    ``head`` is the document's head as the receiver gets it, empty for no webhook; ``low_balance``, in tokens, 0 for
    none, is the balance below which the receiver gets a webhook about it; ``kept_s`` how long the record is kept;
    ``push_after_ms``: how long after the end browsers are notified, unless a client has fetched it; -1 for never.
    """

    head: bytes = b""
    low_balance: int = 0
    kept_s: int = 0
    push_after_ms: int = -1

    @property
    def arguments(self) -> list[bytes | int]:
        return [self.head, self.low_balance, self.kept_s, self.push_after_ms]


NO_NOTICE = Notice()


def delivery_keys(storage: Storage, account_id: str, task_id: str) -> list[str]:
    """Name the keys of an end's webhooks: its record, that of a low balance, the due ones, and all of them."""
    return [storage.key(account_id, "delivery", task_id), *low_balance_keys(storage, account_id, task_id)]


def push_keys(storage: Storage, account_id: str, task_id: str) -> list[str]:
    """Name the keys of an end's push: its record, and the account's subscriptions."""
    return [storage.key(account_id, "delivery", PUSH + task_id), storage.key(account_id, "push_subscriptions")]


class AfterEnd(Protocol):
    """Sends notifications of ends."""

    def notice(self, head: bytes, *, failed: bool) -> Notice:
        """Return the record of an end with this head."""

    def offer(self, task: TaskRef) -> float | None:
        """Take over a task that has ended, or leave it in the index; None when its lease can go: nothing is to be done.

        Return in how many seconds it is worth looking at it again, should it be left or its process end.
        """


class NothingAfter:
    """Sends no notifications."""

    def notice(self, head: bytes, *, failed: bool) -> Notice:  # noqa: ARG002  # the protocol's
        return NO_NOTICE

    def offer(self, task: TaskRef) -> None:  # noqa: ARG002  # the protocol's
        return None
