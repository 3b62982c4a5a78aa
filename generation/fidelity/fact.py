"""A fact as it is compared: what it may be written as, and where it stands. Refuses to know how texts are read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from generation.fidelity.units import Units

Key = tuple[str, str]  # a sort of value and the value, in its canonical form: ("number", "4.2"), ("time", "1020")
BESIDE = 12  # characters on each side of a fact
MOST_FACTS = 500  # of one text: further ones are left out, so that no text costs more than its length


class Fact(NamedTuple):
    """``text`` is folded; ``ways``: it is kept where all keys of one of them are found.

    ``beside``: what stands before and behind it in its line, to find it where others read the same; '' while unasked.
    """

    kind: str
    text: str
    start: int
    ways: tuple[tuple[Key, ...], ...]
    beside: tuple[str, str] = ("", "")

    def with_beside(self, text: str) -> Fact:
        """Return the fact with what stands beside it in its line of a text."""
        end = self.start + len(self.text)
        before = text[max(0, self.start - BESIDE) : self.start].rpartition("\n")[2]
        return self._replace(beside=(before, text[end : end + BESIDE].partition("\n")[0]))


@dataclass(slots=True)
class Facts:
    """The facts of one text in their order, and how many of them offer each key.

    ``others``: what is said elsewhere and counts as well. ``units``: see counting.py, which fills it.
    """

    text: str = ""
    found: list[Fact] = field(default_factory=list)
    keys: Counter[Key] = field(default_factory=Counter)
    others: list[Facts] = field(default_factory=list)
    units: dict[Key, Units] = field(default_factory=dict)
    _offered: list[tuple[Fact, Sequence[Key]]] = field(default_factory=list)
    _offering: dict[Key, list[Fact]] | None = None
    _offers: dict[tuple[str, int], Sequence[Key]] | None = None

    @property
    def full(self) -> bool:
        return len(self.found) >= MOST_FACTS

    def has(self, fact: Fact) -> bool:
        keys = self.keys
        for way in fact.ways:  # most ways have one key: a loop of its own is half of what any() and all() cost
            for key in way:
                if key not in keys:
                    break
            else:
                return True
        return False

    def offering(self, key: Key) -> Sequence[Fact]:
        """Return the facts made of figures that offer a key; of the others' none."""
        if self._offering is None:
            self._offering = defaultdict(list)
            for fact, keys in self._offered:
                for each in keys:
                    self._offering[each].append(fact)
        return self._offering.get(key, ())

    def offered(self, fact: Fact) -> Sequence[Key]:
        """Return the keys that one of these facts offers to another text."""
        if self._offers is None:
            self._offers = {(each.kind, each.start): keys for each, keys in self._offered}
        return self._offers.get((fact.kind, fact.start)) or fact.ways[0]

    def count_in(self, other: Facts) -> None:
        """Count what another text says as if it stood here too."""
        self.keys += other.keys
        self.others.append(other)
        self.units.clear()

    def add(self, kind: str, text: str, start: int, key: Key) -> None:
        """Add a fact that is kept where its one key is found."""
        if len(self.found) < MOST_FACTS:
            self.found.append(Fact(kind, text, start, ((key,),)))
            self.keys[key] += 1

    def add_any(self, fact: Fact, offered: tuple[Key, ...]) -> None:
        """Add a fact with several ways to keep it; what it offers to other texts is not always what it wants."""
        if len(self.found) < MOST_FACTS:
            self.found.append(fact)
            self._offered.append((fact, offered))
            for key in offered:
                self.keys[key] += 1
