"""One request to one model, and the reading of its answer.

Owns the failures of a connection; refuses to know when to try again. Nothing that users or Gemini wrote
reaches an error's text.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import aiohttp

from generation.gemini import backends, request
from generation.gemini.answer import Reply
from generation.gemini.call import Call
from generation.gemini.errors import AnswerTooLarge, ConnectionFailed, GeminiError, MalformedAnswer, TimedOut
from generation.gemini.event_stream import EventStream
from generation.gemini.gathering import Gathering
from generation.gemini.json_values import as_dict, count
from generation.gemini.refusals import refusal
from generation.gemini.session import Progress
from runtime.settings import GeminiSettings

TIERS = ("standard", "priority", "flex")
# No body may block the event loop or take much of its time, whatever it holds: empty lines, empty values.
BYTES_PER_TURN, VALUES_PER_TURN = 2_048, 32
MAX_VALUES = 200_000  # three for each token that there may be
LET_GO_S = 0.8  # how long a silent connection is waited for when the answer is complete
LOOK_S = 2.0  # after so long without a byte it is looked whether there is a connection yet


class Exchanges:
    """Requests over one session; ``tokens`` are the credentials where there is no key."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: GeminiSettings, tokens: backends.Tokens | None
    ) -> None:
        self._session = session
        self._settings = settings
        self._tokens = tokens
        # ``connect`` bounds all of it: name, TCP, a proxy's CONNECT, TLS. No slot of the pool is waited for: Gemini's
        # semaphore has as many.
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=settings.connect_timeout_s, sock_read=settings.silence_timeout_s
        )

    async def fill(self, call: Call, model: str, body: bytes, reply: Reply, progress: Progress) -> None:
        """Fill the reply; a failure after the answer is complete is ignored.

        Raises:
            GeminiError
        """
        try:
            async with self._failures_named(progress, call) as timeout:
                await self._ask(call, model, body, reply, progress, timeout)
        except GeminiError:
            if not reply.stands:
                raise

    async def _ask(
        self, call: Call, model: str, body: bytes, reply: Reply, progress: Progress, timeout: asyncio.Timeout
    ) -> None:
        let_go, taken = False, 0
        async with self._session.post(
            backends.url(self._settings, model, streamed=call.streamed),
            data=body,
            headers=await backends.headers(self._settings, self._tokens),
            timeout=self._timeout,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as response:
            progress.phase = "answering"
            tier = response.headers.get("x-gemini-service-tier", "").lower()
            progress.tier = tier if tier in TIERS else ""
            if response.status != 200:
                raise refusal(response.status, await self._first_value(response, progress), response.headers)
            gathering = Gathering(response, progress.began_at, lambda: reply.stands or call.followed)
            async with aclosing(self._values(response, progress, gathering)) as values:
                async for value in values:
                    taken += 1
                    if taken % VALUES_PER_TURN == 0:
                        await asyncio.sleep(0)
                    if taken > MAX_VALUES:
                        raise AnswerTooLarge(limit_values=MAX_VALUES)
                    text = await call.take(reply, value)
                    if reply.stands and (text.strip() or not let_go):
                        let_go = True
                        timeout.reschedule(min(call.deadline, asyncio.get_running_loop().time() + LET_GO_S))
                    elif let_go and not reply.stands:  # that STOP was no end
                        let_go = False
                        timeout.reschedule(call.deadline)

    async def count(self, model: str, texts: Sequence[str]) -> int | None:
        """Return how many tokens the texts have, which costs nothing; None when Gemini does not say so."""
        progress = Progress(asyncio.Event())
        try:
            async with self._session.post(
                backends.method_url(self._settings, model, "countTokens"),
                data=request.body_to_count(texts),
                headers=await backends.headers(self._settings, self._tokens),
                timeout=self._timeout,
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as response:
                found = await self._first_value(response, progress) if response.status == 200 else None
        except (aiohttp.ClientError, GeminiError, OSError):
            return None
        return count(as_dict(found).get("totalTokens"))

    async def _first_value(self, response: aiohttp.ClientResponse, progress: Progress) -> Any:
        """Return the error's JSON, or None for a proxy's HTML or a broken body: then only the status counts."""
        with suppress(MalformedAnswer, AnswerTooLarge, aiohttp.ClientError):
            async with aclosing(self._values(response, progress)) as values:
                return await anext(values, None)
        return None

    async def _values(
        self, response: aiohttp.ClientResponse, progress: Progress, gathering: Gathering | None = None
    ) -> AsyncGenerator[Any, None]:
        stream, size = EventStream(), 0
        while True:
            try:
                data = await _more(response, LET_GO_S if stream.pending else LOOK_S)
            except aiohttp.ClientError:
                for value in stream.complete():
                    yield value
                raise
            if data is None:  # nothing came for a moment: perhaps nothing is missing but the end
                for value in stream.complete():
                    yield value
                if _is_lost(response):
                    raise aiohttp.ClientPayloadError("a broken chunk")
                continue
            if not data:
                break
            progress.last_data_at = asyncio.get_running_loop().time()
            if response.ok:  # an error is no answer that has begun
                progress.first_data_at = progress.first_data_at or progress.last_data_at
            size += len(data)
            if size > self._settings.answer_bytes:
                raise AnswerTooLarge(limit_bytes=self._settings.answer_bytes)
            for begin in range(0, len(data), BYTES_PER_TURN):
                if begin:
                    await asyncio.sleep(0)
                for value in stream.feed(data[begin : begin + BYTES_PER_TURN]):
                    yield value
            if gathering is not None:
                await gathering.pause()
        for value in stream.end():
            yield value

    @asynccontextmanager
    async def _failures_named(self, progress: Progress, call: Call) -> AsyncIterator[asyncio.Timeout]:
        """Bound the block by the call's deadline, and turn aiohttp's exceptions into failures of ours."""
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
            was_closed = progress.reused and progress.phase != "answering"
            raise ConnectionFailed(reason=type(exc).__name__, was_closed=was_closed) from exc
        except aiohttp.ClientError as exc:  # the answer is not HTTP
            raise MalformedAnswer(reason=type(exc).__name__) from exc

    def _ours(self, progress: Progress, call: Call) -> bool:
        """Whether a deadline is no evidence against Google: a task's last seconds, or an answer that was coming."""
        silence_s = self._settings.silence_timeout_s
        hurried = call.given_s < min(self._settings.deadline_s, silence_s) / 2
        return hurried or call.deadline - progress.last_data_at < min(call.given_s, silence_s) / 2


def _is_lost(response: aiohttp.ClientResponse) -> bool:
    """Whether aiohttp closed the connection because of a broken chunk or trailer: it tells no reader of the body.

    A body that is complete has given its connection back.
    """
    if response.content.is_eof():
        return False
    connection = response.connection
    return connection is None or connection.protocol is None or not connection.protocol.connected


async def _more(response: aiohttp.ClientResponse, within_s: float) -> bytes | None:
    """Return the next bytes of a body, none at its end, None when nothing came within that time."""
    try:
        async with asyncio.timeout(within_s) as timeout:
            return await response.content.readany()
    except TimeoutError:
        if timeout.expired():
            return response.content._read_nowait(-1) or None  # what came in this very moment
        raise
    except RuntimeError as exc:
        if not _is_lost(response):
            raise
        raise aiohttp.ClientPayloadError("a broken chunk") from exc
    except aiohttp.ClientError:
        # A reset overtakes what came before it: aiohttp raises first and has no public way to what it still holds.
        if left := response.content._read_nowait(-1):
            return left
        raise
