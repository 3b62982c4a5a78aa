"""Ranges whose ends changed places: "9:00 to 17:30" told as "17:30 to 9:00", or the ends of two of them.

Refuses to know what else stands around a fact. Pure; linear in the number of facts.
"""
# ruff: noqa: E501, RUF001  # words of many languages

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from generation.fidelity.fact import Fact, Key
from generation.fidelity.surroundings import UNITS
from generation.fidelity.times import PART_OF_DAY

Range = tuple[Key, Key]

ENDS = frozenset({"time", "date", "number", "amount"})
MOST_RANGES = 8  # with one fact in them
MOST_WAYS = 4  # to read one end
REACH = 30  # characters between the ends of a range
VOWELS = re.compile(r"[\u064b-\u0652]")
TOKEN = re.compile(r"から|[\u3040-\u30ff\u3400-\u9fff]|[\u0900-\u0963]+|[^\W\d_]+|[^\s\w]")
# fmt: off
BETWEEN = frozenset({
    "-", "~", "to", "through", "thru", "until", "till", "bis", "a", "à", "às", "al", "au", "aux", "ao", "as", "até", "hasta", "jusqu",
    "до", "по", "إلى", "الى", "حتى", "تا", "עד", "ל", "से", "तक", "到", "至", "から", "dan", "den", "tan", "ten", "ile", "ila",
})
BESIDE = frozenset({
    "the", "las", "la", "los", "les", "le", "o", "os", "zum", "zu", "um", "'", "*", ".", "o'clock", "em", "en", "du", "de", "del", "el", "al", "der", "den", "am", "at", "в", "с", "on",
})
# fmt: on


def exchanged_ends(draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str) -> set[Key]:
    """Return the ends of the draft's ranges, and what else is in their places, where an exchange explains the answer's.

    Two facts are exchanged where every range of the draft with one of them is in the answer with the other instead.
    """
    ours = set(_ranges(draft, draft_text))
    theirs = set(_ranges(answer, answer_text)) if ours else set()
    if not theirs:
        return set()
    known = {fact.ways[0][0] for fact in draft}
    ranges_of: dict[Key, list[Range]] = defaultdict(list)
    for each in ours:
        for key in each:
            ranges_of[key].append(each)
    starts, ends = _others(theirs)
    moved: set[Key] = set()
    untold = ours - theirs
    for begin, end in untold - set(_all_ranges(answer, answer_text)) if untold else ():
        pairs = [(begin, key) for key in (end, *starts.get(end, ())[:MOST_RANGES])]
        pairs += [(end, key) for key in ends.get(begin, ())[:MOST_RANGES]]
        for first, second in pairs:
            touched = {*ranges_of.get(first, ()), *ranges_of.get(second, ())}
            if (
                second in known
                and len(touched) <= MOST_RANGES
                and touched.isdisjoint(theirs)
                and _with(touched, first, second) <= theirs
            ):
                moved |= {first, second}
    return moved


def _others(ranges: set[Range]) -> tuple[dict[Key, list[Key]], dict[Key, list[Key]]]:
    """Return what ranges begin with by their ends, and what they end with by their beginnings."""
    starts: dict[Key, list[Key]] = defaultdict(list)
    ends: dict[Key, list[Key]] = defaultdict(list)
    for begin, end in ranges:
        starts[end].append(begin)
        ends[begin].append(end)
    return starts, ends


def _with(ranges: set[Range], first: Key, second: Key) -> set[Range]:
    """Return the ranges with two facts exchanged."""
    other = {first: second, second: first}
    return {(other.get(begin, begin), other.get(end, end)) for begin, end in ranges}


def _ranges(facts: Sequence[Fact], text: str) -> Iterator[Range]:
    return ((first.ways[0][0], second.ways[0][0]) for first, second in _pairs(facts, text))


def _pairs(facts: Sequence[Fact], text: str) -> Iterator[tuple[Fact, Fact]]:
    for first, second in pairwise(facts):
        begin = first.start + len(first.text)
        near = 0 <= second.start - begin <= REACH
        if near and first.kind in ENDS and second.kind in ENDS and joins(text[begin : second.start]):
            yield first, second


def _all_ranges(facts: Sequence[Fact], text: str) -> Iterator[Range]:
    """Return the ranges with whatever their ends may be: "10 to 20" is as well 10:00 to 20:00."""
    for first, second in _pairs(facts, text):
        for way in first.ways[:MOST_WAYS]:
            yield from ((way[0], other[0]) for other in second.ways[:MOST_WAYS])


def joins(between: str) -> bool:
    """Say whether what stands between two facts makes them the ends of a range."""
    if "\n" in between:
        return False
    if BETWEEN.isdisjoint(TOKEN.findall(between.casefold())):
        return False  # quickly told, and most are none
    words = TOKEN.findall(VOWELS.sub("", PART_OF_DAY.sub(" ", between)).casefold())
    return any(word in BETWEEN for word in words) and all(
        word in BETWEEN or word in BESIDE or word in UNITS for word in words
    )
