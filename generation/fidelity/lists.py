"""Facts in plain lists, "38, 40 and 42", which may be told in another order.

Refuses to know what the facts are. Pure; linear in the number of facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generation.fidelity.fact import Fact, Key
from generation.fidelity.places import CONJUNCTIONS

LONGEST_GAP = 12  # characters between two facts of a list


def told_otherwise(draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str) -> set[Key]:
    """Return the facts of the lists that both texts have, in whatever order."""
    theirs = set(_lists(answer, answer_text))
    return {key for each in _lists(draft, draft_text) if each in theirs for key in each}


def _lists(facts: Sequence[Fact], text: str) -> Iterator[frozenset[Key]]:
    keys: list[Key] = []
    end = -1
    for fact in facts:
        if keys and not _lists_on(text[end : fact.start]):
            if len(keys) > 1:
                yield frozenset(keys)
            keys = []
        keys.append(fact.ways[0][0])
        end = fact.start + len(fact.text)
    if len(keys) > 1:
        yield frozenset(keys)


def _lists_on(between: str) -> bool:
    """Say whether there is nothing between two facts but a comma, a conjunction or the like."""
    if not between.strip() or len(between) > LONGEST_GAP or "\n" in between:
        return False
    words = between.casefold().strip(" ,;").split()
    return CONJUNCTIONS.issuperset(words)
