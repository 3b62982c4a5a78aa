"""When a generation is expected to end, from how long the last ones of the same model took.

Four of five generations end before the forecast. If the durations to come are like those measured, the k-th shortest of
n is not exceeded with probability k / (n + 1): that k is taken which brings this nearest to 0.8. Below ``KNOWN_FROM``
durations it may miss by more than 0.05, and nothing is said. Refuses to know clocks and documents.
"""

from __future__ import annotations

from collections import deque

SHARE = 0.8
KNOWN_FROM = 10
REMEMBERED = 200


class Forecast:
    """Of one model, as one process has met it. Durations are in seconds, from stage 50 to the end."""

    def __init__(self) -> None:
        self._durations: deque[float] = deque(maxlen=REMEMBERED)

    def ended(self, duration_s: float) -> None:
        """Note how long a generation took that ended by itself, with an answer or without."""
        self._durations.append(duration_s)

    def duration_s(self) -> float | None:
        """Return the duration that four of five generations do not exceed; None while too few were measured."""
        known = len(self._durations)
        if known < KNOWN_FROM:
            return None
        return sorted(self._durations)[round(SHARE * (known + 1)) - 1]
