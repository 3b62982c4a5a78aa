"""What stands around each fact of a text: weighted words of its label, its sentence, its column, its heading.

Refuses to know which text it is and what the facts say. Linear in the text's length and the number of facts.
"""
# words of many languages

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from generation.fidelity.fact import Fact
from generation.fidelity.languages import SPOKEN_IN
from generation.fidelity.numbers import CURRENCY_OF
from generation.fidelity.places import CONJUNCTIONS

Words = dict[str, float]  # the beginning of each word, and how much it says about the fact

# A word or one sign of a script without spaces; what ends a sentence; what ends a part of one; a cell's end or a colon.
ITEM = re.compile(
    r"([\u3040-\u30ff\u3400-\u9fff]|[\u0900-\u0963]+|[^\W\d_]+)|([.!?;](?=\s|\Z|[\u3040-\u9fff]))|([,()/])|([|:])"
)
REACH = 300  # characters between two facts in which words are looked for
MOST_BEFORE, MOST_BEHIND, MOST_ABOVE = 8, 5, 4  # words
MOST_ITEMS = 40  # words, signs and facts on each side
# How much the word directly before a fact says, and the one behind it where nothing or a word stands before it.
BEFORE, BEHIND, BEHIND_LABELLED = 3.0, 2.5, 1.2
FADING = 0.85  # with every further word
# At most, of a word in another part of the sentence, in another sentence of the line, in the heading, in the table's
# row or column.
ANOTHER_PART, ANOTHER_SENTENCE, ABOVE, OF_CELL = 0.9, 0.4, 0.5, 2.0
ANOTHER_FACT = 0.6  # of what a word there would say
LISTED = 0.8  # behind every further fact of a list
SAYS_LITTLE = 0.35  # of a word that is in every text
STEM = 4  # letters
AND_THE = "\u0648\u0627\u0644"  # Arabic writes it as one word with the next
LABEL_SIGN = 3  # characters between two facts of which the first is the name of the second
CELL = re.compile(r"[^|\n]+")
# fmt: off
# What stands beside figures of one kind, whichever they are.
UNITS = frozenset({
    *CURRENCY_OF, "uhr", "h", "hs", "hrs", "heure", "heures", "hora", "horas", "ore", "am", "pm", "noon",
    "시", "時", "时", "点", "點", "分", "分钟", "बजे", "صباحا", "مساء", "ظهرا", "cent", "ct", "دقيقة",
    "clock", "は", "の", "で", "を", "に", "が", "と", "も",
})
# fmt: on
_OF_TIMES = {"saat", "ساعت", "الساعة", "ساعة", "час", "часо"}
SAYING_LITTLE = frozenset(word for word in SPOKEN_IN if len(word) <= STEM) | _OF_TIMES
ARTICLES = re.compile(r"(?:وال|بال|لل|ال|[הובלמשכ](?=[\u05d0-\u05ea]{3}))(?=\w{2})")

WORD, PART, SENTENCE, CELL_END, FACT = range(5)
Item = tuple[str, int]  # a word, the value of a fact, or "" for what parts them


def surroundings(facts: Sequence[Fact], text: str) -> list[Words]:
    """Return the words around each fact; the facts are in the order of the text, and none is inside of another."""
    found: list[Words] = []
    heading: list[str] = []
    columns: list[list[str]] = []
    at = first = 0
    for line in text.split("\n"):
        end, last = at + len(line), first
        while last < len(facts) and facts[last].start < end:
            last += 1
        stripped = line.lstrip()
        cells = [_words(cell)[:MOST_ABOVE] for cell in CELL.findall(line)] if stripped.startswith("|") else []
        if not cells and stripped:
            columns = []
        elif first == last and not columns:
            columns = cells
        items = list(_items(facts, first, last, text, at, end)) if first < last else []
        places = (place for place, (_, kind) in enumerate(items) if kind == FACT)
        for number, place in zip(range(first, last), places, strict=True):
            words = _around(items, place)
            if cells:
                column = text.count("|", at, facts[number].start) - 1
                _add(cells[0], OF_CELL, words)
                _add(columns[column] if 0 <= column < len(columns) else (), OF_CELL, words)
            _add(heading, ABOVE, words)
            found.append(words)
        if _heads(stripped):
            heading = _heading(line)
        first, at = last, end + 1
    return found + [{} for _ in range(len(facts) - len(found))]


def _add(more: Iterable[str], says: float, words: Words) -> None:
    for word in more:
        words[word] = max(words.get(word, 0.0), says)


def _heads(line: str) -> bool:
    return line.startswith("#") or line.rstrip("* ").endswith(":")


def _heading(line: str) -> list[str]:
    return _words(re.split(r"[.!?] ", line[-REACH:])[-1])[-MOST_ABOVE:]


def _words(text: str) -> list[str]:
    return [stem for found in ITEM.finditer(text) if found[1] and (stem := _stem(found[1]))]


def _stem(word: str) -> str:
    """Return the beginning of a word, as far as its endings leave it; '' for a unit."""
    if len(word) == 1 and "A" <= word <= "Z":
        return word  # block A, block B
    word = word.casefold()
    if word in UNITS or (len(word) == 1 and word.isascii()):
        return ""
    if word >= "\u0590":
        word = ARTICLES.sub("", word, count=1) if ARTICLES.match(word) else word
    stem = word[:STEM]
    return word[: STEM + 1] if stem in SAYING_LITTLE and word != stem else stem  # WhatsApp is no "what"


def _items(facts: Sequence[Fact], first: int, last: int, text: str, begin: int, end: int) -> Iterator[Item]:
    at = begin
    for number in range(first, last):
        fact = facts[number]
        yield from _between(text, at, fact.start)
        yield repr(fact.ways[0][0]), FACT
        at = max(at, fact.start + len(fact.text))
    yield from _between(text, at, end)


def _between(text: str, begin: int, end: int) -> Iterator[Item]:
    if end - begin > 2 * REACH:
        yield from _between(text, begin, begin + REACH)
        yield "", SENTENCE
        begin = end - REACH
    for found in ITEM.finditer(text, begin, max(begin, end)):
        word = found[1]
        if word:
            joins = word.casefold() in CONJUNCTIONS
            if joins or word.startswith(AND_THE):
                yield "", PART
            if not joins and (stem := _stem(word)):
                yield stem, WORD
        elif found[4] != ":" or (found.start() == begin and end - begin <= LABEL_SIGN):  # "Priority 1: 20 minutes"
            yield "", SENTENCE if found[2] else PART if found[3] else CELL_END


def _around(items: Sequence[Item], place: int) -> Words:
    words: Words = {}
    labelled = place > 0 and items[place - 1][1] == WORD
    _walk(items, range(place - 1, max(-1, place - 1 - MOST_ITEMS), -1), BEFORE, MOST_BEFORE, words)
    ahead = range(place + 1, min(len(items), place + 1 + MOST_ITEMS))
    _walk(items, ahead, BEHIND_LABELLED if labelled else BEHIND, MOST_BEHIND, words)
    return words


def _walk(items: Sequence[Item], places: range, weight: float, most: int, words: Words) -> None:
    """Add the words on one side of a fact; facts in a list share what stands before and behind the list."""
    listed, parted = True, False
    for place in places:
        word, kind = items[place]
        if kind == WORD:
            listed = False
            if parted:
                weight, parted = min(weight, ANOTHER_PART), False
            weight *= FADING
            says = weight * SAYS_LITTLE if word in SAYING_LITTLE else weight
            words[word] = max(words.get(word, 0.0), says)
            most -= 1
            if not most:
                return
        elif kind == SENTENCE:
            weight, listed = min(weight, ANOTHER_SENTENCE), False
        elif kind == FACT:
            if parted and not listed:
                weight = min(weight, ANOTHER_PART)
            words[word] = max(words.get(word, 0.0), weight * ANOTHER_FACT)
            weight = weight * LISTED if listed else min(weight, ANOTHER_PART)
            parted = False
        elif kind == CELL_END:
            parted, listed = True, False
        else:
            parted = True
