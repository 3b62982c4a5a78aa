"""Asks Gemini over HTTP, again where that can help, all within one deadline.

Owns tries and models; refuses to know what a task is and what the answer is for. Nothing that users or
Gemini wrote reaches a log line or an error's text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import aiohttp
import structlog

from generation.gemini import backends, request, spans
from generation.gemini.answer import GeminiAnswer, Reply
from generation.gemini.call import Afford, Call, Observer, afford_all
from generation.gemini.errors import (
    AnswerTruncated,
    ConnectionFailed,
    GeminiError,
    ModelUnavailable,
    ThinkingRefused,
    TimedOut,
    Unaffordable,
)
from generation.gemini.exchange import Exchanges
from generation.gemini.models import Model, Models, more_telling
from generation.gemini.retries import pause_before_next_try_s
from generation.gemini.session import Progress
from generation.gemini.usage import Usage
from runtime.settings import GeminiSettings
from runtime.tracing import NO_TRACING, Tracing

COUNT_S = 3.0  # a count is waited for so long
MAX_CLOSED = 10  # connections of the pool that Google had closed, before one more counts as a try

log = structlog.get_logger(__name__)


def _ignore(*_facts: object) -> None:
    pass


class Gemini:
    """The models of the settings at one address, over a session from ``open_session``.

    ``attempted`` is called with (outcome, seconds) for each try: ok, cancelled, or the failure's class; ``billed`` with
    the usage that a try reported, and the model's name in the settings; ``answered`` with the name of the model that
    answered a call, and its tier. ``open_requests`` counts the tries and counts in progress.
    ``tokens`` (from ``open_tokens``) are the credentials where there is no key. With ``trace_texts`` the traces hold
    the texts of requests and answers.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: GeminiSettings,
        *,
        tokens: backends.Tokens | None = None,
        attempted: Callable[[str, float], None] = _ignore,
        billed: Callable[[Usage, str], None] = _ignore,
        answered: Callable[[str, str], None] = _ignore,
        tracing: Tracing = NO_TRACING,
        trace_texts: bool = False,
    ) -> None:
        self._settings = settings
        self._exchanges = Exchanges(session, settings, tokens)
        self._attempted = attempted
        self._billed = billed
        self._answered = answered
        self._tracing = tracing
        self._trace_texts = trace_texts
        self._free_connections = asyncio.Semaphore(settings.connections)
        self.models = Models(settings)
        self.open_requests = 0

    @property
    def breaker_state(self) -> str:
        """closed | open | probing: of the first model, unless another one's is closed"""
        states = [model.breaker.state for model in self.models.all]
        return "closed" if "closed" in states else states[0]

    def closed_to(self, account: str) -> bool:
        """Say whether every model's circuit breaker refuses this account, so that a call would fail at once."""
        return all(model.breaker.closed_to(account) for model in self.models.in_order())

    def largest_answer(self, text: str) -> int:
        """Return how many tokens the answer to a text may have, thoughts included, whatever the account can pay."""
        return request.output_cap(self._settings, text)

    async def count_input(self, texts: Sequence[str], *, deadline: float, account: str = "") -> int | None:
        """Return how many tokens the texts have for the first model, which costs nothing.

        None when Gemini does not say so within ``COUNT_S`` and by ``deadline`` (event loop seconds).
        """
        model = next(iter(self.models.in_order()))
        if model.breaker.closed_to(account):
            return None
        left_s = min(COUNT_S, deadline - asyncio.get_running_loop().time())
        counted = None
        told, known = (
            spans.span_name(spans.COUNT, model.name),
            spans.of_operation(self._settings, model.name, spans.COUNT),
        )
        with suppress(TimeoutError), self._tracing.span(told, "client", attributes=known) as span:
            async with asyncio.timeout(left_s), self._free_connections:
                with self._open_request():
                    counted = await self._exchanges.count(model.name, texts)
            if counted is None:
                span.fail("not_counted")
        if counted is None:
            log.warning("gemini_not_counted", model=model.name, effect="a token for each byte is assumed")
        else:
            log.debug("gemini_counted", model=model.name, tokens=counted)
        return counted

    @contextmanager
    def _open_request(self) -> Iterator[None]:
        self.open_requests += 1
        try:
            yield
        finally:
            self.open_requests -= 1

    async def generate(
        self,
        *,
        system_instruction: str,
        text: str,
        deadline: float,
        observer: Observer,
        account: str = "",
        closing: str = "",
        afford: Afford = afford_all,
        sent_tokens: int = 0,
        in_one_piece: bool = False,
    ) -> GeminiAnswer:
        """Return Gemini's answer; everything ends by ``deadline`` (event loop seconds).

        Within it ``deadline_s`` of the settings bounds Gemini's part (connecting, tries, pauses, all models); the wait
        for a free connection of ours comes on top. ``closing`` is said after the text, in a part of its own.
        ``account`` is the paying account, for the circuit breakers alone; ``afford`` is called before each try with the
        tokens sent and the tokens wanted, and returns how many tokens the answer may have; ``sent_tokens``: how many
        are sent at most, where that is known better than by the texts' bytes. ``in_one_piece``: the answer is not shown
        as it grows, so it is not requested as a stream. A cancelled call closes its connection at once.

        Raises:
            GeminiError: there is none; it has been logged, as an error when it is the operator's problem.
        """
        streamed = self._settings.stream and not in_one_piece
        share_s = self._settings.deadline_s
        call = Call(
            system_instruction, text, deadline, share_s, observer, closing, afford, sent_tokens, streamed=streamed
        )
        try:
            async with call.observer_notified_when_sent():
                answer = await self._any_model(call, account)
        except GeminiError as exc:
            write = log.error if exc.operators_problem else log.warning
            named = {"response_id": call.response_id} if call.response_id else {}
            write("gemini_failed", failure=type(exc).__name__, tries=call.tries, **named, **exc.facts)
            raise
        log.info(
            "gemini_answered",
            model=answer.model,
            tries=answer.tries,
            total_tokens=answer.total_tokens,
            tier=answer.tier,
            response_id=answer.response_id,
        )
        return answer

    async def _any_model(self, call: Call, account: str) -> GeminiAnswer:
        failure: GeminiError | None = None
        *others, last = self.models.in_order()
        for model in (*others, last):
            try:
                return await self._ask_model(call, model, account, last=model is last)
            except GeminiError as exc:
                failure = more_telling(failure, exc)
                if isinstance(exc, ModelUnavailable):
                    self.models.set_aside(model)
                    _report(exc, model)
                if model is last or call.text_passed_on or not exc.next_model or call.remaining_s <= 0:
                    if failure is exc:
                        raise
                    raise failure from None  # an open circuit adds nothing to the first model's failure
                log.warning("gemini_next_model", model=model.name, failure=type(exc).__name__)
        raise AssertionError("there is a last model")

    async def _ask_model(self, call: Call, model: Model, account: str, *, last: bool) -> GeminiAnswer:
        with model.breaker.call(account) as probe:
            answer = await self._tries(call, model, account, most=1 if probe else self._settings.tries, last=last)
        model.unavailable = False
        self._answered(model.name, answer.tier)
        return answer

    async def _tries(self, call: Call, model: Model, account: str, *, most: int, last: bool) -> GeminiAnswer:
        if call.remaining_s <= 0:
            raise TimedOut(limit="deadline", phase="queue")
        before: GeminiError | None = None
        cap, tries, closed = call.larger_cap or request.output_cap(self._settings, call.text), 0, 0
        while True:
            try:
                cap = await call.affordable(cap)
            except Unaffordable:
                if before is not None:
                    raise before from None  # that says more about why there is no answer
                raise
            tries += 1
            call.begin_try()
            asked, left_s = model.thinking_level, call.remaining_s
            try:
                async with call.connection(self._free_connections):
                    asked = model.thinking_level  # another request may have changed it meanwhile
                    return await self._try(call, model, cap)
            except ThinkingRefused as exc:
                if not model.change_thinking(asked):
                    raise
                level = model.thinking_level or "the model's own"
                log.warning("gemini_thinking_level_lowered", model=model.name, level=level, **exc.facts)
                tries -= 1  # it was refused before anything was done
            except GeminiError as exc:
                if isinstance(exc, ConnectionFailed) and exc.was_closed and closed < MAX_CLOSED:
                    closed, tries = closed + 1, tries - 1  # says nothing about Google: the next one may be new
                    continue
                if call.text_passed_on and exc.again and not isinstance(exc, TimedOut):
                    raise AnswerTruncated(cut_by=exc) from exc
                if call.text_passed_on:
                    raise
                if exc.facts.get("finish_reason") == "MAX_TOKENS":
                    if call.too_small_cap or (larger := request.larger_cap(self._settings, cap)) is None:
                        raise
                    cap, call.larger_cap, call.too_small_cap = larger, larger, cap
                    before = exc
                    tries -= 1  # it was the cap that failed
                    continue
                pause_s = pause_before_next_try_s(exc, before, tries, self._settings, last_model=last)
                if pause_s is None or tries >= most or call.remaining_s <= pause_s:
                    raise
                if not last and exc.next_model and not call.leaves_time_for_another(pause_s, left_s - call.remaining_s):
                    raise
                before = exc
                await asyncio.sleep(pause_s)
                if model.breaker.closed_to(account):  # other calls' failures have opened it meanwhile
                    raise

    async def _try(self, call: Call, model: Model, cap: int) -> GeminiAnswer:
        body = request.body(self._settings, call.system_instruction, call.text, cap, model.thinking_level, call.closing)
        reply, progress = Reply(request.max_tokens(body, cap)), Progress(call.sent)
        started, outcome = time.perf_counter(), "cancelled"
        log.debug("gemini_asked", model=model.name, number=call.tries, characters=len(call.text), output_cap=cap)
        try:
            with self._open_request(), self._traced(call, model, cap, reply, progress):
                await self._exchanges.fill(call, model.name, body, reply, progress)
                text = reply.whole(streamed=call.streamed)
            outcome = "ok"
        except GeminiError as exc:
            outcome = type(exc).__name__
            raise
        else:
            return GeminiAnswer(
                text, reply.usage, reply.model or model.name, call.tries, progress.tier or reply.tier, reply.response_id
            )
        finally:
            call.end_of_try(reply)
            model.note(reply.model_status)
            self._attempted(outcome, time.perf_counter() - started)
            log.debug("gemini_try_ended", model=model.name, outcome=outcome, first_data_ms=progress.first_data_ms)
            if reply.usage:
                self._billed(reply.usage, model.name)
            if reply.usage_doubted:
                log.warning("gemini_usage_not_believed", effect="the last count that can be true is charged")

    @contextmanager
    def _traced(self, call: Call, model: Model, cap: int, reply: Reply, progress: Progress) -> Iterator[None]:
        """Make one span of one request, whatever its outcome."""
        if not self._tracing.active:
            yield
            return
        known = spans.of_request(self._settings, call, model.name, model.thinking_level, cap)
        with self._tracing.span(spans.span_name(spans.GENERATE, model.name), "client", attributes=known) as span:
            try:
                yield
            finally:
                span.set(spans.of_reply(reply, progress, streamed=call.streamed))
                if self._trace_texts:
                    span.set(spans.of_texts(call, reply))


def _report(failure: ModelUnavailable, model: Model) -> None:
    log.error("gemini_model_unavailable", model=model.name, effect="others are asked instead", **failure.facts)
