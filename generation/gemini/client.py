"""Asks Gemini over HTTP, again where that can help, all within one deadline.

Owns tries and the circuit breaker; refuses to know what a task is and what the answer is for. Nothing that users or
Gemini wrote reaches a log line or an error's text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import aiohttp
import structlog

from generation.gemini import request
from generation.gemini.answer import Answer, Reply
from generation.gemini.breaker import Breaker
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


class Observer(Protocol):
    """Who is told how a call goes on. What it raises ends the call and comes out as it is."""

    async def request_sent(self) -> None:
        """The first request has been written to its connection; called once, before any text."""

    async def text(self, piece: str) -> None:
        """More visible text, as Gemini made it."""

    def usage(self, total_tokens: int) -> None:
        """Tokens billed so far, over all tries of this call."""


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
        call = _Call(request.body(self._settings, system_instruction, text), deadline, observer)
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

    async def _tries(self, call: _Call, most: int) -> Answer:
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

    async def _try(self, call: _Call) -> Answer:
        reply, progress = Reply(), Progress(call.sent)
        started, outcome = time.perf_counter(), "cancelled"
        try:
            async with _failures_named(progress, call.deadline):
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

    async def _exchange(self, call: _Call, reply: Reply, progress: Progress) -> None:
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
            async for value in self._values(response):
                await call.take(reply, value)

    async def _first_value(self, response: aiohttp.ClientResponse) -> Any:
        """Return the error's JSON, or None: a proxy's HTML, or a body that breaks, says no more than its status."""
        with suppress(MalformedAnswer, AnswerTooLarge, aiohttp.ClientError):
            async for value in self._values(response):
                return value
        return None

    async def _values(self, response: aiohttp.ClientResponse) -> AsyncIterator[Any]:
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
async def _failures_named(progress: Progress, deadline: float) -> AsyncIterator[None]:
    """Bound the block by the deadline, and turn what aiohttp raises into failures of ours."""
    timeout = asyncio.timeout_at(deadline)
    try:
        async with timeout:
            yield
    except TimeoutError as exc:
        if timeout.expired():
            raise TimedOut(limit="deadline", phase=progress.phase) from exc
        if isinstance(exc, aiohttp.ServerTimeoutError):
            limit = "connect" if isinstance(exc, aiohttp.ConnectionTimeoutError) else "silence"
            raise TimedOut(limit=limit, phase=progress.phase) from exc
        raise
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, aiohttp.ClientHttpProxyError) as exc:
        raise ConnectionFailed(reason=type(exc).__name__) from exc
    except aiohttp.ClientError as exc:  # what came is not HTTP
        raise MalformedAnswer(reason=type(exc).__name__) from exc


class _Call:
    """One call to ``generate`` over its tries: what was sent, shown and billed."""

    def __init__(self, body: bytes, deadline: float, observer: Observer) -> None:
        self.body = body
        self.deadline = deadline
        self.tries = 0
        self.sent = asyncio.Event()
        self.text_passed_on = False
        self._observer = observer
        self._told: asyncio.Task[None] | None = None
        self._billed_before = 0
        self._billed = 0

    @property
    def remaining_s(self) -> float:
        return self.deadline - asyncio.get_running_loop().time()

    @asynccontextmanager
    async def told_when_sent(self) -> AsyncIterator[None]:
        """Tell the observer when the first request is on its way, while the block goes on waiting for its answer."""
        self._told = asyncio.create_task(self._tell_when_sent())
        try:
            yield
            await self._told
        except GeminiError:
            if self.sent.is_set():
                await self._told
            raise
        finally:
            self._told.cancel()
            await asyncio.gather(self._told, return_exceptions=True)

    async def _tell_when_sent(self) -> None:
        await self.sent.wait()
        await self._observer.request_sent()

    async def take(self, reply: Reply, value: Any) -> None:
        text = reply.take(value)
        billed = self._billed_before + (reply.total_tokens or 0)
        if billed != self._billed:
            self._billed = billed
            self._observer.usage(billed)
        if text:
            assert self._told is not None
            await self._told
            self.text_passed_on = True
            await self._observer.text(text)

    def end_of_try(self, reply: Reply) -> None:
        self._billed_before += reply.total_tokens or 0
