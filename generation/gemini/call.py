"""One call to Gemini over all its tries, and the observer of its progress.

Refuses to know how a try is made and why it fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from generation.gemini.answer import Reply
from generation.gemini.errors import GeminiError, TimedOut, Unaffordable
from generation.gemini.token_estimate import tokens_at_most, tokens_of_prose
from generation.gemini.usage import Usage


class Observer(Protocol):
    """Observes a call's progress. An error that it raises ends the call and is passed on unchanged."""

    async def request_sent(self) -> None:
        """The first request has been written to its connection; called once, before any text."""

    async def text(self, piece: str) -> bool:
        """Take more text, as Gemini made it; return whether any text has been shown so far."""

    @property
    def followed(self) -> bool:
        """Whether somebody reads the text as it comes."""

    def restart(self) -> None:
        """Another try begins: the text before it, which was not shown, is void."""

    def usage(self, usage: Usage) -> None:
        """Tokens billed so far, over all tries of this call."""


class IgnoringObserver:
    """An observer for calls whose progress does not matter."""

    async def request_sent(self) -> None:
        pass

    async def text(self, piece: str) -> bool:
        return not piece.isspace()

    @property
    def followed(self) -> bool:
        return False

    def restart(self) -> None:
        pass

    def usage(self, usage: Usage) -> None:
        pass


Afford = Callable[[int, int], Awaitable[int]]  # tokens sent, tokens wanted for the answer -> tokens it may have


async def afford_all(_sent: int, wanted: int) -> int:
    """Allow every answer its wanted length."""
    return wanted


class Call:
    """The state of one call: what was sent, shown and billed, and the time that is left.

    Everything ends by ``latest`` (event loop seconds). Of that, Gemini has ``share_s``: the time that the call waits
    for a connection of ours is not Gemini's. ``too_small_cap``: the tokens that were not enough for an answer, 0 while
    none were too few; from then on ``larger_cap`` is wanted, whichever model is asked. ``sent_tokens``: how many the
    request has at most, 0 where nothing but its texts is known.
    """

    def __init__(
        self,
        system_instruction: str,
        text: str,
        latest: float,
        share_s: float,
        observer: Observer,
        closing: str = "",
        afford: Afford = afford_all,
        sent_tokens: int = 0,
        *,
        streamed: bool = True,
    ) -> None:
        self.streamed = streamed
        self._afford = afford
        self._sent_tokens = sent_tokens
        self.system_instruction = system_instruction
        self.text = text
        self.closing = closing
        self._latest = latest
        self._now = asyncio.get_running_loop().time
        self.deadline = min(latest, self._now() + share_s)
        self.given_s = self.remaining_s
        self.tries = 0
        self.larger_cap = self.too_small_cap = 0
        self.sent = asyncio.Event()
        self.text_passed_on = False
        self.response_id = ""  # of the last answer that had one, for Google's support
        self._observer = observer
        self._told: asyncio.Task[None] | None = None
        self._billed_before = Usage()
        self._billed = Usage()

    @property
    def remaining_s(self) -> float:
        return self.deadline - self._now()

    @property
    def followed(self) -> bool:
        return self._observer.followed

    def leaves_time_for_another(self, pause_s: float, last_s: float) -> bool:
        """Say whether half of Gemini's time is left for another model after a pause and a try as long as the last."""
        return self.remaining_s - pause_s - last_s >= self.given_s / 2

    async def affordable(self, wanted: int) -> int:
        """Return how many tokens the next answer may have: ``wanted`` at most.

        Raises:
            Unaffordable: no more than were too few before.
        """
        ours = tokens_of_prose(self.system_instruction) + tokens_of_prose(self.closing)
        sent = self._sent_tokens or ours + tokens_at_most(self.text)
        if (may := await self._afford(sent, wanted)) <= self.too_small_cap:
            raise Unaffordable(wanted=wanted, affordable=may)
        return may

    @asynccontextmanager
    async def connection(self, free: asyncio.Semaphore) -> AsyncIterator[None]:
        """Wait for one of the connections that there may be, and hold it for the block.

        Raises:
            TimedOut: the call's time ended before one was free.
        """
        came_at = self._now()
        try:
            async with asyncio.timeout_at(self._latest):
                await free.acquire()
        except TimeoutError as exc:
            raise TimedOut(limit="deadline", phase="queue") from exc
        try:
            self.deadline = min(self._latest, self.deadline + self._now() - came_at)
            if not self.sent.is_set():
                self.given_s = self.remaining_s
            yield
        finally:
            free.release()

    @asynccontextmanager
    async def observer_notified_when_sent(self) -> AsyncIterator[None]:
        """Notify the observer when the first request has been sent, while the block waits for its answer."""
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

    async def take(self, reply: Reply, value: Any) -> str:
        """Take a value into the reply, notify the observer, and return the value's text."""
        text = reply.take(value)
        if reply.usage is not None:
            billed = self._billed_before + reply.usage
            if billed != self._billed:
                self._billed = billed
                self._observer.usage(billed)
        if text:
            assert self._told is not None
            if not self._told.done():
                await self._told
            self._told.result()
            self.text_passed_on |= await self._observer.text(text)
        return text

    def begin_try(self) -> None:
        self.tries += 1
        if not self.text_passed_on:
            self._observer.restart()

    def end_of_try(self, reply: Reply) -> None:
        self._billed_before += reply.usage or Usage()
        self.response_id = reply.response_id or self.response_id
