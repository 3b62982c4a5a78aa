"""Facts in each other's places: each stands among the words that the draft has around the other.

Refuses to know which facts are lost. Pure; linear in the number of facts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from generation.fidelity.fact import Fact, Key
from generation.fidelity.surroundings import Words, surroundings

MOST_FACTS = 250  # whose surroundings are compared
MOST_PLACES = 8  # of one fact
MOST_OWNERS = 12  # of one word: what stands beside everything tells nothing
# By how much two facts must fit each other's places better than their own, the word directly before a fact counting
# 2.5; and where one has still beside it what the draft has beside it alone. What other rules found must fit so badly.
MARGIN, MARGIN_OF_ANCHORED, MARGIN_OF_FOUND = 0.8, 3.5, -0.5
PERCENT = re.compile(r" ?%")

Fit = dict[Key, float]  # how well a place fits the draft's facts


class Fits:
    """How well the places of an answer's facts fit each fact of the draft, by the words around them.

    The answer's facts have the draft's names: see matching.py. What only changed its order keeps its words.
    """

    def __init__(self, draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str) -> None:
        self._of: list[tuple[Key, Fit]] = []
        self._kinds: dict[Key, set[str]] = defaultdict(set)
        ours, theirs = [fact.ways[0][0] for fact in draft], [fact.ways[0][0] for fact in answer]
        both = set(ours) & set(theirs)
        if len(both) < 2 or len(ours) > MOST_FACTS or len(theirs) > MOST_FACTS:
            return
        owners: dict[str, list[tuple[Key, float]]] = defaultdict(list)
        for key, words in zip(ours, surroundings(draft, draft_text), strict=True):
            for word, says in words.items() if key in both else ():
                owners[word].append((key, says))
        found = zip(theirs, surroundings(answer, answer_text), strict=True)
        self._of = [(key, _fit(words, owners)) for key, words in found if key in both]
        for facts, text in ((draft, draft_text), (answer, answer_text)):
            for fact in facts:
                self._kinds[fact.ways[0][0]].add(_kind(fact, text))

    def misplaced(self, beside_their_own: Callable[[], tuple[set[Key], set[Key]]]) -> set[Key]:
        """Return the facts that stand among the words of others of their kind while those stand among theirs.

        ``beside_their_own``: see exchanges.py; those facts need better reasons, and with a whole phrase none will do.
        """
        places = self._places()
        gains = [
            (gain, key, other)
            for key, mine in self._of
            for other in mine
            if other != key and not self._kinds[key].isdisjoint(self._kinds[other])
            if (gain := max(_gain_of_exchange(key, mine, other, theirs) for theirs in places[other])) >= MARGIN
        ]
        if not gains:
            return set()
        anchored, settled = beside_their_own()
        return {
            moved
            for gain, key, other in gains
            if settled.isdisjoint((key, other)) and (gain >= MARGIN_OF_ANCHORED or anchored.isdisjoint((key, other)))
            for moved in (key, other)
        }

    def in_place(self, keys: set[Key]) -> set[Key]:
        """Return those of the facts that would fit worse in the place of any other of them."""
        places = {key: mine for key, mine in self._places().items() if key in keys}
        return {
            key
            for key, here in places.items()
            if not any(
                _gain(key, mine, other, theirs) > MARGIN_OF_FOUND
                for other, there in places.items()
                if other != key
                for mine in here
                for theirs in there
            )
        }

    def _places(self) -> dict[Key, list[Fit]]:
        places: dict[Key, list[Fit]] = defaultdict(list)
        for key, mine in self._of:
            if len(places[key]) < MOST_PLACES:
                places[key].append(mine)
        return places


def _kind(fact: Fact, text: str) -> str:
    """Return the fact's kind; a percentage is no other number."""
    return "%" if fact.kind == "number" and PERCENT.match(text, fact.start + len(fact.text)) else fact.kind


def _fit(words: Words, owners: dict[str, list[tuple[Key, float]]]) -> Fit:
    """Return how well words fit those around each of the draft's facts; a word is most of all the nearest one's."""
    fits: Fit = defaultdict(float)
    for word, weight in words.items():
        best: Fit = {}
        for key, theirs in owners.get(word, ())[:MOST_OWNERS]:
            best[key] = max(best.get(key, 0.0), min(weight, theirs))
        nearest = max(best.values(), default=0.0)
        for key, value in best.items():
            fits[key] += value * value / nearest
    return fits


def _gain(key: Key, mine: Fit, other: Key, theirs: Fit) -> float:
    """Return how much better two places fit the facts when they are exchanged."""
    return mine.get(other, 0.0) + theirs.get(key, 0.0) - mine.get(key, 0.0) - theirs.get(other, 0.0)


def _gain_of_exchange(key: Key, mine: Fit, other: Key, theirs: Fit) -> float:
    """Return the gain; none where neither place fits the other fact better."""
    better = theirs.get(key, 0.0) >= theirs.get(other, 0.0) or mine.get(other, 0.0) >= mine.get(key, 0.0)
    return _gain(key, mine, other, theirs) if better else 0.0
