"""Memory that the parts of the load share: the task that each account polls now, and the number of requests sent.

This package maps the file with mmap, ``polls.lua`` with LuaJIT's ffi, so that neither waits for the other.
Refuses to know why a task is polled.

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


class SharedSlots:
    """``count`` slots in the file ``path``, which is created if it is not there."""

    def __init__(self, path: Path, count: int) -> None:
        self.path = path
        self.count = count
        size = SLOT_BYTES * (count + 1)
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)

    @property
    def sent(self) -> float:
        """The number of requests that wrk has sent since ``restart_count``."""
        sent: float = _SENT.unpack_from(self._map, 0)[0]
        return sent

    def clear(self) -> None:
        """Empty every slot."""
        self._map[:] = bytes(len(self._map))

    def restart_count(self) -> None:
        """Count the requests from 0 again."""
        _SENT.pack_into(self._map, 0, 0.0)

    def show(self, slot: int, task_id: str) -> None:
        """Make the account's polls ask for this task from now on."""
        at = SLOT_BYTES * (slot + 1)
        self._map[at + 8 : at + 8 + ID_BYTES] = task_id.encode("ascii")
        changes: int = _COUNT.unpack_from(self._map, at)[0]
        _COUNT.pack_into(self._map, at, changes + 1)  # last: a reader that sees it finds the id in place

    def task(self, slot: int) -> str:
        """Return the task's id, '' while there is none."""
        at = SLOT_BYTES * (slot + 1) + 8
        return self._map[at : at + ID_BYTES].rstrip(b"\0").decode("ascii")

    @property
    def complete(self) -> bool:
        """Whether every account has a task."""
        return all(_COUNT.unpack_from(self._map, SLOT_BYTES * (slot + 1))[0] for slot in range(self.count))
