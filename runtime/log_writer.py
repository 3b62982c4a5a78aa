"""Writes log lines to a file descriptor from a thread of its own, so that an unread pipe blocks nothing else.

An unread pipe takes 64 KiB and then blocks its writer: without this module, the event loop. Lines that find no room
in memory are dropped and counted. Refuses to know what a line says.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable

MAX_CHARACTERS = 4_000_000  # that wait to be written
GATHER_S = 0.02  # lines of this time are written together: waking a thread for each costs more than the line


class LogWriter:
    """Takes lines from any thread. ``dropped`` counts those that were never written.

    ``say_dropped`` renders a line that says how many were dropped; it is written when lines are taken again. A file
    object would not do: the interpreter aborts when it ends while a thread holds one's lock.
    """

    def __init__(self, descriptor: int, say_dropped: Callable[[int], str]) -> None:
        self._descriptor = descriptor
        self._say_dropped = say_dropped
        self._lines: deque[str] = deque()
        self._waiting = 0  # characters in the lines, and in those that are being written
        self._unsaid = 0
        self._idle = False  # the thread waits for a line
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def write(self, line: str) -> None:
        """Queue a line; drop it when too much is waiting."""
        with self._changed:
            if self._waiting + len(line) > MAX_CHARACTERS:
                self.dropped += 1
                self._unsaid += 1
                return
            self._waiting += len(line)
            self._lines.append(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="log writer", daemon=True)
                self._thread.start()
            if self._idle:
                self._idle = False
                self._changed.notify_all()

    def flush(self, within_s: float) -> bool:
        """Wait until all lines are written; return False when the time runs out first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, within_s)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._idle = not self._lines
                self._changed.wait_for(lambda: bool(self._lines))
            time.sleep(GATHER_S)
            with self._changed:
                text = "".join(self._lines)
                self._lines.clear()
                unsaid, self._unsaid = self._unsaid, 0
            self._write_text(text + (self._say_dropped(unsaid) if unsaid else ""))
            with self._changed:
                self._waiting -= len(text)
                self._changed.notify_all()

    def _write_text(self, text: str) -> None:
        data = memoryview(text.encode("utf-8", "backslashreplace"))
        with contextlib.suppress(OSError):  # a full disk or a closed pipe: there is no other place to report it
            while data:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:  # the parent process set the descriptor non-blocking
                    select.select([], [self._descriptor], [])
