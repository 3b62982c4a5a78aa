"""Facts that changed, or changed places, in sentences that are otherwise the draft's, letter for letter.

Where nothing else of a sentence has changed, any two facts may have been exchanged, of whatever kinds, and figures that
are others are no other spelling.
Refuses to know what else stands around a fact. Pure; linear in the length of both texts.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from generation.fidelity.fact import Fact, Facts
from generation.fidelity.lists import OR, lists_on
from generation.fidelity.places import CONJUNCTIONS, SEGMENT_END, tokens_of
from generation.fidelity.ranges import VOWELS
from generation.fidelity.surroundings import UNITS
from generation.fidelity.times import PART_OF_DAY

MOST_PIECES = 400
SURE_MARKS, MOST_LEFT = 3, 60  # where more sentences of a draft are left than that, it is another text
NUMBER = re.compile(r"\d{1,18}")
DIGIT = re.compile(r"\d")
LONGEST = 3_000  # of one sentence
MOST_MOVED = 60  # characters of a fact that moved, with its unit
SENTENCE_END = re.compile(r"\n|(?<=\d)\.(?=[\u3040-\u9fff])")
# What stands behind figures of every kind and says nothing of what they are about.
NO_LABELS = UNITS | CONJUNCTIONS | frozenset("年月日号號秒")

# By what a sentence of one text is known again in the other, the surest first.
MARKS: Sequence[Callable[[str], Hashable]] = (
    lambda text: (len(text), sum(text.encode("utf-8", "surrogatepass"))),
    itemgetter(slice(10)),
    itemgetter(slice(-10, None)),
    itemgetter(slice(4)),
    itemgetter(slice(-4, None)),
    lambda _: "",
)


class Sentence(NamedTuple):
    """A sentence and where in its text it begins."""

    start: int
    text: str


Pair = tuple[Sentence, Sentence]  # one of the draft, one of the answer


class Change(NamedTuple):
    """What the draft has in one place of a sentence, and what the answer has there instead."""

    before: str
    after: str
    facts: Sequence[Fact]
    others: Sequence[Fact]


class Found(NamedTuple):
    """The draft's facts that changed places, and those of which a figure has changed."""

    moved: list[Fact]
    altered: list[Fact]


class Told:
    """A text's sentences that the other text has not, and its facts: in order, and none inside of another."""

    def __init__(self, facts: Facts, apart: Sequence[Fact], other: str) -> None:
        self.text = facts.text
        self.facts = facts
        self._found = apart
        self._starts = [fact.start for fact in self._found]
        self._ends = [fact.start + len(fact.text) for fact in self._found]
        sentences = _sentences(facts.text, frozenset(SENTENCE_END.split(other)))
        self.sentences = [each for each in sentences if self._has_fact(each)]

    def _has_fact(self, sentence: Sentence) -> bool:
        following = bisect_left(self._ends, sentence.start)
        return following < len(self._starts) and self._starts[following] <= sentence.start + len(sentence.text)

    def touching(self, begin: int, end: int) -> Sequence[Fact]:
        """Return the facts that stand between two places of the text, or end or begin at one."""
        return self._found[bisect_left(self._ends, begin) : bisect_right(self._starts, end)]

    def whole(self, begin: int, end: int) -> tuple[int, int]:
        """Return the two places, moved outwards to where the facts at them begin and end."""
        facts = self.touching(begin, end)
        if not facts:
            return begin, end
        return min(begin, facts[0].start), max(end, facts[-1].start + len(facts[-1].text))


def changed(draft: Facts, ours_apart: Sequence[Fact], answer: Facts, theirs_apart: Sequence[Fact]) -> Found:
    """Compare the sentences of two texts that are nearly the same; ``…_apart``: see matching.py."""
    ours, theirs = Told(draft, ours_apart, answer.text), Told(answer, theirs_apart, draft.text)
    changes: list[Change] = []
    moved: list[Fact] = []
    for pair in _pairs(ours.sentences, theirs.sentences):
        begin, behind = _difference(*pair)
        if facts := _exchanged(ours, theirs, pair, begin, behind):
            moved += facts
        elif change := _change(ours, theirs, pair, begin, behind):
            changes.append(change)
    given = {(change.before, change.after) for change in changes}
    altered: list[Fact] = []
    for change in changes:
        if (change.after, change.before) in given:
            moved += change.facts
        elif _is_altered(change, draft):
            altered += change.facts
    return Found(moved, altered)


def _is_altered(change: Change, draft: Facts) -> bool:
    """Say whether other figures stand in a fact, and ones that the draft has nowhere."""
    if DIGIT.sub("0", change.before) != DIGIT.sub("0", change.after):
        return False
    return any(not draft.has(fact) for fact in change.others)


def _sentences(text: str, known: frozenset[str]) -> Iterator[Sentence]:
    at = 0
    pieces = ((found.start(), found.end()) for found in SENTENCE_END.finditer(text + "\n"))
    for end, following in islice(pieces, MOST_PIECES):
        piece = text[at:end]
        if piece and piece not in known and len(piece) <= LONGEST:
            bare = piece.lstrip(" -*#>")
            yield Sentence(end - len(bare), bare)
        at = following


def _pairs(ours: Sequence[Sentence], theirs: Sequence[Sentence]) -> Iterator[Pair]:
    """Return the sentences that have the same letters, begin alike or end alike, where no third one does."""
    for number, mark in enumerate(MARKS):
        if not (ours and theirs) or (number >= SURE_MARKS and len(ours) > MOST_LEFT):
            return
        left, right = _by(mark, ours), _by(mark, theirs)
        pairs = [(each[0], right[key][0]) for key, each in left.items() if len(each) == 1 == len(right.get(key, ()))]
        yield from pairs
        ours, theirs = _without(ours, (pair[0] for pair in pairs)), _without(theirs, (pair[1] for pair in pairs))


def _by(mark: Callable[[str], Hashable], sentences: Sequence[Sentence]) -> dict[Hashable, list[Sentence]]:
    found: dict[Hashable, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        found[mark(sentence.text)].append(sentence)
    return found


def _without(sentences: Sequence[Sentence], gone: Iterable[Sentence]) -> list[Sentence]:
    starts = {sentence.start for sentence in gone}
    return [sentence for sentence in sentences if sentence.start not in starts]


def _difference(one: Sentence, other: Sentence) -> tuple[int, int]:
    """Return how many characters at the beginning of both are the same, and how many of the rest at the end."""
    ours, theirs = one.text, other.text
    begin = _alike(ours, theirs, min(len(ours), len(theirs)))
    return begin, _alike(ours[::-1], theirs[::-1], min(len(ours), len(theirs)) - begin)


def _alike(ours: str, theirs: str, most: int) -> int:
    low = 0
    while low < most:
        middle = (low + most + 1) // 2
        if ours[low:middle] == theirs[low:middle]:
            low = middle
        else:
            most = middle - 1
    return low


def _change(draft: Told, answer: Told, pair: Pair, begin: int, behind: int) -> Change | None:
    """Return the one place in which two sentences have different facts; None where more than a fact has changed."""
    (before, facts), (after, others) = (
        _changed_facts(told, sentence.start + begin, sentence.start + len(sentence.text) - behind)
        for told, sentence in zip((draft, answer), pair, strict=True)
    )
    return Change(before, after, facts, others) if facts and others and before != after else None


def _changed_facts(told: Told, begin: int, end: int) -> tuple[str, Sequence[Fact]]:
    """Return the facts between two places and the text there; none where that is more than a fact."""
    facts = told.touching(begin, end)
    begin, end = told.whole(begin, end)
    return (told.text[begin:end], facts) if end - begin <= MOST_MOVED else ("", ())


def _exchanged(draft: Told, answer: Told, pair: Pair, begin: int, behind: int) -> Sequence[Fact]:
    """Return two facts of a sentence each of which stands in the other's place."""
    ours, theirs = pair[0].text, pair[1].text
    if len(ours) != len(theirs) or begin == len(ours):
        return ()
    spans = []
    for told, sentence in zip((draft, answer), pair, strict=True):
        at, end = told.whole(sentence.start + begin, sentence.start + len(ours) - behind)
        spans.append((at - sentence.start, end - sentence.start))
    begin, end = max(0, min(at for at, _ in spans)), min(len(ours), max(end for _, end in spans))
    before, after = ours[begin:end], theirs[begin:end]
    for left in _borders(before, after):
        for right in _borders(after, before):
            if left + right < len(before) and before[left : len(before) - right] == after[right : len(after) - left]:
                return _of_exchange(draft, pair[0], (begin, begin + left), (end - right, end))
    return ()


def _borders(before: str, after: str) -> list[int]:
    """Return how long a beginning of one text may be that is an end of the other, and ends where a word does."""
    most = min(MOST_MOVED, len(before) - 1)
    return [length for length in range(1, most + 1) if after.endswith(before[:length]) and not _cuts(before, length)]


def _cuts(text: str, at: int) -> bool:
    beside = text[at - 1 : at + 1]
    return beside.isalnum() and beside.isascii()


def _of_exchange(draft: Told, sentence: Sentence, first: tuple[int, int], second: tuple[int, int]) -> Sequence[Fact]:
    """Return the facts in the two places of a sentence; none where a list has only been told in another order."""
    start, text = sentence
    one = draft.touching(start + first[0], start + first[1])
    other = draft.touching(start + second[0], start + second[1])
    between = text[first[1] : second[0]]
    if not (one and other):
        return ()
    telephones = all(fact.kind == "telephone" for fact in (*one, *other))  # customers call the first one first
    if not telephones and _alternatives(text[: first[0]], between):
        return ()
    own = _own_words(draft, sentence, first, one) or _own_words(draft, sentence, second, other)
    if not _labels(between):
        return [*one, *other] if not own and (telephones or _disordered(draft, sentence, one, other)) else ()
    # "5 rooms, 3 baths" may become "3 baths, 5 rooms": only what has a word before it too is in the other's place.
    if not own:
        return [*one, *other]
    labels = _last_words(text[: first[0]]), _last_words(between)
    # Behind one label, "3 days ahead …, 1 day ahead …", there is only another order as well.
    return [*one, *other] if all(labels) and labels[0][-1] != labels[1][-1] else ()


def _alternatives(before: str, between: str) -> bool:
    """Say whether one of two facts is meant: "5 or 8" is "8 or 5", and "room 5 or room 8" is "room 8 or room 5"."""
    if OR.search(between) is None:
        return False
    rest = VOWELS.sub("", PART_OF_DAY.sub(" ", OR.sub(" ", between)))
    labels = [word for word in tokens_of(rest) if word not in NO_LABELS]
    own = [word for word in tokens_of(SEGMENT_END.split(before)[-1]) if word not in NO_LABELS]
    return not labels or labels == own[-len(labels) :]


def _own_words(draft: Told, sentence: Sentence, place: tuple[int, int], facts: Sequence[Fact]) -> bool:
    """Say whether there are words in a place beside its facts that may say what they are about: "5 rooms"."""
    at, parts = sentence.start + place[0], []
    for fact in facts:
        parts.append(draft.text[at : max(at, fact.start)])
        at = fact.start + len(fact.text)
    return _labels(" ".join((*parts, draft.text[at : sentence.start + place[1]])))


def _disordered(told: Told, sentence: Sentence, one: Sequence[Fact], other: Sequence[Fact]) -> bool:
    """Say whether two of an ascending list were exchanged so that it is in no order any more."""
    if len(one) != 1 or len(other) != 1:
        return False
    values: list[list[int]] = []
    places: list[int] = []
    end = -1
    for fact in told.touching(sentence.start, sentence.start + len(sentence.text)):
        if end >= 0 and not lists_on(told.text[end : fact.start]):
            if places:
                break
            values = []
        if fact in (one[0], other[0]):
            places.append(len(values))
        values.append([int(part) for part in NUMBER.findall(fact.text)])
        end = fact.start + len(fact.text)
    if len(places) != 2 or values != sorted(values):
        return False
    values[places[0]], values[places[1]] = values[places[1]], values[places[0]]
    return values != sorted(values, reverse=True)


def _last_words(text: str) -> list[str]:
    """Return the words at the end of a part of a sentence that say what a fact behind them is."""
    return [word for word in tokens_of(SEGMENT_END.split(text)[-1]) if word not in NO_LABELS]


def _labels(text: str) -> bool:
    """Say whether a text has a word that says what a fact beside it is."""
    return not NO_LABELS.issuperset(tokens_of(text))
