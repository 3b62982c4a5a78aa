"""The last hour of the whole service, summed over the reports of its processes, of ended ones too.

The time is Redis' own, not that of the processes' machines. Refuses to know how it is shown.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from generation.last_hour import BOUNDS, MINUTES, OUTCOMES, Minute
from generation.process_notes import Note
from storage.errors import UNREADABLE


def last_hour(now_ms: int, notes: Iterable[Note]) -> dict[str, Any]:
    """Return sixty minutes, the oldest first and the present one last, and how long the hour's tasks took."""
    present = now_ms // 60_000
    minutes = {number: Minute() for number in range(present - MINUTES + 1, present + 1)}
    for note in notes:
        with contextlib.suppress(*UNREADABLE, AttributeError):  # what a process did not say
            last = min(present, round((note.at_ms - 1000 * note.said["into_s"]) / 60_000))
            for told in note.said["minutes"]:
                number = last - told["ago"]
                if number in minutes:
                    _add(minutes[number], told)
    every = minutes.values()
    return {
        "minutes": [_shown(number, minute) for number, minute in minutes.items()],
        "seconds_to_result": _by_bound(minute.results for minute in every),
        "seconds_to_first_text": _by_bound(minute.first_texts for minute in every),
    }


def _add(minute: Minute, told: dict[str, Any]) -> None:
    minute.ended.update(told["ended"])
    minute.results.update(told["results"])
    minute.first_texts.update(told["first_texts"])
    minute.slowest_s = max(minute.slowest_s, told["slowest_s"])


def _shown(number: int, minute: Minute) -> dict[str, Any]:
    at = datetime.fromtimestamp(number * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"at": at, **{name: minute.ended[name] for name in OUTCOMES}, "slowest_s": minute.slowest_s}


def _by_bound(counts: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return {bound: total[bound] for bound in BOUNDS}
