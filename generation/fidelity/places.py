"""Facts that stand in each other's places: both are in the answer, each where the draft has the other.

Refuses to know which facts are lost. Pure; linear in the number of facts.
"""
# ruff: noqa: RUF001  # words of many languages

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from generation.fidelity.fact import Fact, Facts, Key
from generation.fidelity.numbers import CURRENCY_OF

MOST_MOVED = 100  # facts whose new places are looked at
NEIGHBOURS = 40  # characters between two facts that belong together
MOST_PLACES = 8  # of one word: a word that stands beside everything tells nothing
REACH = 60  # characters in which the words directly beside a fact stand
LINE_REACH = 300  # characters in which another fact of the same line stands
# A word; of Chinese and Japanese a sign, the kana aside that join words to one another.
WORD = re.compile(r"[\u30a0-\u30ff]{2,}|[\u3400-\u9fff]|[^\W\d_\u3040-\u30ff\u3400-\u9fff]{2,}")
SEGMENT_END = re.compile(r"[,;|\n()/]|\. |\.\Z")
LINE_END = re.compile(r"\n|[.!?;](?: |(?=[\u3040-\u9fff]))")
LETTERS_OF_SIGN = re.compile(r"\b[a-z]{1,2}(?=\$)")  # R$, US$
# A word, or one sign of a script that puts no spaces between words.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+")
# fmt: off
CONJUNCTIONS = frozenset({
    "and", "or", "und", "oder", "y", "e", "o", "u", "et", "ou", "ed", "ve", "veya", "и", "или", "و", "أو", "او", "یا",
    "ו", "או", "और", "या", "和", "或", "と", "か", "및", "또는",
})
# fmt: on

TRAVELLING = frozenset({"am", "pm", "a", "p", "m", "uhr", "h", "min", "kg", "g", "km", "cm"})  # with their figures

Place = tuple[object, ...]  # the surroundings of a fact; only compared with others
LISTED: Place = ("or",)  # "5 or 8" may as well be "8 or 5"


def swapped(draft: Facts, draft_text: str, answer: Facts, answer_text: str) -> list[Fact]:
    """Return the draft's facts that are in the places of others while others are in theirs."""
    drafted, answered = _once(draft), _once(answer)
    suspects = _out_of_order([key for key in drafted if key in answered], [key for key in answered if key in drafted])
    if len(suspects) < 2:
        return []
    before = _Text(draft.found, draft_text, drafted, suspects)
    after = _Text(answer.found, answer_text, answered, suspects)
    ours = {key: before.words_before(key) for key in drafted if key in suspects}  # in an order that is always the same
    theirs = {key: after.words_before(key) for key in ours}
    moved = _exchanged(before, after, ours, theirs) | _among_others_words(before, after, ours, theirs)
    return [draft.found[place] for key, place in drafted.items() if key in moved]


@dataclass(frozen=True, slots=True)
class _Text:
    """One text with its facts in order, the places of those that it has once, and which of them are suspected."""

    found: list[Fact]
    text: str
    order: dict[Key, int]
    suspects: set[Key]

    def end(self, place: int) -> int:
        return self.found[place].start + len(self.found[place].text)

    def words_before(self, key: Key) -> Place:
        """Return the last two words before a fact in its line (three signs of Chinese), or its cell of a table."""
        place = self.order[key]
        begin = self.found[place].start
        floor = max(0, begin - REACH, self.end(place - 1) if place else 0)
        left = self.text[floor:begin] if floor < begin else ""
        tokens = tokens_of(LINE_END.split(left)[-1].rpartition("|")[2])
        if not tokens:
            return self._cell(begin)
        if CONJUNCTIONS.issuperset(tokens):
            return LISTED
        return tuple(tokens[-3:] if tokens[-1] >= "\u3040" else tokens[-2:])

    def words_behind(self, key: Key) -> Place:
        """Return the next two words behind a fact in its line."""
        place = self.order[key]
        end = self.end(place)
        ceiling = min(end + REACH, self.found[place + 1].start if place + 1 < len(self.found) else len(self.text))
        tokens = tokens_of(LINE_END.split(self.text[end:ceiling] + " ")[0]) if end < ceiling else []
        return tuple(tokens[:2])

    def word_directly_behind(self, key: Key) -> str:
        """Return the word behind a fact and its unit in its own part of the sentence; '' for a mere conjunction."""
        place = self.order[key]
        end = self.end(place)
        right = SEGMENT_END.split(self.text[end : end + REACH])[0]
        words = [word for word in tokens_of(right) if word not in TRAVELLING]
        return "" if not words or words[0] in CONJUNCTIONS else words[0]

    def words_and_neighbour(self, key: Key, words: Place) -> Place:
        """Return the words before a fact with the nearest fact of another kind in its line."""
        if not words or words is LISTED:
            return ()
        place = self.order[key]
        begin = self.found[place].start
        line_begin = self.text.rfind("\n", max(0, begin - LINE_REACH), begin)
        line_end = self.text.find("\n", begin, begin + LINE_REACH)
        for other in range(place - 1, max(-1, place - 8), -1):
            if self.found[other].start < line_begin:
                break
            if self._is_neighbour(other, place):
                return (*words, self.found[other].ways[0][0])
        for other in range(place + 1, min(len(self.found), place + 8)):
            if 0 <= line_end < self.found[other].start:
                break
            if self._is_neighbour(other, place):
                return (*words, self.found[other].ways[0][0])
        return ()

    def _is_neighbour(self, other: int, place: int) -> bool:
        return self.found[other].kind != self.found[place].kind and self.found[other].ways[0][0] in self.order

    def _cell(self, begin: int) -> Place:
        """Return the row's first word and the column of a fact in a table, which says what the fact is."""
        reach = max(0, begin - LINE_REACH)
        row = self.text[max(reach, self.text.rfind("\n", reach, begin) + 1) : begin]
        if not row.lstrip().startswith("|"):
            return ()
        first = TOKEN.search(row)
        return ("|", first[0].casefold(), row.count("|")) if first else ()


def tokens_of(text: str) -> list[str]:
    """Return a text's words, currencies aside; of scripts without spaces its signs."""
    return [token for token in TOKEN.findall(LETTERS_OF_SIGN.sub("", text.casefold())) if token not in CURRENCY_OF]


def _exchanged(draft: _Text, answer: _Text, ours: dict[Key, Place], theirs: dict[Key, Place]) -> set[Key]:
    """Return the facts beside which stands what the draft has beside others, while others stand in their places."""
    moved = _traded(ours, theirs) | _traded(
        {key: draft.words_and_neighbour(key, ours[key]) for key in ours},
        {key: answer.words_and_neighbour(key, theirs[key]) for key in ours},
    )
    behind = _traded({key: draft.words_behind(key) for key in ours}, {key: answer.words_behind(key) for key in ours})
    # A unit may stand behind both: what kept the word before it has only changed its place in the sentence.
    return moved | {key for key in behind if not (ours[key] and ours[key][-1:] == theirs[key][-1:])}


def _traded(ours: dict[Key, Place], theirs: dict[Key, Place]) -> set[Key]:
    """Return the facts whose place in the answer is another's in the draft, and whose own place another has now."""
    drafted, answered = _by_place(ours), _by_place(theirs)
    return {
        key
        for key, place in theirs.items()
        if place
        and ours[key]
        and LISTED not in (place, ours[key])
        and place != ours[key]
        and drafted.get(place, key) != key
        and answered.get(ours[key], key) != key
    }


def _by_place(places: dict[Key, Place]) -> dict[Place, Key]:
    """Return which fact stands in each place where only one stands."""
    counts = Counter(places.values())
    return {place: key for key, place in places.items() if place and counts[place] == 1}


def _among_others_words(draft: _Text, answer: _Text, ours: dict[Key, Place], theirs: dict[Key, Place]) -> set[Key]:
    """Return pairs of facts each of which stands among words that the draft has around the other.

    What kept the word before it, where that is not the other's word as well, is in its own place still.
    """
    stays = draft.suspects.isdisjoint
    own = {key: _words_beside(draft, key, stays) for key in ours}
    behind = {key: draft.word_directly_behind(key) for key in ours}
    others = {key: _words_beside(answer, key, stays) for key in ours}
    places: dict[str, list[Key]] = defaultdict(list)
    for key, (near, wide) in own.items():
        for word in near | wide:
            places[word].append(key)
    took: dict[Key, Key] = {}
    for key, (near, wide) in others.items():
        fits: Counter[Key] = Counter()
        for word in near | wide:
            for place in places.get(word, ())[:MOST_PLACES]:
                fits[place] += 1 + (word in near and word in own[place][0])
        if (
            fits
            and (best := max(fits, key=lambda place: (fits[place], place != key, -draft.order[place]))) != key
            and fits[best] > fits[key]
        ):
            if ours[key] and theirs[key] == ours[key] != ours[best]:
                continue
            if behind[key] and answer.word_directly_behind(key) == behind[key] != behind[best]:
                continue  # 500 TL üzeri: in such languages what is said of a fact stands behind it
            last = theirs[key][-1:]
            if not last or last != ours[key][-1:] or last == ours[best][-1:]:
                took[key] = best
    return {key for key, place in took.items() if took.get(place) == key}


def _once(facts: Facts) -> dict[Key, int]:
    """Return where in the order of its text each fact is that stands there once: of others it cannot be told."""
    facts.found.sort(key=lambda fact: fact.start)
    places: dict[Key, int] = {}
    twice: set[Key] = set()
    for place, fact in enumerate(facts.found):
        key = fact.ways[0][0]
        if key in places:
            twice.add(key)
        places[key] = place
    return {key: place for key, place in places.items() if key not in twice}


def _out_of_order(drafted: list[Key], answered: list[Key]) -> set[Key]:
    """Return the facts outside the longest run of those whose order is kept, and those in whose places they are."""
    if drafted == answered:
        return set()
    ranks = {key: rank for rank, key in enumerate(drafted)}
    order = [ranks[key] for key in answered]
    tails: list[int] = []
    heights: list[int] = []
    for rank in order:
        height = bisect_left(tails, rank)
        tails[height : height + 1] = [rank]
        heights.append(height)
    wanted, kept = len(tails) - 1, set()
    for place in range(len(order) - 1, -1, -1):
        if heights[place] == wanted:
            kept.add(order[place])
            wanted -= 1
    moved = [place for place, rank in enumerate(order) if rank not in kept]
    return {key for place in moved[:MOST_MOVED] for key in (answered[place], drafted[place], answered[order[place]])}


def _words_beside(around: _Text, key: Key, stays: Callable[[tuple[Key, ...]], bool]) -> tuple[set[str], set[str]]:
    """Return the words of a fact's own part of the sentence, and those a little further away."""
    found, text, place = around.found, around.text, around.order[key]
    fact = found[place]
    begin, end = fact.start, fact.start + len(fact.text)
    floor = max(begin - 60, found[place - 1].start + len(found[place - 1].text) if place else 0)
    following = found[place + 1].start if place + 1 < len(found) else len(text)
    before, after = text[floor:begin], text[end : min(end + 30, following)]
    for cut in SEGMENT_END.finditer(text, floor, max(floor, begin)):
        before = text[cut.end() : begin]
    cut_after = SEGMENT_END.search(after)
    after = after[: cut_after.start()] if cut_after else after if following == len(text) else ""
    near = {*WORD.findall(before.casefold())[-4:], *WORD.findall(after.casefold())[:2]} - CURRENCY_OF.keys()
    dense = text[begin - 1 : begin] >= "\u3040"  # where sentences are short: a fact of another one is not beside
    near |= {
        beside.text
        for beside in found[max(0, place - 1) : place + 2]
        if abs(beside.start - begin) < NEIGHBOURS
        and stays(beside.ways[0])
        and not (dense and LINE_END.search(text, min(begin, beside.start), max(begin, beside.start)))
    }
    wide = text[max(0, begin - 40) : begin].rpartition("\n")[2] + " " + text[end : end + 30].partition("\n")[0]
    return near, set(WORD.findall(wide.casefold())) - CURRENCY_OF.keys()
