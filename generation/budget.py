"""The budget of one generation in tokens, and the share of each request to Gemini.

The hold covers whatever is asked for, so that nothing is used that could not be collected. Refuses to know how a hold
is made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from generation.gemini.token_estimate import tokens_at_most, tokens_likely, tokens_of_prose, tokens_usually
from generation.marks import Marks
from generation.prompt_text import PromptText

THOUGHTS, FEW_THOUGHTS = 1_024, 64  # tokens that a rewrite has room for beside its text
SHORT_REWRITE = 128  # tokens that a rewrite is longer than its draft
LONGER_REWRITE = 1.25  # times its draft
OTHER_MARKS = 32  # tokens that other random marks can have more than those that were counted


@dataclass(frozen=True, slots=True)
class Need:
    """Tokens that a generation may cost.

    ``at_most``: with the largest answer that the draft gets, and a repair call; ``whole``: one call with room for
    thoughts and a whole rewrite; ``least``: that with the short instruction and hardly any thoughts. ``rewrite``: what
    an answer must have room for. ``doubtful``: by how much the tokens sent are more than usual for such a text.
    ``likely``: tokens of a request with the short instruction, as Gemini counted them or as such texts are likely to
    have; ``longer``: by how much one with the whole instruction is more.
    """

    at_most: int = 0
    whole: int = 0
    least: int = 0
    rewrite: int = 0
    doubtful: int = 0
    likely: int = 0
    longer: int = 0


NO_NEED = Need()


def need_of(
    texts: PromptText, cap: int, business_type: str, draft: str, feedback: str, counted: int | None = None
) -> Need:
    """Return what a rewrite of the draft may cost at most; ``cap``: tokens that its answer may have.

    ``counted``: tokens of the request with the short instruction, where Gemini has counted them.
    """
    marks = Marks.new()
    text = texts.request_text(draft, feedback)
    data = tokens_at_most(text)
    ours = tokens_of_prose(texts.instruction(business_type, marks, short=True)) + tokens_of_prose(texts.closing(marks))
    longer = tokens_of_prose(texts.instruction(business_type, marks)) + tokens_of_prose(texts.closing(marks)) - ours
    sent_short = ours + data if counted is None else counted + OTHER_MARKS
    sent = sent_short + longer
    in_draft = tokens_usually(draft) if counted is None else max(0, counted - ours)
    rewrite = FEW_THOUGHTS + SHORT_REWRITE + int(LONGER_REWRITE * in_draft)
    repair = sent + data + cap
    likely = ours + min(data, tokens_likely(text)) if counted is None else counted
    doubtful = max(0, data - tokens_usually(text)) if counted is None else 0
    return Need(sent + cap + repair, sent + THOUGHTS + rewrite, sent_short + rewrite, rewrite, doubtful, likely, longer)


class Budget:
    """One task's tokens while it runs. ``hold`` is what is set aside, ``used`` says how much has been used so far.

    ``extend`` makes the hold as large as asked, or as the balance allows, and returns its size.
    """

    def __init__(self, need: Need, hold: int, used: Callable[[], int], extend: Callable[[int], Awaitable[int]]) -> None:
        self._need = need
        self._hold = hold
        self._used = used
        self._extend = extend
        self._asked = False

    @property
    def short(self) -> bool:
        """Say whether only the short instruction can be paid."""
        return self._hold - self._used() < self._need.whole

    @property
    def sent(self) -> int:
        """Return how many tokens the first request has at most."""
        need = self._need
        return (need.least if self.short else need.whole - THOUGHTS) - need.rewrite

    @property
    def estimated_input(self) -> int:
        """Return how many tokens the first request has, for a task that is stopped before Gemini reports any."""
        return self._need.likely + (0 if self.short else self._need.longer)

    async def afford(self, sent: int, wanted: int) -> int:
        """Return how many tokens the answer to a request of ``sent`` tokens may have: ``wanted`` at most.

        0: not enough for a whole rewrite. The first request makes do with the hold, so that an account's parallel tasks
        share the balance; later ones take what the balance has.
        """
        used = self._used()
        may = self._hold - used - sent
        if may < (wanted if self._asked else self._need.rewrite):
            self._hold = await self._extend(used + sent + wanted)
            may = self._hold - used - sent
        self._asked = True
        return min(wanted, may) if may >= self._need.rewrite else 0
