"""A task's events as they happen: status documents, Gemini's text, the end.

The scripts that change a task write its events in the same step, so poll, wait and events cannot contradict each other.
Refuses to know how events are sent. Ids are those of the Redis stream: any process resumes after any of them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, NamedTuple

from generation.status_copy import StatusCopy
from storage.errors import StorageUnavailable
from storage.storage import Storage

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
        clock = asyncio.get_running_loop().time
        changed = asyncio.Event()
        unwatch = self._copy.watch(key, changed.set)
        last, silent_at = after or "0-0", clock() + silence_s
        try:
            while True:
                changed.clear()
                document = await self._copy.document(account_id, task_id)  # before its events: they end when it does
                for entry_id, (kind, data) in (entries := await self._after(key, last)):
                    last, silent_at = str(entry_id, "ascii"), clock() + silence_s
                    yield Event(last, str(kind, "ascii"), data)
                    if kind == b"end":
                        return
                if entries:
                    continue
                if document is None or document.terminal:
                    return
                await _happens(changed, silent_at - clock())
                if clock() >= silent_at:
                    silent_at += silence_s
                    yield SILENCE
        except StorageUnavailable:
            return
        finally:
            unwatch()

    async def over(self, account_id: str, task_id: str, after: str) -> bool:
        """Say whether no event will ever come after the id ``after``.

        Raises:
            StorageUnavailable
        """
        document = await self._copy.document(account_id, task_id)
        ended = document is None or document.terminal
        return ended and not await self._after(self._storage.key(account_id, "events", task_id), after)

    async def _after(self, key: str, last: str) -> Any:
        return await self._copy.read_tracked("XRANGE", key, f"({last}", "+", "COUNT", ENTRIES_AT_ONCE)


async def _happens(event: asyncio.Event, within_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
