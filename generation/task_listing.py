"""The tasks of one account, newest first, as far as they have not expired."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from generation.steering import Steering
from storage.errors import UNLIKE_OURS, RecordUnreadable
from storage.storage import Storage

TASKS_PER_READ = 1_000  # one answer of Redis is bounded by it
PAGE_BYTES = 1_000_000  # of documents in one answer; a single one may be larger


class TaskListing:
    """Reads ids and status documents; changes nothing."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def ids(self, account_id: str) -> list[str]:
        """Read the ids of all tasks, oldest first; then those of unfinished ones that the list has lost.

        Raises:
            StorageUnavailable
        """
        listed = await self._storage.command("ZRANGE", self.key(account_id), 0, -1)
        unfinished = await self._storage.command("ZRANGE", self.unfinished_key(account_id), 0, -1)
        return [str(task_id, "ascii", "replace") for task_id in dict.fromkeys([*listed, *unfinished])]

    def key(self, account_id: str) -> str:
        """Name the sorted set of the account's task ids."""
        return self._storage.key(account_id, "tasks")

    def unfinished_key(self, account_id: str) -> str:
        """Name the sorted set of the ids of its unfinished tasks."""
        return self._storage.key(account_id, "unfinished")

    async def recent(self, account_id: str) -> list[bytes]:
        """Read the documents of all tasks, newest first, one page after the other."""
        documents, before = await self.page(account_id, TASKS_PER_READ, None)
        while before is not None:
            more, before = await self.page(account_id, TASKS_PER_READ, before)
            documents += more
        return documents

    async def drafts(self, account_id: str) -> list[dict[str, Any]]:
        """Return the drafts of unfinished tasks: ``{task_id, manual_prompt, feedback, business_type}`` each.

        Raises:
            StorageUnavailable
        """
        key, drafts = self._storage.key, []
        for task_id in await self._storage.run("list_unfinished", [self.unfinished_key(account_id)], [TASKS_PER_READ]):
            record = key(account_id, "task", str(task_id, "ascii", "replace"))
            draft, steering = await self._storage.command("HMGET", record, "manual_prompt", "steering")
            with contextlib.suppress(RecordUnreadable), self._storage.reading(record):
                if draft is not None:  # it has ended meanwhile
                    beside = Steering.read(str(steering or b"", "utf-8"))
                    sent = {"manual_prompt": str(draft, "utf-8"), "feedback": beside.feedback}
                    drafts.append({"task_id": str(task_id, "ascii"), **sent, "business_type": beside.business_type})
        return drafts

    async def page(self, account_id: str, limit: int, before: str | None) -> tuple[list[bytes], str | None]:
        """Read a page of the documents of the account's unexpired tasks, newest first.

        ``before`` is the id of the last task of the page before. Returns up to ``limit`` documents, fewer when they are
        large, and what to give as ``before`` for the next page, or None.

        Raises:
            StorageUnavailable
        """
        key = self._storage.key
        documents: list[bytes] = []
        left = PAGE_BYTES
        while True:
            ids = await self._storage.run("list_tasks", [self.key(account_id)], [before or "", limit - len(documents)])
            if not ids:
                return documents, None
            keys = [key(account_id, "status", str(task_id, "ascii", "replace")) for task_id in ids]
            looked_at, found, numbers = await self._storage.run("read_documents", keys, [left, int(not documents)])
            documents += self._readable([keys[number - 1] for number in numbers], found)
            left -= sum(map(len, found))
            before = str(ids[looked_at - 1], "ascii", "replace") if looked_at else before
            if looked_at < len(ids) or len(documents) >= limit:
                return documents, before

    def _readable(self, keys: Sequence[str], found: Sequence[bytes]) -> Iterator[bytes]:
        """Pass over what is no document: it would make the whole page unreadable."""
        for key, document in zip(keys, found, strict=True):
            try:
                if not isinstance(json.loads(document)["status"], str):
                    raise TypeError(document[:20])
                yield document
            except UNLIKE_OURS as exc:
                self._storage.spoilt.note(key, exc)
