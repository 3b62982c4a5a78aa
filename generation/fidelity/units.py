"""The words for what numbers count, as far as two of them may be one: min and minutes, Tag and Tagen.

Refuses to know facts.
"""

from __future__ import annotations

ALIKE = 3  # letters at the beginning of two words that may be one unit


class Units:
    """What the facts with one value count, each once: words that begin alike may be one unit."""

    def __init__(self) -> None:
        self.count = 0
        self._starts: set[str] = set()  # three letters of each; all of a shorter one
        self._shorter: set[str] = set()  # one letter of each, and two

    def __contains__(self, unit: str) -> bool:
        if not unit:
            return "" in self._starts
        short = len(unit) < ALIKE and unit in self._shorter
        return short or any(unit[:length] in self._starts for length in range(1, ALIKE + 1))

    def add(self, unit: str) -> None:
        self.count += 1
        self._starts.add(unit[:ALIKE])
        self._shorter |= {unit[:length] for length in range(1, ALIKE)} if unit else set()
