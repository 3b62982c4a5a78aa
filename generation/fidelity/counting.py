"""Values that stand for several facts: where a draft has "3 months" and "3 rooms", one 3 in the answer is not both.

Refuses to know how facts are found.
"""
# ruff: noqa: RUF001  # words of many languages

from __future__ import annotations

import re

from generation.fidelity.fact import Fact, Facts, Key
from generation.fidelity.languages import SPOKEN_IN
from generation.fidelity.number_words import NumberWords
from generation.fidelity.places import CONJUNCTIONS
from generation.fidelity.times import half_told
from generation.fidelity.units import Units

COUNTED = frozenset({"number", "amount", "time"})
UNIT = re.compile(r"[ -]?([%°]|[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+)")
PERCENT_BEFORE = re.compile(r"% ?$")
# fmt: off
NO_UNIT = frozenset({
    "到", "至", "から", "の", "は", "を", "と", "で", "に", "и", "до", "по", "و", "تا", "إلى", "حتى", "או", "עד", "ו",
    "और", "से", "तक", "या",
})
# fmt: on
LISTED = re.compile(rf"(?:(?:, ?| )(?:(?:{'|'.join(sorted(CONJUNCTIONS | NO_UNIT))}) )?\d{{1,9}}){{1,8}}")
MOST_UNITS = 20  # of one value


def short_of(fact: Fact, draft: Facts, answer: Facts, in_words: NumberWords) -> bool:
    """Say whether the answer has the fact's value for other facts of the draft alone."""
    if fact.kind not in COUNTED:
        return False
    keys = [way[0] for way in fact.ways if len(way) == 1 and way[0] in answer.keys]
    if not keys or not all(_is_short(key, fact, draft, answer) for key in keys):
        return False
    return not in_words.have(fact)


def at_another_time(fact: Fact, draft: Facts, answer: Facts) -> bool:
    """Say whether the answer tells a time in the other half of the day alone: 7 in the evening for 7 in the morning."""
    half = half_told(fact, draft.text)
    if not half:
        return False
    halves = {
        half_told(other, part.text)
        for way in fact.ways
        for part in (answer, *answer.others)
        for other in part.offering(way[0])
    }
    return bool(halves) and halves.isdisjoint({half, ""})


def _is_short(key: Key, fact: Fact, draft: Facts, answer: Facts) -> bool:
    if answer.keys[key] > draft.keys[key]:
        return False
    own, wanted = _unit(fact, draft.text), _units(key, draft)
    count = wanted.count + (own not in wanted)
    return answer.keys[key] < count and own not in _units(key, answer)


def _units(key: Key, facts: Facts) -> Units:
    """Return what the facts count that offer a key, each once."""
    units = facts.units.get(key)
    if units is None:
        units = facts.units[key] = Units()
        for part in (facts, *facts.others):
            for fact in part.offering(key):
                if units.count < MOST_UNITS and (unit := _unit(fact, part.text)) not in units:
                    units.add(unit)
    return units


def _unit(fact: Fact, text: str) -> str:
    """Return what a fact counts: a currency, a kind of its own, or the word behind it; '' for nothing that is said."""
    if fact.kind == "amount":
        return fact.ways[0][0][0]
    if fact.kind != "number":
        return fact.kind
    if PERCENT_BEFORE.search(text[max(0, fact.start - 2) : fact.start]):
        return "%"
    found = UNIT.match(text, fact.start + len(fact.text))
    if found is None or found[1].casefold() in NO_UNIT:
        listed = LISTED.match(text, fact.start + len(fact.text))  # 10, 15 and 20 cm
        found = UNIT.match(text, listed.end()) if listed else found
    unit = found[1].casefold() if found else ""
    return "" if unit in NO_UNIT or unit in SPOKEN_IN else unit
