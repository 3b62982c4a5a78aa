"""One rewrite: ask, judge the answer, ask once more where that may help, and decide which text is shown.

Refuses to know tasks' records, stages and money; the caller says what can be paid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import structlog

from generation.fidelity import Guard, Verdict
from generation.fidelity.restoring import restored
from generation.gemini import Afford, Gemini, GeminiAnswer, GeminiError, afford_all
from generation.gemini.errors import AnswerTooLarge
from generation.gemini.usage import Usage
from generation.marks import MarkFilter, Marks
from generation.prompt_text import INSTRUCTIONS, PromptText
from runtime.tracing import NO_TRACING, Tracing

SHORTEST_REPAIR_S = 10.0
JUDGED_ON_THE_LOOP = 8_000  # characters, which cost 20 ms at most
# Characters of an answer beyond which it is no rewrite of its draft, but a model that does not find its end. It is not
# compared: a pattern blocks all other work while it matches, and 65,536 tokens can be hundreds of thousands.
LONGEST_REWRITE, LONGEST_PER_CHARACTER = 20_000, 4
REPAIR_SHARE = 1.3  # of the first call's time must be left for a second one

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """The input of a rewrite. ``feedback`` may be empty; ``deadline`` is in the event loop's seconds.

    ``afford`` says how many tokens an answer may have, ``sent_tokens`` how many the first request has at most (see
    Gemini.generate); ``short``: with the short instruction.
    """

    draft: str
    feedback: str
    business_type: str
    account: str
    deadline: float
    afford: Afford = afford_all
    short: bool = False
    sent_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The shown text. ``fidelity``: kept | repaired | incomplete; ``warning_code`` is empty where all is well."""

    prompt: str
    model: str
    fidelity: str
    missing_facts: list[str]
    invented_facts: list[str]
    warning_code: str


class Unfaithful(Exception):
    """No answer could be used: most facts lost, our instruction recited, or another language twice."""

    fallback_reason = "ai_unfaithful"


class Steps(Protocol):
    """Observes the first call's progress, and the usage of both calls."""

    async def request_sent(self) -> None: ...

    async def text(self, piece: str) -> None: ...

    @property
    def followed(self) -> bool: ...

    def usage(self, usage: Usage) -> None: ...

    def count_on(self) -> None:
        """Add the usage reported from now on to what was reported before."""


class Rewriter:
    """Turns drafts into prompts with one call, or two."""

    def __init__(self, gemini: Gemini, prompt_text: PromptText, tracing: Tracing = NO_TRACING) -> None:
        self._gemini = gemini
        self._tracing = tracing
        self._prompt_text = prompt_text
        self._guard = Guard(INSTRUCTIONS)

    async def run(self, request: Request, steps: Steps) -> Rewritten | GeminiError | Unfaithful:
        """Return the text that is shown, or the reason that there is none of the AI's."""
        marks, begun = Marks.new(), asyncio.get_running_loop().time()
        try:
            answer = await self._first(request, marks, steps)
        except GeminiError as exc:
            return exc
        verdict = await self._judge(request, answer, marks)
        if verdict.faithful:
            return await _shown(verdict, answer.model, "kept")
        took_s = asyncio.get_running_loop().time() - begun
        second = None
        if self._may_repair(request, took_s):
            with self._tracing.span("repair"):
                second = await self._second(request, marks, verdict, steps)
        if second is not None:
            repaired = await self._judge(request, second, marks)
            twice = verdict.language_changed and repaired.language_changed
            if repaired.badness < verdict.badness:
                verdict, answer = repaired, second
                if verdict.faithful:
                    return await _shown(verdict, answer.model, "repaired")
            if twice:
                return Unfaithful()
        if verdict.grave:
            return Unfaithful()
        return await _shown(verdict, answer.model, "incomplete")

    async def _judge(self, request: Request, answer: GeminiAnswer, marks: Marks) -> Verdict:
        size = len(request.draft) + len(answer.text)
        verdict = await _beside_the_loop(size, partial(self._compare, request, answer.text, marks))
        if not verdict.faithful:
            log.info(
                "answer_unfaithful",
                lost=len(verdict.lost),
                swapped=len(verdict.swapped),
                invented=len(verdict.added),
                leaked=verdict.leaked,
                language_changed=verdict.language_changed,
                answered=verdict.answered,
            )
        return verdict

    def _compare(self, request: Request, answer: str, marks: Marks) -> Verdict:
        prompt = self._prompt_text.take_prompt(answer, marks, request.draft)
        return self._guard.judge(request.draft, restored(request.draft, prompt), request.feedback)

    async def _first(self, request: Request, marks: Marks, steps: Steps) -> GeminiAnswer:
        observer = _Shown(steps, marks)
        answer = await self._gemini.generate(
            system_instruction=self._prompt_text.instruction(request.business_type, marks, short=request.short),
            text=self._prompt_text.request_text(request.draft, request.feedback),
            deadline=request.deadline,
            observer=observer,
            account=request.account,
            afford=request.afford,
            sent_tokens=request.sent_tokens,
            closing=self._prompt_text.closing(marks),
        )
        await observer.end()
        return _of_bounded_length(answer, request.draft)

    def _may_repair(self, request: Request, took_s: float) -> bool:
        left_s = request.deadline - asyncio.get_running_loop().time()
        return left_s >= max(SHORTEST_REPAIR_S, REPAIR_SHARE * took_s) and not self._gemini.closed_to(request.account)

    async def _second(self, request: Request, marks: Marks, verdict: Verdict, steps: Steps) -> GeminiAnswer | None:
        steps.count_on()
        try:
            answer = await self._gemini.generate(
                system_instruction=self._prompt_text.instruction(request.business_type, marks, short=request.short),
                text=self._prompt_text.repair_text(verdict, request.feedback),
                deadline=request.deadline,
                observer=_Unseen(steps),
                account=request.account,
                afford=request.afford,
                closing=self._prompt_text.repair_closing(marks),
                in_one_piece=True,
            )
            return _of_bounded_length(answer, request.draft)
        except GeminiError:
            return None  # it has been logged; the first answer is what there is


def _of_bounded_length(answer: GeminiAnswer, draft: str) -> GeminiAnswer:
    """Return the answer.

    Raises:
        AnswerTooLarge: it is longer than any rewrite of the draft.
    """
    most = LONGEST_REWRITE + LONGEST_PER_CHARACTER * len(draft)
    if len(answer.text) > most:
        log.warning("answer_too_long", characters=len(answer.text), limit_characters=most)
        raise AnswerTooLarge(limit_characters=most)
    return answer


async def _shown(verdict: Verdict, model: str, fidelity: str) -> Rewritten:
    size = len(verdict.draft) + len(verdict.answer)
    return await _beside_the_loop(size, partial(_rewritten, verdict, model, fidelity))


def _rewritten(verdict: Verdict, model: str, fidelity: str) -> Rewritten:
    code = ""
    if verdict.missing_facts and verdict.invented_facts:
        code = "facts_missing_and_invented"
    elif verdict.missing_facts:
        code = "facts_missing"
    elif verdict.invented_facts:
        code = "facts_invented"
    elif verdict.language_changed:
        code = "language_changed"
    return Rewritten(verdict.mended(), model, fidelity, verdict.missing_facts, verdict.invented_facts, code)


async def _beside_the_loop(characters: int, work: Callable[[], T]) -> T:
    """Do work on so many characters of text: a lot of it in a thread, so that it does not block the event loop."""
    return work() if characters <= JUDGED_ON_THE_LOOP else await asyncio.to_thread(work)


class _Shown:
    """An observer of the first call: its text is shown as it comes, without the marks."""

    def __init__(self, steps: Steps, marks: Marks) -> None:
        self._steps = steps
        self._marks = marks
        self._filter = MarkFilter(marks)
        self._has_shown = False

    @property
    def followed(self) -> bool:
        return self._steps.followed

    def restart(self) -> None:
        self._filter = MarkFilter(self._marks)

    async def request_sent(self) -> None:
        await self._steps.request_sent()

    async def text(self, piece: str) -> bool:
        if shown := self._filter.feed(piece):
            self._has_shown |= not shown.isspace()
            await self._steps.text(shown)
        return self._has_shown

    async def end(self) -> None:
        if rest := self._filter.end():
            await self._steps.text(rest)

    def usage(self, usage: Usage) -> None:
        self._steps.usage(usage)


class _Unseen:
    """An observer of the second call, whose text is not shown as it comes: the final document is the truth."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    async def request_sent(self) -> None:
        pass

    async def text(self, piece: str) -> bool:  # noqa: ARG002  # nobody sees it
        return False

    @property
    def followed(self) -> bool:
        return False

    def restart(self) -> None:
        pass

    def usage(self, usage: Usage) -> None:
        self._steps.usage(usage)
