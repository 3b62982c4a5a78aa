"""A task's events as they happen: status documents, Gemini's text, the end.

The scripts that change a task write its events in the same step, so poll, wait and events cannot contradict each other.
Refuses to know how events are sent. Ids are those of the Redis stream: any process resumes after any of them.
"""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from generation.lease_index import TaskRef
from generation.readers import NOTED_EVERY_S, Readers
from generation.status_copy import StatusCopy
from storage.errors import StorageUnavailable
from storage.storage import Storage

EVENT_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")  # a part has 64 bits; a number of 20 digits may have more
ENTRIES_PER_READ = 100
NO_VERSION, FINAL_WITHIN_S = 1 << 60, 5.0


class Event(NamedTuple):
    """``kind``: status | chunk | end | silence (nothing happened for ``silence_s``); ``data`` is JSON."""

    id: str
    kind: str
    data: bytes


SILENCE = Event("", "silence", b"")


class TaskEvents:
    """Reads the events of any task, woken by Redis when there are new ones; one read serves all who follow a task."""

    def __init__(self, storage: Storage, copy: StatusCopy, readers: Readers) -> None:
        self._storage = storage
        self._copy = copy
        self._readers = readers
        self._feeds: dict[str, _Feed] = {}

    async def follow(self, account_id: str, task_id: str, after: str, silence_s: float) -> AsyncIterator[Event]:
        """Yield every event after the id ``after`` ('' for all) until the end; SILENCE after ``silence_s`` without one.

        Stops early when Redis is lost or the task expires; the client resumes with its last id.
        """
        key = self._storage.key(account_id, "events", task_id)
        clock = asyncio.get_running_loop().time
        changed = asyncio.Event()
        last, silent_at = after or "0-0", clock() + silence_s
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = _Feed(self._copy, key, lambda: self._readers.note(TaskRef(account_id, task_id)))
        feed.join(changed)
        seen: int | None = None
        try:
            while True:
                changed.clear()
                document = await self._copy.document(account_id, task_id)  # before its events: they end when it does
                await feed.refresh()
                seen = feed.position(last) if seen is None else seen
                entries = feed.events[seen:]
                for event in entries:
                    seen, silent_at = seen + 1, clock() + silence_s
                    if event.kind == "status" and not event.data:
                        event = await self._final(account_id, task_id, event)
                    yield event
                    if event.kind == "end":
                        return
                if entries:
                    continue
                if document is None or document.terminal:
                    return
                noted_s = await feed.note_reader()
                await _happens(changed, min(silent_at - clock(), noted_s))
                if clock() >= silent_at:
                    silent_at += silence_s
                    yield SILENCE
        except StorageUnavailable:
            return
        finally:
            if not feed.leave(changed):
                self._feeds.pop(key, None)

    async def over(self, account_id: str, task_id: str, after: str) -> bool:
        """Say whether no event will ever come after the id ``after``.

        Raises:
            StorageUnavailable
        """
        document = await self._copy.document(account_id, task_id)
        ended = document is None or document.terminal
        key = self._storage.key(account_id, "events", task_id)
        return ended and not await _entries(self._copy, key, after)

    async def _final(self, account_id: str, task_id: str, event: Event) -> Event:
        """Put the final document in its event: the events say only that there is one."""
        document = await self._copy.wait(account_id, task_id, NO_VERSION, FINAL_WITHIN_S)
        if document is None or not document.terminal:
            raise StorageUnavailable("unreachable")
        return event._replace(data=document.body)


class _Feed:
    """One task's events so far, kept while the task is followed."""

    def __init__(self, copy: StatusCopy, key: str, note_reader: Callable[[], Awaitable[None]]) -> None:
        self._copy = copy
        self._note_reader = note_reader
        self._noted_until = float("-inf")
        self._key = key
        self.events: list[Event] = []
        self._followers: set[asyncio.Event] = set()
        self._one_at_a_time = asyncio.Lock()
        self._is_new = True
        self._unwatch = copy.watch(key, self._changed)

    def join(self, changed: asyncio.Event) -> None:
        self._followers.add(changed)

    def leave(self, changed: asyncio.Event) -> bool:
        """Say whether followers are left."""
        self._followers.discard(changed)
        if not self._followers:
            self._unwatch()
        return bool(self._followers)

    async def note_reader(self) -> float:
        """Renew the mark that the task is followed, when it is due; return in how many seconds it is due again.

        Raises:
            StorageUnavailable
        """
        now = asyncio.get_running_loop().time()
        if now >= self._noted_until:
            self._noted_until = now + NOTED_EVERY_S
            await self._note_reader()
        return self._noted_until - now

    def position(self, last: str) -> int:
        """Return how many of the events come no later than this id."""
        return bisect_right(self.events, _parts(last), key=lambda event: _parts(event.id))

    async def refresh(self) -> None:
        """Read the new events, once for all followers.

        Raises:
            StorageUnavailable
        """
        async with self._one_at_a_time:
            while self._is_new:
                self._is_new = False
                try:
                    last = self.events[-1].id if self.events else "0-0"
                    entries = await _entries(self._copy, self._key, last)
                except BaseException:
                    self._is_new = True  # the next waiting reader asks again
                    raise
                self.events += (Event(str(i, "ascii"), str(kind, "ascii"), data) for i, (kind, data) in entries)
                self._is_new = self._is_new or len(entries) == ENTRIES_PER_READ

    def _changed(self) -> None:
        self._is_new = True
        for changed in self._followers:
            changed.set()


async def _entries(copy: StatusCopy, key: str, last: str) -> Any:
    return await copy.read_tracked("XRANGE", key, f"({last}", "+", "COUNT", ENTRIES_PER_READ)


def _parts(event_id: str) -> tuple[int, int]:
    first, second = event_id.split("-")
    return int(first), int(second)


async def _happens(event: asyncio.Event, within_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
