"""The circuit breaker: after failures in a row nobody is asked for a while, then one probe is sent.

Refuses to know what failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from generation.gemini.errors import CircuitOpen


class Breaker:
    """``state``: closed (all may pass), open (none), probing (one is on its way and decides)."""

    def __init__(self, failures: int, open_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._open_until = float("-inf")
        self._probing = False

    @property
    def state(self) -> str:
        if self._probing:
            return "probing"
        return "open" if self._failures >= self._most and self._clock() < self._open_until else "closed"

    def enter(self) -> None:
        """Let one call pass; it must report with ``succeeded``, ``failed`` or ``left``.

        Raises:
            CircuitOpen
        """
        if self._failures < self._most:
            return
        if self._probing or self._clock() < self._open_until:
            raise CircuitOpen(open_for_s=round(max(0.0, self._open_until - self._clock()), 1))
        self._probing = True

    def succeeded(self) -> None:
        self._failures = 0
        self._probing = False

    def failed(self) -> None:
        self._failures += 1
        self._probing = False
        if self._failures >= self._most:
            self._open_until = self._clock() + self._open_s

    def left(self) -> None:
        """The call ended without saying anything about the other side: a cancelled probe makes room for the next."""
        self._probing = False
