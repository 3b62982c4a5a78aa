"""Counts the tasks of this process that ended in the last hour, by the minute and by duration.

Minutes are measured on the monotonic clock and reported by their age: setting a clock neither loses nor moves any. They
begin with those of the wall clock, as far as it was right at the start. Refuses to know the other processes.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runtime.metrics import TASK_BUCKETS_S

MINUTES = 60
OUTCOMES = ("completed", "fallback", "failed", "cancelled")
BOUNDS = (*(f"{bound:g}" for bound in TASK_BUCKETS_S), "more")  # s, the largest that still counts
RESULTS = {"completed", "fallback"}


@dataclass(slots=True)
class Minute:
    """``results`` and ``first_texts``: tasks by how long they took, names from ``BOUNDS``; ``slowest_s`` of results."""

    ended: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    first_texts: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0


class LastHour:
    """At most sixty minutes, those without an event left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ahead_s = wall() % 60 - clock() % 60
        self._minutes: dict[int, Minute] = {}
        self.changed = False  # since it was last reported

    def task_ended(self, outcome: str, seconds: float) -> None:
        """``outcome`` is one of ``OUTCOMES``; ``seconds`` since the submit."""
        minute = self._minute()
        minute.ended[outcome] += 1
        if outcome in RESULTS:
            minute.results[_bound(seconds)] += 1
            minute.slowest_s = max(minute.slowest_s, seconds)

    def first_text(self, seconds: float) -> None:
        self._minute().first_texts[_bound(seconds)] += 1

    def told(self) -> dict[str, Any]:
        """Return it for JSON: how far the present minute has come, and each minute by how many minutes ago it was."""
        now, into_s = divmod(self._clock() + self._ahead_s, 60)
        self.changed = False
        return {
            "into_s": round(into_s, 3),
            "minutes": [
                {
                    "ago": int(now) - number,
                    "ended": minute.ended,
                    "results": minute.results,
                    "first_texts": minute.first_texts,
                    "slowest_s": round(minute.slowest_s, 1),
                }
                for number, minute in self._minutes.items()
                if number > now - MINUTES
            ],
        }

    def _minute(self) -> Minute:
        self.changed = True
        number = int((self._clock() + self._ahead_s) // 60)
        if number not in self._minutes:
            self._minutes = {each: kept for each, kept in self._minutes.items() if each > number - MINUTES}
            self._minutes[number] = Minute()
        return self._minutes[number]


def _bound(seconds: float) -> str:
    return BOUNDS[bisect_left(TASK_BUCKETS_S, seconds)]
