"""A task's events as they happen: status documents, Gemini's text, the end.

The scripts that change a task write its events in the same step, so poll, wait and events cannot contradict each other.
Refuses to know how events are sent. Ids are those of the Redis stream: any process resumes after any of them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import NamedTuple

from generation.status_copy import StatusCopy
from runtime.storage import Storage
from runtime.storage_errors import StorageUnavailable

EVENT_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")  # a part has 64 bits; a number of 20 digits may have more
ENTRIES_AT_ONCE = 100


class Event(NamedTuple):
    """``kind``: status | chunk | end | silence (nothing happened for a while); ``data`` is JSON."""

    id: str
    kind: str
    data: bytes


SILENCE = Event("", "silence", b"")


class TaskEvents:
    """Reads the events of any task, woken by Redis when there are new ones."""

    def __init__(self, storage: Storage, copy: StatusCopy) -> None:
        self._storage = storage
        self._copy = copy

    async def follow(self, account_id: str, task_id: str, after: str, silence_s: float) -> AsyncIterator[Event]:
        """Yield every event after the id ``after`` ('' for all) until the end; SILENCE after ``silence_s`` without one.

        Stops early when Redis is lost or the task expires: a client resumes with the last id it has.
        """
        key = self._storage.key(account_id, "events", task_id)
        changed = asyncio.Event()
        unwatch = self._copy.watch(key, changed.set)
        last = after or "0-0"
        try:
            while True:
                changed.clear()
                entries = await self._copy.read_tracked("XRANGE", key, f"({last}", "+", "COUNT", ENTRIES_AT_ONCE)
                for entry_id, (kind, data) in entries:
                    last = str(entry_id, "ascii")
                    yield Event(last, str(kind, "ascii"), data)
                    if kind == b"end":
                        return
                if not entries and not await _happens(changed, silence_s):
                    if await self._copy.document(account_id, task_id) is None:
                        return
                    yield SILENCE
        except StorageUnavailable:
            return
        finally:
            unwatch()


async def _happens(event: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await event.wait()
    except TimeoutError:
        return False
