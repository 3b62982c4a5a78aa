"""The facts of an answer under the names that the draft's have: 17:30 in the answer is the draft's 5:30 pm.

Refuses to know where facts stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from generation.fidelity.fact import Fact, Facts, Key

FIGURES = frozenset({"number", "amount", "time"})  # 5 may be 5:00 and 5 €


def matched(draft: Facts, answer: Facts) -> list[Fact]:
    """Return the answer's facts, each with the first key of the one draft's fact whose value it has."""
    wanted: dict[Key, set[Key]] = {}
    for fact in draft.found:
        for way in fact.ways:
            if len(way) == 1:
                wanted.setdefault(way[0], set()).add(fact.ways[0][0])
    kinds = {fact.ways[0][0]: fact.kind for fact in draft.found}
    return [_named(fact, answer.offered(fact), wanted, kinds) for fact in answer.found]


def _named(fact: Fact, offered: Sequence[Key], wanted: dict[Key, set[Key]], kinds: dict[Key, str]) -> Fact:
    own = fact.ways[0][0]
    if own in kinds:
        return fact
    names = {name for key in offered for name in wanted.get(key, ()) if _may_be(fact.kind, kinds[name])}
    if len(names) > 1:
        names = {name for name in names if kinds[name] == fact.kind}
    if len(names) != 1:
        return fact
    return fact._replace(ways=((names.pop(),), *fact.ways))


def _may_be(kind: str, other: str) -> bool:
    return kind == other or (kind in FIGURES and other in FIGURES)


def apart(facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts in the order of their text, without those that stand inside of others."""
    found: list[Fact] = []
    end = -1
    for fact in sorted(facts, key=lambda fact: fact.start):
        if fact.start >= end:
            found.append(fact)
            end = fact.start + len(fact.text)
    return found
