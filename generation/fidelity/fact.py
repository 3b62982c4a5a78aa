"""A fact as it is compared: what it may be written as, and where it stands. Refuses to know how texts are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

Key = tuple[str, str]  # a sort of value and the value, in its canonical form: ("number", "4.2"), ("time", "1020")
MOST_FACTS = 1_000  # of one text: further ones are left out, so that no text costs more than its length


class Fact(NamedTuple):
    """``text`` is folded; ``ways``: it is kept where all keys of one of them are found."""

    kind: str
    text: str
    start: int
    ways: tuple[tuple[Key, ...], ...]


@dataclass(slots=True)
class Facts:
    """The facts of one text in their order, and every key that something in it is an instance of."""

    found: list[Fact] = field(default_factory=list)
    keys: set[Key] = field(default_factory=set)

    @property
    def full(self) -> bool:
        return len(self.found) >= MOST_FACTS

    def has(self, fact: Fact) -> bool:
        keys = self.keys
        return any(all(key in keys for key in way) for way in fact.ways)

    def add(self, kind: str, text: str, start: int, key: Key) -> None:
        """Add a fact that is kept where its one key is found."""
        if len(self.found) < MOST_FACTS:
            self.found.append(Fact(kind, text, start, ((key,),)))
            self.keys.add(key)

    def add_any(self, fact: Fact, offered: tuple[Key, ...]) -> None:
        """Add a fact with several ways to keep it; what it offers to other texts is not always what it wants."""
        if len(self.found) < MOST_FACTS:
            self.found.append(fact)
            self.keys.update(offered)
