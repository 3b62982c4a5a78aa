"""The latest report of each process: one hash in Redis, one field a process.

For people to read; nothing is decided by it. Refuses to know what a report holds.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import Any

from storage.errors import UNREADABLE, StorageUnavailable
from storage.storage import Storage


@dataclass(frozen=True, slots=True)
class Note:
    """The latest report of a process; ``at_ms`` is of Redis' clock, ``said`` any JSON."""

    process: str
    at_ms: int
    said: Any


class ProcessNotes:
    """The reports of one name; each is kept for ``kept_s``."""

    def __init__(self, storage: Storage, name: str, kept_s: float) -> None:
        self._storage = storage
        self._key = storage.shared_key(name, "{00}")
        self._kept_ms = int(kept_s * 1000)

    async def say(self, process: str, said: Any) -> None:
        """Replace the process' report.

        Raises:
            StorageUnavailable
        """
        text = json.dumps(said, separators=(",", ":"))
        await self._storage.run("note_process", [self._key], [process, text, self._kept_ms])

    async def say_if_possible(self, process: str, said: Any) -> bool:
        """Replace the process' report if Redis answers; return whether it did."""
        try:
            await self.say(process, said)
        except StorageUnavailable:
            return False
        return True

    async def take_back(self, process: str) -> None:
        """Delete the process' report, if Redis answers."""
        with contextlib.suppress(StorageUnavailable):
            await self._storage.command("HDEL", self._key, process)

    async def said_within(self, within_s: float) -> tuple[int, list[Note]]:
        """Return the time in ms of Redis' clock, and the readable reports of the last ``within_s`` seconds.

        Raises:
            StorageUnavailable
        """
        now_ms, *found = await self._storage.run("list_processes", [self._key], [int(within_s * 1000)])
        notes = []
        for process, at_ms, text in found:
            with contextlib.suppress(*UNREADABLE):  # what a process did not say: it is forgotten in its time
                notes.append(Note(str(process, "ascii"), at_ms, json.loads(text)))
        return now_ms, notes
