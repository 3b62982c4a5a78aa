"""Pairs of facts that took each other's places, told by the phrases beside them; a fact may stand in a text twice.

Refuses to know which facts are lost. Pure; linear in the number of facts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import takewhile

from generation.fidelity.fact import Fact, Key
from generation.fidelity.places import CONJUNCTIONS, LINE_END, REACH, Place, tokens_of
from generation.fidelity.surroundings import SAYING_LITTLE, UNITS

SEGMENT_END = re.compile(rf"[,;|()/]|{LINE_END.pattern}")
RANGE = re.compile(r" ?[-~/] ?")
SAYING_NOTHING = UNITS | CONJUNCTIONS | SAYING_LITTLE
LONGEST_WHOLE = 5  # words
MOST_FACTS = 400  # whose phrases are compared


def exchanged(draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str) -> set[Key]:
    """Return the facts each of which stands beside phrases of the other's in the draft, and beside none of its own.

    Both sequences are in the order of their texts.
    """
    drafted, answered = _keys(draft), _keys(answer)
    if drafted == answered or len(drafted) > MOST_FACTS or len(answered) > MOST_FACTS:
        return set()
    owners = _owners(draft, draft_text)
    both = set(drafted) & set(answered)
    took: set[tuple[Key, Key]] = set()
    phrases = _phrases(answer, answer_text)
    counts = Counter(phrase for mine in phrases for phrase in mine)
    for key, mine in zip(answered, phrases, strict=True):
        if key not in both:
            continue
        fits = Counter(owners[phrase] for phrase in mine if phrase in owners and counts[phrase] == 1)
        others = [other for other in fits if other != key and other in both]
        if others and not fits[key]:
            took.add((key, max(others, key=lambda other: fits[other])))
    return {key for key, other in took if (other, key) in took}


def beside_their_own(
    draft: Sequence[Fact], draft_text: str, answer: Sequence[Fact], answer_text: str
) -> tuple[set[Key], set[Key]]:
    """Return the facts beside which the answer has a phrase that is theirs alone in the draft, and those with a whole.

    A whole one is all that stands behind a fact in its part of the sentence.
    """
    owners = _owners(draft, draft_text)
    phrases = _phrases(answer, answer_text)
    counts = Counter(phrase for mine in phrases for phrase in mine)
    own = [
        (key, phrase[0])
        for key, mine in zip(_keys(answer), phrases, strict=True)
        for phrase in mine
        if owners.get(phrase) == key and counts[phrase] == 1 and not SAYING_NOTHING.issuperset(phrase[1:])
    ]
    return {key for key, _ in own}, {key for key, side in own if side == "whole"}


def _keys(facts: Sequence[Fact]) -> list[Key]:
    return [fact.ways[0][0] for fact in facts]


def _owners(facts: Sequence[Fact], text: str) -> dict[Place, Key]:
    """Return which fact stands beside each phrase, as far as one alone does."""
    keys: dict[Place, set[Key]] = defaultdict(set)
    for fact, phrases in zip(facts, _phrases(facts, text), strict=True):
        for phrase in phrases:
            keys[phrase].add(fact.ways[0][0])
    return {phrase: next(iter(owners)) for phrase, owners in keys.items() if len(owners) == 1}


def _phrases(facts: Sequence[Fact], text: str) -> list[list[Place]]:
    """Return what stands beside each fact: before it, behind it, and behind the word that may be its unit."""
    phrases: list[list[Place]] = []
    before: tuple[str, ...] = ()
    end = 0
    for number, fact in enumerate(facts):
        left = text[max(end, fact.start - REACH) : fact.start]
        if number and RANGE.fullmatch(left):
            before = ("to", *before) if before and before[0] != "to" else ()
        else:
            words = tokens_of(SEGMENT_END.split(left)[-1]) or tokens_of(LINE_END.split(left)[-1].rpartition("|")[2])
            words = words[_last_conjunction(words) + 1 :]
            before = tuple(words[-3:] if words and words[-1] >= "\u3040" else words[-2:])
        end = fact.start + len(fact.text)
        following = facts[number + 1].start if number + 1 < len(facts) else len(text)
        right = text[end : min(end + REACH, following)]
        behind = tokens_of(SEGMENT_END.split(right + " ")[0]) if right else []
        behind = list(takewhile(lambda word: word not in CONJUNCTIONS, behind))
        mine: list[Place] = [("before", *before)] if before else []
        if behind:
            mine.append(("behind", *behind[:2]))
            if 1 < len(behind) <= LONGEST_WHOLE:
                mine.append(("whole", *behind))
            if len(behind) > 1:
                mine.append(("later", *behind[1:3]))
        phrases.append(mine)
    return phrases


def _last_conjunction(words: Sequence[str]) -> int:
    return max((at for at, word in enumerate(words) if word in CONJUNCTIONS), default=-1)
