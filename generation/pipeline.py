"""One generation from its first stage to its last: the order of the steps, and the end that each failure leads to.

Refuses to know HTTP, Redis commands and Gemini's protocol. Every write is a fenced step of Tasks: a coroutine that
lost its task learns it from the next write and stops.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TypeVar

import structlog

from accounts import InsufficientTokens, SubscriptionInactive
from generation.budget import Budget, need_of
from generation.documents import (
    CANCELLED,
    INTERNAL,
    SUBSCRIPTION_INACTIVE,
    completed_head,
    fallback_head,
    fidelity_members,
    insufficient_tokens,
)
from generation.errors import TaskClosed, TaskLost
from generation.forecast import Forecast
from generation.gemini import Gemini, GeminiError
from generation.lease import Lease
from generation.marks import Marks
from generation.prompt_text import INSTRUCTION_VERSION, PromptText
from generation.readers import Readers, TextPace
from generation.rewrite import Request, Rewriter, Rewritten, Unfaithful
from generation.stages import (
    CHECKING,
    COMPLETED,
    COMPLETED_BY_FALLBACK,
    FINALIZING,
    GENERATING,
    INITIALIZING,
    QUEUED,
)
from generation.status_copy import StatusCopy
from generation.steps import RETRY_MAX_S, Steps
from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.tracing import NO_TRACING, Tracing
from storage.errors import RecordUnreadable, StorageUnavailable

T = TypeVar("T")
FINISHING_S = 5.0  # kept back from Gemini's share of the task's time, for the last two writes
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
        steps = Steps(self._tasks, lease, self._metrics, self._tracing)
        try:
            await self._generate_or_fail(lease, steps)
        except TaskClosed:
            if await self.cancelled_elsewhere(lease):
                lease.outcome = CANCELLED.error_code
            raise

    async def _generate_or_fail(self, lease: Lease, steps: Steps) -> None:
        try:
            await self._generate(lease, steps)
        except SubscriptionInactive:
            await steps.fail(SUBSCRIPTION_INACTIVE)
        except InsufficientTokens as exc:
            failure, available = insufficient_tokens(exc.needed, exc.available), exc.available
            await steps.write(lambda: self._tasks.draw_as_unable(lease, available))
            await steps.fail(failure)

    async def cancelled_elsewhere(self, lease: Lease) -> bool:
        """Say whether the task was cancelled, as far as that can be read now; if not, it was lost to another owner."""
        with contextlib.suppress(StorageUnavailable, RecordUnreadable):
            return await self._tasks.was_cancelled(lease)
        return False

    async def give_up(self, lease: Lease) -> None:
        """End a task that a defect of ours or an unreadable record broke, as far as that can still be written."""
        with contextlib.suppress(TaskLost, StorageUnavailable, RecordUnreadable):
            steps = Steps(self._tasks, lease, self._metrics, self._tracing)
            steps.take_up(lease.reported)
            try:
                await steps.fail(INTERNAL)
            except RecordUnreadable:
                await self._tasks.endings.fail_unsettled(lease.ref, lease)

    async def _generate(self, lease: Lease, steps: Steps) -> None:
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

    async def _hold(self, lease: Lease, steps: Steps, business_type: str) -> Budget:
        draft, feedback = lease.manual_prompt, lease.steering.feedback
        cap = self._gemini.largest_answer(self._prompt_text.request_text(draft, feedback))
        need_with = partial(need_of, self._prompt_text, cap, business_type, draft, feedback)
        need, hold, refused = need_with(), 0, None
        try:
            hold = await steps.write(lambda: self._tasks.hold(lease, need))
        except InsufficientTokens as exc:
            refused = exc
        # Also when an earlier owner, or version, made a hold that does not cover any text of this size.
        if hold < need.least and (refused is None or refused.needed >= need.least):
            counted = await self._counted(lease, business_type)
            if counted is not None:
                need, refused = need_with(counted), None
                hold = await steps.write(lambda: self._tasks.hold(lease, need))
        if refused is not None:
            raise refused

        async def extend(tokens: int) -> int:
            return await steps.write(lambda: self._tasks.extend_hold(lease, tokens))

        return Budget(need, hold, steps.used, extend)

    async def _counted(self, lease: Lease, business_type: str) -> int | None:
        """Return how many tokens the request has: a balance that does not cover any text's may cover those of this."""
        marks = Marks.new()
        texts = (
            self._prompt_text.instruction(business_type, marks, short=True),
            self._prompt_text.request_text(lease.manual_prompt, lease.steering.feedback),
            self._prompt_text.closing(marks),
        )
        return await self._gemini.count_input(texts, deadline=lease.deadline - FINISHING_S, account=lease.account_id)

    async def _ask(
        self, lease: Lease, steps: Steps, business_type: str, budget: Budget
    ) -> Rewritten | GeminiError | Unfaithful:
        deadline = lease.deadline - FINISHING_S
        steps.estimated_input = budget.estimated_input
        request = Request(
            lease.manual_prompt,
            lease.steering.feedback,
            business_type,
            lease.account_id,
            deadline,
            budget.afford,
            budget.short,
            budget.sent,
        )
        try:
            with self._readers.pace(lease.ref) as pace:
                return await self._ask_at_pace(lease, steps, request, pace)
        except ExceptionGroup as failures:  # the first of the two to learn that the task is lost
            raise failures.exceptions[0] from failures

    async def _ask_at_pace(
        self, lease: Lease, steps: Steps, request: Request, pace: TextPace
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
