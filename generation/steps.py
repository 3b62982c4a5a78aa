"""The writes of one run, and what Gemini reports meanwhile. Refuses to know in which order the steps come."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from generation.documents import Failure
from generation.gemini import Usage
from generation.lease import Lease
from generation.readers import TextPace
from generation.stages import FAILED, GENERATING, WAITING, Stage
from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.tracing import Tracing
from storage.errors import StorageUnavailable

T = TypeVar("T")
RETRY_FIRST_S, RETRY_MAX_S = 0.1, 1.0

log = structlog.get_logger(__name__)


class Steps:
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
        self._pace: TextPace | None = None

    @property
    def followed(self) -> bool:
        """Whether somebody reads the text as it comes, or may have begun to."""
        return self._pace is not None and self._pace.followed

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
        self._lease.outcome = reason

    async def fail(self, failure: Failure) -> None:
        self._lease.closing = True
        await self.write(lambda: self._tasks.endings.fail(self._lease, failure, self._used.total, self._used))
        self._note_stage(FAILED)
        self._lease.outcome = failure.error_code

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

    def take_up(self, reported: Usage) -> None:
        """Go on from what Gemini reported to a run of this task before, which has ended."""
        self._used = self._used_before = reported

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
        self._pace = pace
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
