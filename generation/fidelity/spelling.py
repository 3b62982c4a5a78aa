"""Folded facts found again in the text as it was written, and the sentences that carry them.

Refuses to know how texts are compared.
"""
# ruff: noqa: RUF001, E501  # signs of many scripts

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from generation.fidelity.fact import BESIDE, Fact
from generation.fidelity.folding import fold
from generation.fidelity.languages import WEIGHTS
from generation.fidelity.numbers import CURRENCY_AFTER, MULTIPLIER

MOST_NAMED = 30  # facts that a document names; the rest are only counted
LONGEST_NAME = 300  # characters of one of them
SENTENCE = re.compile(r"\n|(?<=[^\d\s][.!?;؟।]) |(?<=[。！？])|(?<=\d\.) (?=[^\W\d_])")
SIGN_BEFORE = re.compile(r"(?:[A-Z]{0,2}[$€£¥₹₺₪₽₩]|\b(?:USD|EUR|GBP|ISK|CHF|TL|Rs\.?|AED|SAR)) ?$")
MOST_SEARCHES = 100  # of the whole text for a fact with what stood beside it; then the fact alone will do
NEAR = 2_000  # characters in which the next fact is looked for first
LONGEST_SIGN_BEFORE = 8  # characters, with what must not be a part of it
SIGN_AFTER = re.compile(r" ?(?:[%٪‰]|[ap]\.?m\.?\b|uhr\b|h(?:\d\d)?\b|[点點时時分시])", re.IGNORECASE)
UNIT_AFTER = re.compile(r" ([^\W\d_]{2,14})\b(?! ?\d)")
SEPARATOR = "\x1e"
LONGEST_SIGN = 6  # characters that are one when they are folded, as in "&amp;"
LONGEST_PIECE = 200  # characters of a sentence that are folded at once
PIECE = re.compile(rf"\S{{1,{LONGEST_PIECE // 2}}}\s{{0,{LONGEST_PIECE // 2}}}|\s{{1,{LONGEST_PIECE}}}")
BETWEEN = re.compile(r" ?(?:[-\u2010-\u2015\u2212~\u301c\uff5e/]|a|à|às|to|bis|до|تا|إلى|到|至|から|עד|से) ?")


@dataclass(slots=True)
class _Place:
    sentence: int
    begin: int
    end: int


class Written:
    """One text, split into sentences, in which folded facts are looked for."""

    def __init__(self, text: str) -> None:
        self._sentences = [sentence for sentence in SENTENCE.split(text) if sentence.strip()]
        self._folded = _folded(self._sentences)
        self._joined = "\n".join(self._folded)
        self._starts = [0, *accumulate(len(folded) + 1 for folded in self._folded)]
        self._unfoldings: dict[int, _Unfolding] = {}
        self._searches = 0

    def names(self, facts: Iterable[Fact]) -> list[str]:
        """Return the facts as they are written, with their signs and units, in the order of the text."""
        places, others = [], []
        for fact in list(facts)[:MOST_NAMED]:
            place = self._place(fact)
            if place is None:
                others.append(fact.text[:LONGEST_NAME])
            else:
                places.append(self._widened(fact, place))
        places.sort(key=lambda place: (place.sentence, place.begin))
        merged: list[_Place] = []
        for place in places:
            last = merged[-1] if merged else None
            if last and last.sentence == place.sentence and self._touch(last, place):
                last.end = max(last.end, place.end)
            else:
                merged.append(place)
        named = [self._sentences[place.sentence][place.begin : place.end].strip()[:LONGEST_NAME] for place in merged]
        return list(dict.fromkeys([*named, *others]))

    def sentences(self, facts: Iterable[Fact]) -> list[str]:
        """Return the sentences that carry the facts, each once, in the order of the text; code that has lines, whole."""
        wanted: set[int] = set()
        blocks: list[str] = []
        at = 0
        for fact in sorted(facts, key=lambda fact: fact.start):
            at = self._find(fact, max(at, 0))
            if at < 0:
                at = self._joined.find(fact.text)
            if at >= 0:
                wanted.add(self._number(at))
            else:
                blocks.append(fact.text)
        return [self._sentences[at].strip() for at in sorted(wanted)] + list(dict.fromkeys(blocks))

    def _find(self, fact: Fact, after: int = 0) -> int:
        """Return where a fact stands in the folded sentences, with as much as there is of what stood beside it; -1: nowhere.

        ``after`` is where it is looked for first.
        """
        before, behind = fact.beside
        sides = [(left, right) for left, right in ((before, behind), (before, ""), ("", behind)) if left or right]
        near = (max(0, after - BESIDE), after + NEAR) if after else None
        for begin, end in [near, (0, None)] if near else [(0, None)]:
            self._searches += end is None
            if end is None and self._searches > MOST_SEARCHES:
                break
            for left, right in sides:
                at = self._joined.find(f"{left}{fact.text}{right}", begin, end)
                if at >= 0:
                    return at + len(left)
        return _whole(fact.text, self._joined)

    def _number(self, at: int) -> int:
        return bisect_right(self._starts, at) - 1

    def _place(self, fact: Fact) -> _Place | None:
        at = self._find(fact)
        if at < 0 or "\n" in fact.text:
            return None
        number = self._number(at)
        begin = at - self._starts[number]
        return _Place(number, *self._unfolded(number, begin, begin + len(fact.text)))

    def _unfolded(self, number: int, begin: int, end: int) -> tuple[int, int]:
        sentence = self._sentences[number]
        if sentence == self._folded[number]:
            return begin, end
        if number not in self._unfoldings:
            self._unfoldings[number] = _Unfolding(sentence)
        return self._unfoldings[number].span(begin, end)

    def _touch(self, first: _Place, second: _Place) -> bool:
        between = self._sentences[first.sentence][first.end : second.begin]
        return second.begin <= first.end or BETWEEN.fullmatch(between) is not None

    def _widened(self, fact: Fact, place: _Place) -> _Place:
        sentence = self._sentences[place.sentence]
        if fact.kind in ("amount", "number", "time"):
            floor = max(0, place.begin - LONGEST_SIGN_BEFORE)
            if sign := SIGN_BEFORE.search(sentence[floor : place.begin]):
                place.begin = floor + sign.start()
            for following in (MULTIPLIER, CURRENCY_AFTER, SIGN_AFTER):
                if found := following.match(sentence, place.end):
                    place.end = found.end()
            if (
                fact.kind == "number"
                and (unit := UNIT_AFTER.match(sentence, place.end))
                and unit[1].lower() not in WEIGHTS
            ):
                place.end = unit.end()
        return place


def _whole(text: str, folded: str) -> int:
    """Return where the text stands by itself in the sentence, not inside a longer number; -1: nowhere."""
    at = folded.find(text)
    while at >= 0:
        before, after = folded[at - 1 : at], folded[at + len(text) : at + len(text) + 1]
        if not (text[:1].isdigit() and before.isdigit()) and not (text[-1:].isdigit() and after.isdigit()):
            return at
        at = folded.find(text, at + 1)
    return -1


def _folded(sentences: list[str]) -> list[str]:
    """Fold each sentence, all in one go: what a fold makes is never the sign between them."""
    folded = fold(SEPARATOR.join(sentences)).split(SEPARATOR)
    return folded if len(folded) == len(sentences) else [fold(sentence) for sentence in sentences]


class _Unfolding:
    """A sentence and how long its pieces are when they are folded."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        pieces = PIECE.findall(sentence)
        self._starts = [0, *accumulate(map(len, pieces))]
        self._folded_starts = [0, *accumulate(len(fold(piece)) for piece in pieces)]

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Return from where to where that is written which stands there in the folded sentence."""
        number = max(0, min(bisect_right(self._folded_starts, begin), len(self._starts) - 1) - 1)
        start, before = self._starts[number], self._folded_starts[number]
        sizes = _Lengths(self._sentence[start : start + LONGEST_PIECE + LONGEST_SIGN * (end - begin)])
        first, behind = bisect_right(sizes, begin - before) - 1, bisect_left(sizes, end - before)
        return start + max(0, first), min(start + behind, len(self._sentence))


class _Lengths:
    """How long a text's beginnings are when they are folded; looked up, not stored."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __len__(self) -> int:
        return len(self._text) + 1

    def __getitem__(self, at: int) -> int:
        return len(fold(self._text[:at]))
