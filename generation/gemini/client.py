"""Asks Gemini over HTTP, again where that can help, all within one deadline.

Owns connections, tries and the circuit breaker; refuses to know what a task is and what the answer is for. Nothing that
users or Gemini wrote reaches a log line or an error's text.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, Protocol

import aiohttp
import structlog

from generation.gemini.answer import Answer, Reply, error_from
from generation.gemini.breaker import Breaker
from generation.gemini.errors import ConnectionFailed, GeminiError, MalformedAnswer, TimedOut
from generation.gemini.event_stream import EventStream
from runtime.settings import GeminiSettings

# Source: Gemini API reference, HarmCategory; the same threshold for all of them.
HARM_CATEGORIES = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)

log = structlog.get_logger(__name__)


class Observer(Protocol):
    """Who is told how a call goes on."""

    async def request_sent(self) -> None:
        """The first request has been written to its connection; called once."""

    async def text(self, piece: str) -> None:
        """More visible text, as Gemini made it."""

    def usage(self, total_tokens: int) -> None:
        """Tokens billed so far, over all tries of this call."""


@asynccontextmanager
async def open_session(settings: GeminiSettings) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session as Gemini's client wants it: bounded connections, proxies from the environment, no cookies."""
    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(_chunk_sent)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=True,
        trace_configs=[trace],
    ) as session:
        yield session


async def _chunk_sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _chunk: Any) -> None:
    call = context.trace_request_ctx
    if isinstance(call, _Call):
        await call.request_sent()


class Gemini:
    """One model at one address. ``attempted`` is told (outcome, seconds) for each try."""

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
        method = "streamGenerateContent?alt=sse" if settings.stream else "generateContent"
        base = settings.base_url.rstrip("/")
        self._url = f"{base}/{settings.api_version}/models/{settings.model}:{method}"
        # The key goes in this header only: in the URL it would reach logs, beside Authorization it is refused.
        self._headers = {"x-goog-api-key": settings.api_key.get_secret_value(), "Content-Type": "application/json"}
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
            GeminiError: why there is none; operators' problems have been logged.
        """
        self._breaker.enter()
        call = _Call(self._body(system_instruction, text), observer)
        try:
            answer = await self._tries(call, deadline)
        except GeminiError as exc:
            (self._breaker.failed if exc.strikes else self._breaker.succeeded)()
            write = log.error if exc.operators_problem else log.warning
            write("gemini_failed", failure=type(exc).__name__, tries=call.tries, **exc.facts)
            raise
        except BaseException:
            self._breaker.left()
            raise
        self._breaker.succeeded()
        log.info("gemini_answered", model=answer.model, tries=answer.tries, total_tokens=answer.total_tokens)
        return answer

    async def _tries(self, call: _Call, deadline: float) -> Answer:
        loop = asyncio.get_running_loop()
        while True:
            call.tries += 1
            started = time.perf_counter()
            outcome = "cancelled"
            try:
                answer = await self._try(call, deadline)
                outcome = "ok"
            except GeminiError as exc:
                outcome = type(exc).__name__
                pause_s = self._pause_s(call, exc)
                if pause_s is None or loop.time() + pause_s >= deadline:
                    raise
            else:
                return answer
            finally:
                self._attempted(outcome, time.perf_counter() - started)
            await asyncio.sleep(pause_s)

    def _pause_s(self, call: _Call, failure: GeminiError) -> float | None:
        """Return how long to wait before the next try, or None when there should be none."""
        if not failure.again or call.tries >= self._settings.tries or call.text_passed_on:
            return None
        longest_s = min(self._settings.retry_max_s, self._settings.retry_base_s * 2 ** (call.tries - 1))
        pause_s = random.uniform(0, longest_s)  # noqa: S311  # jitter needs no secrecy
        return pause_s if failure.retry_after_s is None else failure.retry_after_s + pause_s

    async def _try(self, call: _Call, deadline: float) -> Answer:
        reply = Reply()
        try:
            async with asyncio.timeout_at(deadline):
                await self._exchange(call, reply)
            return Answer(reply.whole(streamed=self._settings.stream), reply.total_tokens, reply.model, call.tries)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as exc:
            raise (TimedOut if isinstance(exc, TimeoutError) else ConnectionFailed)(reason=type(exc).__name__) from exc
        except TimeoutError as exc:
            raise TimedOut(reason="deadline") from exc
        except aiohttp.ClientError as exc:
            raise MalformedAnswer(reason=type(exc).__name__) from exc
        finally:
            call.end_of_try(reply.total_tokens)

    async def _exchange(self, call: _Call, reply: Reply) -> None:
        async with self._session.post(
            self._url,
            data=call.body,
            headers=self._headers,
            timeout=self._timeout,
            allow_redirects=False,
            trace_request_ctx=call,
        ) as response:
            stream = EventStream()
            if response.status != 200:
                raise error_from(response.status, await self._error_body(response, stream))
            async for data in self._bounded(response):
                for value in stream.feed(data):
                    await call.take(reply, value)
            for value in stream.feed(b"", last=True):
                await call.take(reply, value)

    async def _error_body(self, response: aiohttp.ClientResponse, stream: EventStream) -> Any:
        """Return the error's JSON, or None: a proxy's HTML says no more than its status does."""
        try:
            body = b"".join([data async for data in self._bounded(response)])
            return next(stream.feed(body, last=True), None)
        except (MalformedAnswer, aiohttp.ClientError):
            return None

    async def _bounded(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        size = 0
        async for data in response.content.iter_any():
            size += len(data)
            if size > self._settings.answer_bytes:
                raise MalformedAnswer(reason="too large")
            yield data

    def _body(self, system_instruction: str, text: str) -> bytes:
        settings = self._settings
        config: dict[str, Any] = {"maxOutputTokens": settings.max_output_tokens}
        if settings.thinking_level:
            config["thinkingConfig"] = {"thinkingLevel": settings.thinking_level}
        body: dict[str, Any] = {
            "systemInstruction": {"parts": [{"text": system_instruction}]},
            "contents": [{"role": "user", "parts": [{"text": text}]}],
            "generationConfig": config,
        }
        if settings.safety_threshold:
            body["safetySettings"] = [
                {"category": category, "threshold": settings.safety_threshold} for category in HARM_CATEGORIES
            ]
        return json.dumps(body, ensure_ascii=False).encode("utf-8")


class _Call:
    """One call to ``generate`` over its tries: what was sent, shown and billed."""

    def __init__(self, body: bytes, observer: Observer) -> None:
        self.body = body
        self.tries = 0
        self.text_passed_on = False
        self._observer = observer
        self._sent = False
        self._billed_before = 0

    async def request_sent(self) -> None:
        if not self._sent:
            self._sent = True
            await self._observer.request_sent()

    async def take(self, reply: Reply, value: Any) -> None:
        text = reply.take(value)
        if reply.total_tokens is not None:
            self._observer.usage(self._billed_before + reply.total_tokens)
        if text:
            self.text_passed_on = True
            await self._observer.text(text)

    def end_of_try(self, billed: int | None) -> None:
        self._billed_before += billed or 0
