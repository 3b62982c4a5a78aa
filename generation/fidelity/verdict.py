"""The verdict on an answer, and the repairs that need no second call.

Refuses to know when an answer is judged and what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from generation.fidelity import comparing, languages, substitutes
from generation.fidelity.fact import Fact
from generation.fidelity.folding import fold
from generation.fidelity.headings import HEADINGS
from generation.fidelity.spelling import Written

FEW_FACTS = 3  # where a draft has fewer, losing most of them says little


@dataclass(frozen=True)
class Verdict:
    """Facts ``lost`` and ``swapped`` of the draft, ``added`` ones of the answer, and what else is wrong with it."""

    draft: str
    answer: str
    lost: tuple[Fact, ...] = ()
    swapped: tuple[Fact, ...] = ()
    added: tuple[Fact, ...] = ()
    facts: int = 0
    leaked: bool = False
    language_changed: bool = False
    answered: bool = False

    @property
    def faithful(self) -> bool:
        return not (self.lost or self.swapped or self.added or self.leaked or self.language_changed or self.answered)

    @property
    def grave(self) -> bool:
        """Whether the answer is no use as a rewrite, a changed language aside: that may be mended by asking again."""
        return self.leaked or self.answered or (self.facts >= FEW_FACTS and 2 * len(self.lost) > self.facts)

    @property
    def badness(self) -> tuple[int, ...]:
        """Of two answers to one draft the one with the lower badness is better."""
        return (
            self.grave + 2 * self.leaked,
            int(self.language_changed),
            len(self.lost) + len(self.swapped),
            len(self.added),
        )

    @cached_property
    def _written(self) -> Written:
        return Written(self.draft)

    @cached_property
    def missing_facts(self) -> list[str]:
        """The lost and swapped facts as the draft spells them."""
        return self._written.names((*self.lost, *self.swapped)) if self.lost or self.swapped else []

    @cached_property
    def invented_facts(self) -> list[str]:
        """The invented facts as the answer spells them."""
        return Written(self.answer).names(self.added) if self.added else []

    def mended(self) -> str:
        """Return the answer with the draft's own sentences behind it that carry what is missing."""
        if not (self.lost or self.swapped):
            return self.answer
        heading = HEADINGS.get(languages.language(self.draft), HEADINGS["en"])
        sentences = self._written.sentences((*self.lost, *self.swapped))
        lines = [sentence if sentence.startswith(("- ", "* ", "|", "#")) else f"- {sentence}" for sentence in sentences]
        return f"{self.answer.rstrip()}\n\n## {heading}\n" + "\n".join(lines)


class Guard:
    """Judges answers. ``own_words``: what of ours must never come back in one."""

    def __init__(self, own_words: str) -> None:
        self._own = substitutes.runs(own_words)

    def judge(self, draft: str, answer: str, feedback: str = "") -> Verdict:
        """Compare an answer with its draft. What the feedback asks for is neither lost nor invented."""
        folded_draft, folded_answer = fold(draft), fold(answer)
        compared = comparing.compare(folded_draft, folded_answer)
        lost, moved, added = compared.lost, compared.swapped, compared.invented
        if feedback and (lost or moved or added):
            lost, moved, added = _as_wished(feedback, lost, moved, added)
        if folded_draft == folded_answer:
            return Verdict(draft, answer)
        return Verdict(
            draft,
            answer,
            tuple(lost),
            tuple(moved),
            tuple(added),
            compared.facts,
            substitutes.leaked(self._own, draft, answer),
            not feedback and languages.changed(draft, answer),
            substitutes.answered(folded_draft, folded_answer, lost=len(lost), facts=compared.facts),
        )


def _as_wished(
    feedback: str, lost: list[Fact], moved: list[Fact], added: list[Fact]
) -> tuple[list[Fact], list[Fact], list[Fact]]:
    """Leave out what the feedback names, and the lost facts for which it gives another of their kind."""
    text = fold(feedback)
    wished = comparing.read(text, {})
    kinds = {fact.kind for fact in wished.found}
    if kinds & {"amount", "number"}:
        kinds |= {"amount", "number"}
    return (
        [fact for fact in lost if fact.kind not in kinds and fact.text not in text],
        [fact for fact in moved if fact.kind not in kinds],
        [fact for fact in added if not wished.has(fact)],
    )
