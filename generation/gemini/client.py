"""Asks Gemini over HTTP, again where that can help, all within one deadline.

Owns tries and the circuit breaker; refuses to know what a task is and what the answer is for. Nothing that users or
Gemini wrote reaches a log line or an error's text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import aiohttp
import structlog

from generation.gemini import request
from generation.gemini.answer import Answer, Reply
from generation.gemini.breaker import Breaker
from generation.gemini.call import Call, Observer
from generation.gemini.errors import (
    AnswerTooLarge,
    AnswerTruncated,
    ConnectionFailed,
    GeminiError,
    MalformedAnswer,
    TimedOut,
)
from generation.gemini.event_stream import EventStream
from generation.gemini.refusals import refusal
from generation.gemini.retries import pause_before_next_try_s
from generation.gemini.session import Progress
from runtime.settings import GeminiSettings

log = structlog.get_logger(__name__)


class Gemini:
    """One model at one address, over a session from ``open_session``.

    ``attempted`` is told (outcome, seconds) for each try: ok, cancelled, or the failure's class.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: GeminiSettings,
        *,
        attempted: Callable[[str, float], None] = lambda _outcome, _seconds: None,
    ) -> None:
        self._session = session
        self._settings = settings
        self._attempted = attempted
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_open_s)
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_timeout_s, sock_read=settings.silence_timeout_s
        )

    @property
    def breaker_state(self) -> str:
        """closed | open | probing"""
        return self._breaker.state

    async def generate(self, *, system_instruction: str, text: str, deadline: float, observer: Observer) -> Answer:
        """Return Gemini's answer; everything (connecting, tries, pauses) ends by ``deadline`` (event loop seconds).

        A cancelled call closes its connection at once.

        Raises:
            GeminiError: why there is none; it has been logged, as an error when it is the operator's problem.
        """
        call = Call(request.body(self._settings, system_instruction, text), deadline, observer)
        try:
            with self._breaker.call() as probe:
                async with call.told_when_sent():
                    answer = await self._tries(call, 1 if probe else self._settings.tries)
        except GeminiError as exc:
            write = log.error if exc.operators_problem else log.warning
            write("gemini_failed", failure=type(exc).__name__, tries=call.tries, **exc.facts)
            raise
        log.info("gemini_answered", model=answer.model, tries=answer.tries, total_tokens=answer.total_tokens)
        return answer

    async def _tries(self, call: Call, most: int) -> Answer:
        if call.remaining_s <= 0:
            raise TimedOut(limit="deadline", phase="queue")
        while True:
            call.tries += 1
            try:
                return await self._try(call)
            except GeminiError as exc:
                if call.text_passed_on and exc.again and not isinstance(exc, TimedOut):
                    raise AnswerTruncated(cut_by=exc) from exc
                pause_s = pause_before_next_try_s(exc, call.tries, self._settings)
                if pause_s is None or call.tries >= most or call.text_passed_on or call.remaining_s <= pause_s:
                    raise
                await asyncio.sleep(pause_s)
                if self._breaker.state != "closed":  # others' failures have settled it meanwhile
                    raise

    async def _try(self, call: Call) -> Answer:
        reply, progress = Reply(), Progress(call.sent)
        started, outcome = time.perf_counter(), "cancelled"
        try:
            async with self._failures_named(progress, call):
                await self._exchange(call, reply, progress)
            answer = Answer(reply.whole(streamed=self._settings.stream), reply.total_tokens, reply.model, call.tries)
            outcome = "ok"
        except GeminiError as exc:
            outcome = type(exc).__name__
            raise
        else:
            return answer
        finally:
            call.end_of_try(reply)
            self._attempted(outcome, time.perf_counter() - started)

    async def _exchange(self, call: Call, reply: Reply, progress: Progress) -> None:
        async with self._session.post(
            request.url(self._settings),
            data=call.body,
            headers=request.headers(self._settings),
            timeout=self._timeout,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as response:
            progress.phase = "answering"
            if response.status != 200:
                raise refusal(response.status, await self._first_value(response))
            async with aclosing(self._values(response)) as values:
                async for value in values:
                    await call.take(reply, value)

    async def _first_value(self, response: aiohttp.ClientResponse) -> Any:
        """Return the error's JSON, or None: a proxy's HTML, or a body that breaks, says no more than its status."""
        with suppress(MalformedAnswer, AnswerTooLarge, aiohttp.ClientError):
            async with aclosing(self._values(response)) as values:
                return await anext(values, None)
        return None

    async def _values(self, response: aiohttp.ClientResponse) -> AsyncGenerator[Any, None]:
        stream, size = EventStream(), 0
        async for data in response.content.iter_any():
            size += len(data)
            if size > self._settings.answer_bytes:
                raise AnswerTooLarge(limit_bytes=self._settings.answer_bytes)
            for value in stream.feed(data):
                yield value
        for value in stream.end():
            yield value

    @asynccontextmanager
    async def _failures_named(self, progress: Progress, call: Call) -> AsyncIterator[None]:
        """Bound the block by the call's deadline, and turn what aiohttp raises into failures of ours."""
        timeout = asyncio.timeout_at(call.deadline)
        try:
            async with timeout:
                yield
        except TimeoutError as exc:
            if timeout.expired():
                raise TimedOut(limit="deadline", phase=progress.phase, hurried=self._hurried(call)) from exc
            if isinstance(exc, aiohttp.ServerTimeoutError):
                limit = "connect" if isinstance(exc, aiohttp.ConnectionTimeoutError) else "silence"
                raise TimedOut(limit=limit, phase=progress.phase) from exc
            raise
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, aiohttp.ClientHttpProxyError) as exc:
            raise ConnectionFailed(reason=type(exc).__name__) from exc
        except aiohttp.ClientError as exc:  # what came is not HTTP
            raise MalformedAnswer(reason=type(exc).__name__) from exc

    def _hurried(self, call: Call) -> bool:
        """Whether a task's last seconds were all it had, and not what a call is given."""
        return call.given_s < min(self._settings.deadline_s, self._settings.silence_timeout_s) / 2
