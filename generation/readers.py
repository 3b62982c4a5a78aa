"""Marks tasks whose events are followed, in any process: only then is their text written to Redis as it comes.

The reader's process keeps a key beside the task while it reads; the process that runs the task tracks that key, so
neither has to ask the other. Refuses to know how events are read (events.py) and written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

from generation.lease_index import TaskRef
from generation.status_copy import StatusCopy
from storage.errors import StorageUnavailable
from storage.storage import Storage

KNOWN_FOR_S = 10.0
NOTED_EVERY_S = 4.0

# With a reader text is written together that comes within the first of these times; without one it is written for
# those who will come, and what Gemini has used until then for the settlement: six times in the 120 s of a task.
READ_EVERY_S = 0.1
UNREAD_AFTER_S = (0.0, 3.0, 6.0, 12.0, 24.0, 48.0)


class Readers:
    """Writes and watches the marks."""

    def __init__(self, storage: Storage, copy: StatusCopy) -> None:
        self._storage = storage
        self._copy = copy

    async def note(self, task: TaskRef) -> None:
        """Mark the task as followed, for the next ``KNOWN_FOR_S`` seconds.

        Raises:
            StorageUnavailable
        """
        await self._storage.command("SET", self._key(task), "1", "PX", int(KNOWN_FOR_S * 1000))

    def pace(self, task: TaskRef) -> TextPace:
        """Return the pace at which a running task's text is to be written."""
        return TextPace(self._copy, self._key(task))

    def _key(self, task: TaskRef) -> str:
        return self._storage.key(task.account_id, "readers", task.task_id)


class TextPace:
    """A context manager: while it is open it watches readers come and go."""

    def __init__(self, copy: StatusCopy, key: str) -> None:
        self._copy = copy
        self._key = key
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._unsure = True
        self._is_read = False
        self._ended = False
        self._written_at = float("-inf")
        self._unread = iter(UNREAD_AFTER_S)
        self._pause_s = next(self._unread)
        self._unwatch: Callable[[], None] = lambda: None

    def __enter__(self) -> TextPace:
        self._unwatch = self._copy.watch(self._key, self._changed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unwatch()

    @property
    def followed(self) -> bool:
        """Whether somebody reads, or may have come since the last look."""
        return self._is_read or self._unsure

    def end(self) -> None:
        """End every wait: there is no more text."""
        self._ended = True
        self._wake.set()

    async def until_wanted(self) -> bool:
        """Wait until the text that came since the last time is to be written; return False when it need not be."""
        while True:
            self._wake.clear()
            is_read = await self._somebody_reads()
            if self._ended:
                return is_read
            left_s = self._written_at + (READ_EVERY_S if is_read else self._pause_s) - self._loop.time()
            if left_s <= 0:
                self._written_at = self._loop.time()
                if not is_read:
                    self._pause_s = next(self._unread, float("inf"))
                return True
            await self._woken(left_s)

    async def _somebody_reads(self) -> bool:
        if self._unsure and not self._ended:
            self._unsure = False
            try:
                self._is_read = await self._copy.read_tracked("GET", self._key) is not None
            except StorageUnavailable:
                self._unsure = True  # it is read again when the link is back
        return self._is_read

    async def _woken(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s if within_s < float("inf") else None):
                await self._wake.wait()
        except TimeoutError:
            return

    def _changed(self) -> None:
        self._unsure = True
        self._wake.set()
