"""Values that stand for several facts: where a draft has "3 months" and "3 rooms", one 3 in the answer is not both.

Refuses to know how facts are found.
"""
# ruff: noqa: RUF001  # words of many languages

from __future__ import annotations

import re

from generation.fidelity.fact import Fact, Facts, Key
from generation.fidelity.languages import SPOKEN_IN
from generation.fidelity.number_words import has_number_word

COUNTED = frozenset({"number", "amount", "time"})
UNIT = re.compile(r"[ -]?([%°]|[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+)")
PERCENT_BEFORE = re.compile(r"% ?$")
# fmt: off
NO_UNIT = frozenset({
    "到", "至", "から", "の", "は", "を", "と", "で", "に", "и", "до", "по", "و", "تا", "إلى", "حتى", "או", "עד", "ו",
    "और", "से", "तक", "या",
})
# fmt: on
MOST_UNITS = 20  # of one value
ALIKE = 3  # letters at the beginning of two words that may be one unit: min and minutes, Tag and Tagen


def short_of(fact: Fact, draft: Facts, answer: Facts, answer_text: str) -> bool:
    """Say whether the answer has the fact's value for other facts of the draft alone."""
    if fact.kind not in COUNTED:
        return False
    key = next((way[0] for way in fact.ways if len(way) == 1 and way[0] in answer.keys), None)
    if key is None or answer.keys[key] > draft.keys[key]:
        return False
    own, wanted = _unit(fact, draft.text), _units(key, draft)
    count = len(wanted) + (not _among(own, wanted))
    if answer.keys[key] >= count or _among(own, _units(key, answer)):
        return False
    return not has_number_word(fact, answer_text)


def _units(key: Key, facts: Facts) -> list[str]:
    """Return what the facts count that offer a key, each once."""
    units = facts.units.get(key)
    if units is None:
        units = facts.units[key] = []
        for part in (facts, *facts.others):
            for fact in part.offering(key):
                if not _among(unit := _unit(fact, part.text), units) and len(units) < MOST_UNITS:
                    units.append(unit)
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
    unit = found[1].casefold() if found else ""
    return "" if unit in NO_UNIT or unit in SPOKEN_IN else unit


def _among(unit: str, units: list[str]) -> bool:
    return any(unit == other or (unit and other and _alike(unit, other)) for other in units)


def _alike(one: str, other: str) -> bool:
    length = min(ALIKE, len(one), len(other))
    return one[:length] == other[:length]
