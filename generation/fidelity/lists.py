"""Facts in plain lists, "38, 40 and 42", which may be told in another order.

Refuses to know what the facts are. Pure; linear in the number of facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generation.fidelity.fact import Fact, Key
from generation.fidelity.places import CONJUNCTIONS
from generation.fidelity.ranges import BESIDE, TOKEN, VOWELS
from generation.fidelity.surroundings import UNITS
from generation.fidelity.times import PART_OF_DAY

LONGEST_GAP = 16  # characters between two facts of a list
HEBREW_AND = "\u05d5-"
SAYING_NOTHING = CONJUNCTIONS | BESIDE | UNITS | frozenset(",;./") | {"a", "\u00e0", "\u00e0s"}
SEPARATING = frozenset(",;/")
# Arabic, Persian, Hebrew, Hindi, Chinese and Japanese by their code points.
OR = re.compile(
    r"\b(?:or|oder|ou|o|u|veya|ya da|или|либо)\b|\u0623\u0648|\u0627\u0648|\u06cc\u0627|\u05d0\u05d5"
    r"|\u092f\u093e|\u6216|\u307e\u305f\u306f|\u3082\u3057\u304f\u306f",
    re.IGNORECASE,
)


def told_otherwise(draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str) -> set[Key]:
    """Return the facts of the lists that both texts have, in whatever order."""
    theirs = set(_lists(answer, answer_text))
    return {key for each in _lists(draft, draft_text) if each in theirs for key in each}


def _lists(facts: Sequence[Fact], text: str) -> Iterator[frozenset[Key]]:
    keys: list[Key] = []
    end = -1
    for fact in facts:
        if keys and not lists_on(text[end : fact.start]):
            if len(keys) > 1:
                yield frozenset(keys)
            keys = []
        keys.append(fact.ways[0][0])
        end = fact.start + len(fact.text)
    if len(keys) > 1:
        yield frozenset(keys)


def lists_on(between: str) -> bool:
    """Say whether there is nothing between two facts but a comma, a conjunction or the like, with units."""
    if len(between) > LONGEST_GAP or "\n" in between or not between.strip():
        return False
    if between in (", ", ","):
        return True
    words = TOKEN.findall(between.casefold())
    if CONJUNCTIONS.isdisjoint(words) and OR.search(between) is None:
        return set(words) <= SEPARATING  # "660 yen, 5500 yen": without a conjunction a unit may end what is said
    rest = VOWELS.sub("", PART_OF_DAY.sub(" ", OR.sub(" ", between.replace(HEBREW_AND, " ")))).casefold()
    return all(word in SAYING_NOTHING for word in TOKEN.findall(rest))
