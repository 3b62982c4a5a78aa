"""One generation from its first stage to its last: the order of the steps, and the end that each failure leads to.

Refuses to know HTTP, Redis commands and Gemini's protocol. Every write is a fenced step of Tasks: a coroutine that
lost its task learns it from the next write and stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from accounts import InsufficientTokens, SubscriptionInactive
from generation.budget import Budget, need_of
from generation.documents import (
    INTERNAL,
    SUBSCRIPTION_INACTIVE,
    Failure,
    completed_head,
    fallback_head,
    fidelity_members,
    insufficient_tokens,
)
from generation.errors import TaskClosed, TaskLost
from generation.estimate import estimated_input
from generation.forecast import Forecast
from generation.gemini import Gemini, GeminiError, Usage
from generation.lease import Lease
from generation.prompt_text import INSTRUCTION_VERSION, PromptText
from generation.readers import Readers, TextPace
from generation.rewrite import Request, Rewriter, Rewritten, Unfaithful
from generation.stages import (
    CHECKING,
    COMPLETED,
    COMPLETED_BY_FALLBACK,
    FAILED,
    FINALIZING,
    GENERATING,
    INITIALIZING,
    QUEUED,
    WAITING,
    Stage,
)
from generation.status_copy import StatusCopy
from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.tracing import NO_TRACING, Tracing
from storage.errors import RecordUnreadable, StorageUnavailable

T = TypeVar("T")
FINISHING_S = 5.0  # kept back from Gemini's share of the task's time, for the last two writes
RETRY_FIRST_S, RETRY_MAX_S = 0.1, 1.0
NO_VERSION, LONG_S = 1 << 60, 60.0  # wait for the end alone, one look after the other

log = structlog.get_logger(__name__)


class Pipeline:
    """Runs one lease to its end."""

    def __init__(
        self,
        tasks: Tasks,
        gemini: Gemini,
        prompt_text: PromptText,
        copy: StatusCopy,
        readers: Readers,
        metrics: Metrics,
        forecast: Forecast,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._tasks = tasks
        self._copy = copy
        self._gemini = gemini
        self._readers = readers
        self._rewriter = Rewriter(gemini, prompt_text, tracing)
        self._prompt_text = prompt_text
        self._metrics = metrics
        self._forecast = forecast
        self._tracing = tracing

    async def run(self, lease: Lease, queued_s: float) -> None:
        """Take the task through its stages until it is terminal; it has waited ``queued_s`` for its place.

        Raises:
            TaskLost: another owner has it or it was ended; nothing more was written.
            StorageUnavailable: Redis was away until the task's deadline.
        """
        self._metrics.stage_ended(QUEUED.name, queued_s)
        steps = _Steps(self._tasks, lease, self._metrics, self._tracing)
        try:
            await self._generate(lease, steps)
        except SubscriptionInactive:
            await steps.fail(SUBSCRIPTION_INACTIVE)
        except InsufficientTokens as exc:
            await steps.fail(insufficient_tokens(exc.needed, exc.available))

    async def give_up(self, lease: Lease) -> None:
        """End a task that a defect of ours or an unreadable record broke, as far as that can still be written."""
        with contextlib.suppress(TaskLost, StorageUnavailable, RecordUnreadable):
            try:
                await _Steps(self._tasks, lease, self._metrics, self._tracing).fail(INTERNAL)
            except RecordUnreadable:
                await self._tasks.endings.fail_unsettled(lease.ref, lease)

    async def _generate(self, lease: Lease, steps: _Steps) -> None:
        await steps.advance(INITIALIZING)
        await steps.advance(CHECKING)
        business_type = lease.steering.business_type or await steps.write(lambda: self._tasks.business_type(lease))
        budget = await self._hold(lease, steps, business_type)
        await steps.advance(GENERATING, self._forecast.duration_s())
        begun = asyncio.get_running_loop().time()
        outcome = await self._ask(lease, steps, business_type, budget)
        await steps.advance(FINALIZING)
        if isinstance(outcome, Rewritten):
            self._metrics.rewritten(outcome.fidelity, INSTRUCTION_VERSION)
            head = completed_head(outcome.prompt, outcome.model, fidelity_members(outcome, self._prompt_text))
            await steps.complete(COMPLETED, head, "generated")
        else:
            reason = outcome.fallback_reason
            if isinstance(outcome, Unfaithful):
                self._metrics.rewritten("unfaithful", INSTRUCTION_VERSION)
            prompt = self._prompt_text.fallback(business_type, lease.manual_prompt)
            warning = self._prompt_text.fallback_warning(reason, business_type, lease.manual_prompt)
            await steps.complete(COMPLETED_BY_FALLBACK, fallback_head(prompt, warning, reason), reason)
        self._forecast.ended(asyncio.get_running_loop().time() - begun)

    async def _hold(self, lease: Lease, steps: _Steps, business_type: str) -> Budget:
        draft, feedback = lease.manual_prompt, lease.steering.feedback
        cap = self._gemini.largest_answer(self._prompt_text.request_text(draft, feedback))
        need = need_of(self._prompt_text, cap, business_type, draft, feedback)
        hold = await steps.write(lambda: self._tasks.hold(lease, need))

        async def extend(tokens: int) -> int:
            return await steps.write(lambda: self._tasks.extend_hold(lease, tokens))

        return Budget(need, hold, steps.used, extend)

    async def _ask(
        self, lease: Lease, steps: _Steps, business_type: str, budget: Budget
    ) -> Rewritten | GeminiError | Unfaithful:
        deadline = lease.deadline - FINISHING_S
        steps.estimated_input = estimated_input(
            self._prompt_text, business_type, lease.manual_prompt, lease.steering.feedback, short=budget.short
        )
        request = Request(
            lease.manual_prompt,
            lease.steering.feedback,
            business_type,
            lease.account_id,
            deadline,
            budget.afford,
            budget.short,
        )
        try:
            with self._readers.pace(lease.ref) as pace:
                return await self._ask_at_pace(lease, steps, request, pace)
        except ExceptionGroup as failures:  # the first of the two to learn that the task is lost
            raise failures.exceptions[0] from failures

    async def _ask_at_pace(
        self, lease: Lease, steps: _Steps, request: Request, pace: TextPace
    ) -> Rewritten | GeminiError | Unfaithful:
        outcome: Rewritten | GeminiError | Unfaithful
        async with asyncio.TaskGroup() as group:
            group.create_task(steps.publish(pace))
            guard = group.create_task(self._learn_of_end(lease))
            outcome = await self._rewriter.run(request, steps)
            guard.cancel()
            steps.no_more_text()
            pace.end()
        return outcome

    async def _learn_of_end(self, lease: Lease) -> None:
        """Raise TaskClosed when the task is ended elsewhere, so that Gemini's connection is closed at once.

        A missing document is not an end: it may have expired, or a server may have answered that does not get our
        writes. The next write finds out whether the task is still there.
        """
        while True:
            document = None
            with contextlib.suppress(StorageUnavailable):
                document = await self._copy.wait(lease.account_id, lease.task_id, NO_VERSION, LONG_S)
            if document is not None and document.terminal:
                raise TaskClosed
            if document is None:
                await asyncio.sleep(RETRY_MAX_S)


class _Steps:
    """The writes of one run, repeated while Redis is away; also Gemini's observer.

    What Gemini reports is written by ``publish`` in a coroutine of its own, so that a slow Redis never holds up
    the reading of Gemini's stream; pieces that arrive meanwhile are written together.
    """

    def __init__(self, tasks: Tasks, lease: Lease, metrics: Metrics, tracing: Tracing) -> None:
        self._tasks = tasks
        self._lease = lease
        self._metrics = metrics
        self._tracing = tracing
        self._loop = asyncio.get_running_loop()
        self._stage: Stage | None = None
        self._stage_since, self._stage_since_ns = self._loop.time(), time.time_ns()
        self._used = self._used_before = lease.used_kinds
        self._pieces: list[str] = []
        self._sent = False
        self.estimated_input = 0
        self._ended = self._text_came = False
        self._news = asyncio.Event()

    async def write(self, step: Callable[[], Awaitable[T]]) -> T:
        """Repeat a step while Redis is away, until the task's deadline: every step can be repeated."""
        delay_s = RETRY_FIRST_S
        while True:
            try:
                return await step()
            except StorageUnavailable:
                if self._loop.time() + delay_s >= self._lease.deadline:
                    raise
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, RETRY_MAX_S)

    async def advance(self, stage: Stage, expected_s: float | None = None) -> None:
        estimate = self.estimated_input if stage is WAITING else 0
        await self.write(lambda: self._tasks.advance(self._lease, stage, expected_s, estimate))
        self._note_stage(stage)

    async def complete(self, stage: Stage, head: bytes, reason: str) -> None:
        self._lease.closing = True
        await self.write(
            lambda: self._tasks.endings.complete(self._lease, stage, head, self._used.total, reason, self._used)
        )
        self._note_stage(stage)
        self._tracing.note({"prompt.outcome": reason})

    async def fail(self, failure: Failure) -> None:
        self._lease.closing = True
        await self.write(lambda: self._tasks.endings.fail(self._lease, failure, self._used.total, self._used))
        self._note_stage(FAILED)
        self._tracing.note({"prompt.outcome": failure.error_code})

    def used(self) -> int:
        """Return the tokens reported so far, over the task's whole life."""
        return self._used.total

    async def request_sent(self) -> None:
        self._sent = True
        self._lease.estimated_input = self.estimated_input  # from now on, whenever stage 70 can be written
        self._news.set()

    async def text(self, piece: str) -> None:
        if not self._text_came:
            self._text_came = True
            seconds = self._loop.time() - self._tasks.submitted_at(self._lease)
            self._metrics.first_text(seconds)
            self._tasks.endings.last_hour.first_text(seconds)
        self._pieces.append(piece)
        self._news.set()

    def usage(self, usage: Usage) -> None:
        self._used = self._lease.reported = self._used_before + usage
        self._news.set()

    def count_on(self) -> None:
        """Add the usage of the next call to that of the calls before it."""
        self._used_before = self._used

    def no_more_text(self) -> None:
        self._ended = True
        self._news.set()

    async def publish(self, pace: TextPace) -> None:
        """Write stage 70 at once and Gemini's text as its readers need it, until it ends."""
        number, noted = 0, self._used
        while True:
            await self._news.wait()
            self._news.clear()
            ended = self._ended
            if self._sent and self._stage is GENERATING:
                await self.advance(WAITING)
            if (self._pieces or self._used != noted) and await pace.until_wanted():
                text, noted = "".join(self._pieces), self._used
                self._pieces.clear()
                number += bool(text)
                await self._publish(number, text, noted)
            if ended:
                return

    async def _publish(self, number: int, text: str, used: Usage) -> None:
        chunk = {"attempt": self._lease.attempt, "text": text}
        data = json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode() if text else b""
        await self.write(lambda: self._tasks.publish(self._lease, number, data, used.total, used))

    def _note_stage(self, stage: Stage) -> None:
        now = self._loop.time()
        if self._stage is not None:
            self._metrics.stage_ended(self._stage.name, now - self._stage_since)
            self._tracing.record(f"stage {self._stage.name}", self._stage_since_ns)
        self._stage, self._stage_since, self._stage_since_ns = stage, now, time.time_ns()
        log.info("stage", stage=stage.name, progress=stage.progress)
