"""The last tasks that failed or fell back: when, and with which code. Refuses to know whose they were and what for."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

KEPT = 20


@dataclass(frozen=True, slots=True)
class RecentFailure:
    """``at_ms`` is of the wall clock; ``outcome``: failed | fallback."""

    at_ms: int
    outcome: str
    error_code: str


class RecentFailures:
    """Those of this process; what a user cancelled is no failure."""

    def __init__(self) -> None:
        self._latest: deque[RecentFailure] = deque(maxlen=KEPT)

    def note(self, outcome: str, error_code: str) -> None:
        self._latest.append(RecentFailure(int(time.time() * 1000), outcome, error_code))

    def latest(self) -> list[RecentFailure]:
        """Return up to twenty, the oldest first."""
        return list(self._latest)
