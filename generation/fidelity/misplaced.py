"""Facts in each other's places: each stands among the words that the draft has around the other.

Refuses to know which facts are lost. Pure; linear in the number of facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from generation.fidelity.fact import Fact, Key
from generation.fidelity.surroundings import Words, surroundings

MOST_FACTS = 250  # whose surroundings are compared
MOST_OWNERS = 12  # of one word: what stands beside everything tells nothing
MARGIN = 1.0  # the word directly before a fact counts 2.5


def misplaced(draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str) -> set[Key]:
    """Return the facts that stand among the words of others of their kind while those stand among theirs.

    The answer's facts have the draft's names: see matching.py. What only changed its order keeps its words.
    """
    ours, theirs = [fact.ways[0][0] for fact in draft], [fact.ways[0][0] for fact in answer]
    both = set(ours) & set(theirs)
    if len(both) < 2 or len(ours) > MOST_FACTS or len(theirs) > MOST_FACTS:
        return set()
    owners: dict[str, list[tuple[Key, float]]] = defaultdict(list)
    for key, words in zip(ours, surroundings(draft, draft_text), strict=True):
        for word, says in words.items() if key in both else ():
            owners[word].append((key, says))
    kinds: dict[Key, set[str]] = defaultdict(set)
    for fact in (*draft, *answer):
        kinds[fact.ways[0][0]].add(fact.kind)
    found = zip(theirs, surroundings(answer, answer_text), strict=True)
    fits = [(key, _fits(words, owners)) for key, words in found if key in both]
    return _traded(fits, kinds)


def _fits(words: Words, owners: dict[str, list[tuple[Key, float]]]) -> dict[Key, float]:
    """Return how well words fit those that the draft has around each of its facts."""
    fits: dict[Key, float] = defaultdict(float)
    for word, weight in words.items():
        best: dict[Key, float] = {}
        for key, theirs in owners.get(word, ())[:MOST_OWNERS]:
            best[key] = max(best.get(key, 0.0), min(weight, theirs))
        for key, value in best.items():
            fits[key] += value
    return fits


def _traded(fits: Sequence[tuple[Key, dict[Key, float]]], kinds: dict[Key, set[str]]) -> set[Key]:
    """Return the pairs of facts that fit each other's places better than their own, by a margin."""
    places: dict[Key, list[dict[Key, float]]] = defaultdict(list)
    for key, mine in fits:
        places[key].append(mine)
    moved: set[Key] = set()
    for key, mine in fits:
        own = mine.get(key, 0.0)
        for other, value in mine.items():
            if other == key or kinds[key].isdisjoint(kinds[other]):
                continue
            for theirs in places[other]:
                back, kept = theirs.get(key, 0.0), theirs.get(other, 0.0)
                if (back >= kept or value >= own) and value + back - own - kept >= MARGIN:
                    moved |= {key, other}
    return moved
