"""Facts that are told in another order together with what belongs to them: "500 for 30 minutes, 900 for 60".

Refuses to know what the facts are. Pure; linear in the number of facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from generation.fidelity.fact import Fact, Key
from generation.fidelity.places import CONJUNCTIONS
from generation.fidelity.ranges import joins
from generation.fidelity.surroundings import AND_THE

REACH = 40  # characters between two facts that belong together
PARTS = frozenset(",;|\n()")
PARTED = 60  # as far apart as so many characters are two facts in different parts of a sentence


def kept_company(draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str) -> set[Key]:
    """Return the facts of the pairs that both texts have, where there are two such pairs at least.

    One alone may be two facts that are in each other's places.
    """
    ours, theirs = _pairs(draft, draft_text, REACH), _pairs(answer, answer_text, REACH + PARTED)
    kept = ours & theirs
    return {key for pair in kept for key in pair} if len(kept) > 1 else set()


def crossed(draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str) -> set[Key]:
    """Return the facts that changed their company with one another: rooms 5 and 8 told with each other's prices."""
    ours, theirs = _partners(draft, draft_text, REACH), _partners(answer, answer_text, REACH + PARTED)
    found: set[Key] = set()
    for key, partner in theirs.items():
        own = ours.get(key)
        other = ours.get(partner)  # who had this partner
        if own and other and own != partner and theirs.get(other) == own:
            found |= {own, partner}
    return found


def _partners(facts: Sequence[Fact], text: str, reach: int) -> dict[Key, Key]:
    """Return the partner of each fact that has one alone."""
    partners: dict[Key, set[Key]] = defaultdict(set)
    for first, second in _pairs(facts, text, reach):
        partners[first].add(second)
        partners[second].add(first)
    return {key: next(iter(others)) for key, others in partners.items() if len(others) == 1}


def _pairs(facts: Sequence[Fact], text: str, reach: int) -> set[tuple[Key, Key]]:
    """Return the neighbours that are nearer to each other than to any other fact, in their order."""
    gaps = [_gap(first, second, text) for first, second in pairwise(facts)]
    return {
        (first.ways[0][0], second.ways[0][0])
        for at, (first, second) in enumerate(pairwise(facts))
        if gaps[at] <= reach
        and (at == 0 or gaps[at] < gaps[at - 1])
        and (at + 1 == len(gaps) or gaps[at] < gaps[at + 1])
        and not joins(text[first.start + len(first.text) : second.start])
    }


def _gap(first: Fact, second: Fact, text: str) -> int:
    """Return how far two facts are apart; a boundary between them counts as many characters."""
    end = first.start + len(first.text)
    between = text[end : min(second.start, end + REACH)]
    words = between.casefold().split()
    parted = not PARTS.isdisjoint(between) or not CONJUNCTIONS.isdisjoint(words) or AND_THE in between
    return second.start - end + (PARTED if parted else 0)
