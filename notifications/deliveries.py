"""The records of webhooks and pushes: which are due, the outcome of their tries, and their repetition.

``pg:{A}:delivery:{id}`` is written by the script that ends a task (accounts/lua/include/note_delivery.lua). Its place
in the queue is the task's entry in the index of leases. Refuses to know HTTP.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from accounts import LOW
from generation.after_end import delivery_keys, push_keys
from generation.lease_index import PUSH, LeaseIndex, TaskRef, task_of_delivery
from generation.origin import NO_ORIGIN, Origin
from notifications.errors import UnknownDelivery
from notifications.failed_deliveries import Failed, FailedDeliveries
from notifications.notices import KEPT_S
from storage.errors import UNREADABLE, RecordUnreadable, StorageUnavailable
from storage.storage import Storage

DELETIONS_PER_BATCH, BODIES_PER_READ = 500, 100
CLAIMED_S = 60.0  # how long one process alone works on a delivery: longer than a try may take


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook. ``state``: pending | delivered | failed; ``last``: how the last try ended, '' before the first.

    ``due_at`` is when the next try comes, None when there is none.
    """

    id: str
    task_id: str
    type: str
    state: str
    tries: int
    created_at: str
    due_at: str | None
    last: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """A webhook whose last try failed, at ``failed_at``; a pending one is tried again by itself."""

    account_id: str
    failed_at: str
    delivery: Delivery

    def as_dict(self) -> dict[str, Any]:
        return {"account_id": self.account_id, "failed_at": self.failed_at, **self.delivery.as_dict()}


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that this process has claimed.

    ``number`` counts its tries from 1, since it was sent again for the ``resent``-th time.
    ``origin`` is the request that made the task.
    The body of a webhook is what is sent; that of a push (``kind`` push.…) names the subscriptions that are left.
    """

    id: str
    kind: str
    body: bytes
    number: int
    origin: Origin = NO_ORIGIN
    resent: int = 0

    @property
    def is_push(self) -> bool:
        return self.kind.startswith("push.")


class Following(NamedTuple):
    """When a task's next delivery is due: ``at_ms`` of Redis' clock, ``in_s`` from now."""

    at_ms: int
    in_s: float


class Deliveries:
    """Reads and changes records; every step is one script."""

    def __init__(self, storage: Storage, index: LeaseIndex) -> None:
        self._storage = storage
        self._index = index
        self._failed = FailedDeliveries(storage)

    async def claim(self, task: TaskRef) -> tuple[list[DueDelivery], Following | None]:
        """Claim the task's due deliveries; return them and when the next one is due, None when there is none.

        Raises:
            StorageUnavailable, RecordUnreadable
        """
        first, low, due_key, _all = self._keys(task)
        next_ms, left_ms, *found = await self._storage.run(
            "claim_deliveries",
            [first, low, push_keys(self._storage, *task)[0], due_key],
            [int(CLAIMED_S * 1000), task.task_id, LOW + task.task_id, PUSH + task.task_id],
        )
        due = []
        for each, kind_bytes, stored, created_ms, number, trace, request_id, resent in found:
            with self._storage.reading(self._record(task.account_id, str(each, "ascii", "replace"))):
                kind = str(kind_bytes, "ascii")
                body = stored if kind.startswith("push.") else _payload(task.account_id, kind, stored, created_ms)
                due.append(DueDelivery(str(each, "ascii"), kind, body, number, Origin.read(trace, request_id), resent))
        return due, Following(next_ms, left_ms / 1000) if next_ms else None

    async def end_try(
        self, task: TaskRef, due: DueDelivery, state: str, last: str, again_s: float, *, left: str = ""
    ) -> None:
        """Record the outcome of a try; ``again_s`` is when the next one comes, for a delivery that stays pending.

        ``left``: the subscriptions that a push still goes to, '' for the same as before.

        Raises:
            StorageUnavailable
        """
        if state != "delivered" and not due.is_push:
            with contextlib.suppress(StorageUnavailable):  # a hint; before the record, lest a crash between lose it
                await self._failed.note(task.account_id, due.id)
        noted = await self._storage.run(
            "end_try",
            [self._record(task.account_id, due.id), self._keys(task)[2]],
            [due.id, due.number, state, last, int(again_s * 1000), KEPT_S, left, due.resent],
        )
        gone = noted == -1  # its account was deleted meanwhile; after -3 the hint may be that of the newer try
        arrived = noted == 1 and state == "delivered" and (due.number > 1 or due.resent)
        if (gone or arrived) and not due.is_push:
            with contextlib.suppress(StorageUnavailable):  # a hint
                await self._failed.drop(task.account_id, [due.id])

    async def put_back(self, task: TaskRef, following: Following | None) -> None:
        """Let the reapers find the task again when its next delivery is due; with None, remove it.

        Raises:
            StorageUnavailable
        """
        if following is None:
            await self._index.drop([task])
        else:
            await self._index.note_end(task, following.at_ms)

    async def withdraw_push(self, task: TaskRef) -> None:
        """Forget a notification that is not sent yet: somebody has seen the end.

        Raises:
            StorageUnavailable
        """
        _first, _low, due_key, list_key = self._keys(task)
        record = push_keys(self._storage, *task)[0]
        await self._storage.run("withdraw_push", [record, due_key, list_key], [PUSH + task.task_id])

    async def page(self, account_id: str, limit: int, before: str | None) -> tuple[list[Delivery], str | None]:
        """Return up to ``limit`` deliveries, newest first, and the ``before`` of the next page.

        Raises:
            StorageUnavailable
        """
        key = self._storage.key(account_id, "deliveries")
        listed = await self._storage.run("list_tasks", [key], [before or "", limit + 1])
        ids = [str(each, "ascii", "replace") for each in listed]
        found = await self._read([(account_id, each) for each in ids[:limit]])
        return [each for each in found if each], ids[limit - 1] if len(ids) > limit else None

    async def bodies(self, account_id: str) -> AsyncIterator[dict[str, Any]]:
        """Yield ``{id, body}`` of each webhook of the last seven days, newest first; ``body`` is what is sent.

        Raises:
            StorageUnavailable
        """
        before: str | None = None
        while True:
            page, before = await self.page(account_id, BODIES_PER_READ, before)
            shown = [each for each in page if not each.type.startswith("push.")]
            calls = [(self._record(account_id, each.id), "body", "created_ms") for each in shown]
            records = await self._storage.commands("HMGET", calls) if calls else []
            for each, call, (stored, created_ms) in zip(shown, calls, records, strict=True):
                with contextlib.suppress(RecordUnreadable), self._storage.reading(call[0]):
                    if stored is not None:
                        body = _payload(account_id, each.type, stored, int(created_ms))
                        yield {"id": each.id, "body": json.loads(body)}
            if before is None:
                return

    async def failed_page(self, limit: int, before: str = "") -> tuple[list[FailedDelivery], str | None]:
        """Return webhooks of all accounts whose last try failed, the latest first, and the next page's ``before``.

        Up to ``limit``, and fewer where the index lists what has been delivered or deleted meanwhile.

        Raises:
            CursorInvalid, StorageUnavailable
        """
        listed = await self._failed.page(limit + 1, before)
        page = listed[:limit]
        records = await self._read([(each.account_id, each.delivery_id) for each in page])
        found = [
            _failed_delivery(each, record)
            for each, record in zip(page, records, strict=True)
            if record is not None and record.state != "delivered" and record.last
        ]
        return found, page[-1].cursor if len(listed) > limit else None

    async def _read(self, ids: Sequence[tuple[str, str]]) -> list[Delivery | None]:
        """Return the records of these accounts and deliveries, None for one that is gone or cannot be read."""
        calls = [(self._record(*each), *FIELDS) for each in ids]
        found: list[Delivery | None] = []
        for call, record in zip(calls, await self._storage.commands("HMGET", calls), strict=True):
            try:
                found.append(None if record[0] is None else _delivery(dict(zip(FIELDS, record, strict=True))))
            except UNREADABLE as exc:
                self._storage.spoilt.note(call[0], exc)
                found.append(None)
        return found

    async def resend(self, account_id: str, delivery_id: str) -> Delivery:
        """Let a delivery be tried again at once, with the same webhook-id, by whichever process finds it first.

        Raises:
            UnknownDelivery, StorageUnavailable
        """
        task = TaskRef(account_id, task_of_delivery(delivery_id))
        record = self._record(account_id, delivery_id)
        if await self._storage.run("resend", [record, self._keys(task)[2]], [delivery_id, KEPT_S]) != 1:
            raise UnknownDelivery(delivery_id)
        await self._failed.drop(account_id, [delivery_id])
        await self._index.note([task], 0)
        await self._index.say_handed_back()
        values = await self._storage.command("HMGET", record, *FIELDS)
        return _delivery(dict(zip(FIELDS, values, strict=True)))

    async def delete_all(self, account_id: str) -> None:
        """Delete every record of the account: those that either of its lists names, since one can be lost.

        Raises:
            StorageUnavailable
        """
        for name in ("deliveries", "deliveries_due"):
            await self._delete_listed(account_id, self._storage.key(account_id, name))
        await self._failed.drop_all(account_id)

    async def _delete_listed(self, account_id: str, key: str) -> None:
        while ids := await self._storage.command("ZRANGE", key, 0, DELETIONS_PER_BATCH - 1):
            names = [str(each, "ascii", "replace") for each in ids]
            await self._storage.command("DEL", *(self._record(account_id, name) for name in names))
            await self._index.drop([TaskRef(account_id, task_of_delivery(name)) for name in names])  # due in days
            await self._storage.command("ZREM", key, *ids)  # after the records: a deletion that ends between finds them

    def _record(self, account_id: str, delivery_id: str) -> str:
        return self._storage.key(account_id, "delivery", delivery_id)

    def _keys(self, task: TaskRef) -> list[str]:
        return delivery_keys(self._storage, *task)


FIELDS = ("id", "type", "state", "tries", "created_ms", "due_ms", "last")


def _payload(account_id: str, kind: str, stored: bytes, created_ms: int) -> bytes:
    """Return the body, the same at each try."""
    data = {"account_id": account_id, **json.loads(stored)}
    payload = {"type": kind, "timestamp": _moment(created_ms), "data": data}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _delivery(record: Mapping[str, bytes]) -> Delivery:
    text = {name: str(value, "utf-8") for name, value in record.items()}
    pending = text["state"] == "pending"
    return Delivery(
        id=text["id"],
        task_id=task_of_delivery(text["id"]),
        type=text["type"],
        state=text["state"],
        tries=int(text["tries"]),
        created_at=_moment(int(text["created_ms"])),
        due_at=_moment(int(text["due_ms"])) if pending else None,
        last=text["last"],
    )


def _failed_delivery(failed: Failed, delivery: Delivery) -> FailedDelivery:
    return FailedDelivery(failed.account_id, _moment(-failed.minus_ms), delivery)


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
