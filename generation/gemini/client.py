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

LET_GO_S = 0.8  # how long a connection that says no more is waited for, once nothing need come

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
        self._free_connections = asyncio.Semaphore(settings.connections)
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_open_s)
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_timeout_s, sock_read=settings.silence_timeout_s
        )

    @property
    def breaker_state(self) -> str:
        """closed | open | probing"""
        return self._breaker.state

    def closed_to(self, account: str) -> bool:
        """Say whether the circuit is open, for everybody or for this account, so that a call would be for nothing."""
        return self._breaker.closed_to(account)

    async def generate(
        self,
        *,
        system_instruction: str,
        text: str,
        deadline: float,
        observer: Observer,
        account: str = "",
        closing: str = "",
    ) -> Answer:
        """Return Gemini's answer; everything ends by ``deadline`` (event loop seconds).

        Within it ``deadline_s`` of the settings bounds Gemini's part (connecting, tries, pauses); the wait for a free
        connection of ours comes on top. ``closing`` is said after the text, in a part of its own. ``account`` is who
        pays, for the circuit breaker alone. A cancelled call closes its connection at once.

        Raises:
            GeminiError: why there is none; it has been logged, as an error when it is the operator's problem.
        """
        call = Call(system_instruction, text, deadline, self._settings.deadline_s, observer, closing)
        try:
            with self._breaker.call(account) as probe:
                async with call.told_when_sent():
                    answer = await self._tries(call, account, 1 if probe else self._settings.tries)
        except GeminiError as exc:
            write = log.error if exc.operators_problem else log.warning
            write("gemini_failed", failure=type(exc).__name__, tries=call.tries, **exc.facts)
            raise
        log.info("gemini_answered", model=answer.model, tries=answer.tries, total_tokens=answer.total_tokens)
        return answer

    async def _tries(self, call: Call, account: str, most: int) -> Answer:
        if call.remaining_s <= 0:
            raise TimedOut(limit="deadline", phase="queue")
        before: GeminiError | None = None
        cap = request.output_cap(self._settings, call.text)
        while True:
            call.tries += 1
            try:
                async with call.connection(self._free_connections):
                    return await self._try(call, cap)
            except GeminiError as exc:
                if call.text_passed_on and exc.again and not isinstance(exc, TimedOut):
                    raise AnswerTruncated(cut_by=exc) from exc
                if exc.facts.get("finish_reason") == "MAX_TOKENS":
                    if (larger := request.larger_cap(self._settings, cap)) is None:
                        raise
                    cap = larger
                pause_s = pause_before_next_try_s(exc, before, call.tries, self._settings)
                if pause_s is None or call.tries >= most or call.text_passed_on or call.remaining_s <= pause_s:
                    raise
                before = exc
                await asyncio.sleep(pause_s)
                if self._breaker.closed_to(account):  # others' failures have settled it meanwhile
                    raise

    async def _try(self, call: Call, cap: int) -> Answer:
        body = request.body(self._settings, call.system_instruction, call.text, cap, call.closing)
        reply, progress = Reply(request.most_tokens(body, cap)), Progress(call.sent)
        started, outcome = time.perf_counter(), "cancelled"
        try:
            await self._exchange(call, body, reply, progress)
            answer = Answer(reply.whole(streamed=self._settings.stream), reply.usage, reply.model, call.tries)
            outcome = "ok"
        except GeminiError as exc:
            outcome = type(exc).__name__
            raise
        else:
            return answer
        finally:
            call.end_of_try(reply)
            self._attempted(outcome, time.perf_counter() - started)
            if reply.usage_doubted:
                log.warning("gemini_usage_not_believed", effect="the last count that can be true is charged")

    async def _exchange(self, call: Call, body: bytes, reply: Reply, progress: Progress) -> None:
        """Fill the reply; what goes wrong once the answer stands is no matter.

        Raises:
            GeminiError
        """
        try:
            async with self._failures_named(progress, call) as timeout:
                await self._ask(call, body, reply, progress, timeout)
        except GeminiError:
            if not reply.stands:
                raise

    async def _ask(self, call: Call, body: bytes, reply: Reply, progress: Progress, timeout: asyncio.Timeout) -> None:
        let_go = False
        async with self._session.post(
            request.url(self._settings),
            data=body,
            headers=request.headers(self._settings),
            timeout=self._timeout,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as response:
            progress.phase = "answering"
            if response.status != 200:
                raise refusal(response.status, await self._first_value(response, progress), response.headers)
            async with aclosing(self._values(response, progress)) as values:
                async for value in values:
                    text = await call.take(reply, value)
                    if reply.stands and (text or not let_go):
                        let_go = True
                        timeout.reschedule(min(call.deadline, asyncio.get_running_loop().time() + LET_GO_S))

    async def _first_value(self, response: aiohttp.ClientResponse, progress: Progress) -> Any:
        """Return the error's JSON, or None: a proxy's HTML, or a body that breaks, says no more than its status."""
        with suppress(MalformedAnswer, AnswerTooLarge, aiohttp.ClientError):
            async with aclosing(self._values(response, progress)) as values:
                return await anext(values, None)
        return None

    async def _values(self, response: aiohttp.ClientResponse, progress: Progress) -> AsyncGenerator[Any, None]:
        stream, size = EventStream(), 0
        while True:
            try:
                data = await _more(response, LET_GO_S if stream.pending else None)
            except aiohttp.ClientError:
                for value in stream.complete():
                    yield value
                raise
            if data is None:  # nothing came for a moment: perhaps nothing is missing but the end
                for value in stream.complete():
                    yield value
                continue
            if not data:
                break
            progress.last_data_at = asyncio.get_running_loop().time()
            size += len(data)
            if size > self._settings.answer_bytes:
                raise AnswerTooLarge(limit_bytes=self._settings.answer_bytes)
            for value in stream.feed(data):
                yield value
        for value in stream.end():
            yield value

    @asynccontextmanager
    async def _failures_named(self, progress: Progress, call: Call) -> AsyncIterator[asyncio.Timeout]:
        """Bound the block by the call's deadline, and turn what aiohttp raises into failures of ours."""
        timeout = asyncio.timeout_at(call.deadline)
        try:
            async with timeout:
                yield timeout
        except TimeoutError as exc:
            if timeout.expired():
                raise TimedOut(limit="deadline", phase=progress.phase, ours=self._ours(progress, call)) from exc
            if isinstance(exc, aiohttp.ServerTimeoutError):
                limit = "connect" if isinstance(exc, aiohttp.ConnectionTimeoutError) else "silence"
                raise TimedOut(limit=limit, phase=progress.phase) from exc
            raise
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, aiohttp.ClientHttpProxyError) as exc:
            raise ConnectionFailed(reason=type(exc).__name__) from exc
        except aiohttp.ClientError as exc:  # what came is not HTTP
            raise MalformedAnswer(reason=type(exc).__name__) from exc

    def _ours(self, progress: Progress, call: Call) -> bool:
        """Whether a deadline says nothing about Google: a task's last seconds, or an answer that was coming."""
        silence_s = self._settings.silence_timeout_s
        hurried = call.given_s < min(self._settings.deadline_s, silence_s) / 2
        return hurried or call.deadline - progress.last_data_at < min(call.given_s, silence_s) / 2


async def _more(response: aiohttp.ClientResponse, within_s: float | None) -> bytes | None:
    """Return the next bytes of a body, none at its end, None when nothing came within that time."""
    timeout = asyncio.timeout(within_s)
    try:
        async with timeout:
            return await response.content.readany()
    except TimeoutError:
        if timeout.expired():
            return None
        raise
    except aiohttp.ClientError:
        # A reset overtakes what came before it: aiohttp raises first and has no public way to what it still holds.
        if left := response.content._read_nowait(-1):
            return left
        raise
