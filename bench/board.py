"""A page of memory that the load's parts share: which task each account polls now, and how many requests went out.

A file that this package maps with mmap and ``polls.lua`` with LuaJIT's ffi, so that neither waits for the other.
Refuses to know why a task is shown.

Layout, little endian: bytes 0 to 7 requests sent (double); from byte 64 on a slot of 64 bytes for each account:
bytes 0 to 3 how often the slot changed, bytes 8 to 43 the task's id in ASCII.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

SLOT_BYTES = 64
ID_BYTES = 36
_COUNT = struct.Struct("<I")
_SENT = struct.Struct("<d")


class Board:
    """The board in ``path``, made with ``slots`` if it is not there."""

    def __init__(self, path: Path, slots: int) -> None:
        self.path = path
        self.slots = slots
        size = SLOT_BYTES * (slots + 1)
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)

    @property
    def sent(self) -> float:
        """How many requests wrk has sent since it started."""
        sent: float = _SENT.unpack_from(self._map, 0)[0]
        return sent

    def clear(self) -> None:
        """Show no task."""
        self._map[:] = bytes(len(self._map))

    def count_from_nought(self) -> None:
        """Forget the requests that were sent."""
        _SENT.pack_into(self._map, 0, 0.0)

    def show(self, slot: int, task_id: str) -> None:
        """Have the account's polls ask for this task from now on."""
        at = SLOT_BYTES * (slot + 1)
        self._map[at + 8 : at + 8 + ID_BYTES] = task_id.encode("ascii")
        changes: int = _COUNT.unpack_from(self._map, at)[0]
        _COUNT.pack_into(self._map, at, changes + 1)  # last: whoever sees it finds the id in place

    def task(self, slot: int) -> str:
        """Return the task's id, '' when none was shown yet."""
        at = SLOT_BYTES * (slot + 1) + 8
        return self._map[at : at + ID_BYTES].rstrip(b"\0").decode("ascii")

    @property
    def complete(self) -> bool:
        """Whether every account has a task."""
        return all(_COUNT.unpack_from(self._map, SLOT_BYTES * (slot + 1))[0] for slot in range(self.slots))
