"""Sends the webhooks that are due, a few at a time. The reapers of all processes find again what it cannot take.

Source: Standard Webhooks, specification 1.0.0, "Deliverability and reliability". Passes pushes on; refuses to know how
records are kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from types import TracebackType

import aiohttp
import structlog
from yarl import URL

from generation.lease_index import TaskRef
from notifications import spans
from notifications.attempts import jittered, open_session
from notifications.deliveries import Deliveries, DueDelivery
from notifications.notices import Notices
from notifications.pushes import Pushes
from notifications.signing import Signer
from notifications.workers import QUEUE_LIMIT, Workers
from runtime.head_first import HeadFirstConnector
from runtime.settings import WebhookSettings
from runtime.tracing import NO_TRACING, Tracing, headers_of
from storage.errors import RecordUnreadable

# Seconds after each failed try: 10 tries over about three days.
PAUSES_S = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 72_000, 115_200)
LONGEST_RETRY_AFTER_S = 86_400.0
GONE = 410  # the receiver wants no more webhooks
FIRST_TRIES_S, SHARE_OF_LAST = 0.5, 0.2  # how long a try takes, as a moving average that begins with this
LONGEST_LEFT_S = 600.0  # a task that the queue has no room for is looked at again
SOON_S = 30.0  # what is due within it is waited for here, later ones are left to the reapers

log = structlog.get_logger(__name__)


def open_webhook_session(settings: WebhookSettings, proxy: URL | None = None) -> aiohttp.ClientSession:
    """Return the session for tries: few connections, no cookies, no redirects followed by ``Deliverer``."""
    return open_session(HeadFirstConnector(settings.connections), proxy)


class Deliverer(Notices):
    """An async context manager: while it is open, it sends. The tasks' ``AfterEnd``.

    ``tried`` is called with the outcome of each try: delivered, or the reason of the failure.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: WebhookSettings,
        tried: Callable[[str], None] = lambda _outcome: None,
        tracing: Tracing = NO_TRACING,
        *,
        pushes: Pushes | None = None,
    ) -> None:
        super().__init__(settings, push_after_s=None if pushes is None else pushes.after_s)
        self._pushes = pushes
        self._session = session
        self._signer = Signer([secret.get_secret_value() for secret in settings.secrets])
        self._tried = tried
        self._tracing = tracing
        self._queued: set[TaskRef] = set()
        self._try_s = FIRST_TRIES_S
        self._workers = Workers("webhook", settings.connections, self._deliver, lambda task: task)
        self._soon: dict[TaskRef, asyncio.TimerHandle] = {}
        self._deliveries: Deliveries | None = None

    def deliver(self, deliveries: Deliveries) -> None:
        """Set the records, after construction: they need the index of the tasks, which need this deliverer."""
        self._deliveries = deliveries
        if self._pushes is not None:
            self._pushes.deliver(deliveries, self.offer)

    async def __aenter__(self) -> Deliverer:
        self._workers.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._soon.values():
            timer.cancel()
        await self._workers.stop()

    def offer(self, task: TaskRef) -> float | None:
        """Take over a task that has ended. A full queue leaves it in the index, where it is found again.

        Return in how many seconds what is queued now will have been sent, by how long the latest tries took.
        """
        if task not in self._queued and self._workers.enqueue(task):
            self._queued.add(task)
        return min(jittered(len(self._queued) * self._try_s / self._settings.connections), LONGEST_LEFT_S)

    async def _deliver(self, task: TaskRef) -> None:
        assert self._deliveries is not None
        self._queued.discard(task)
        while True:
            try:
                due, following = await self._deliveries.claim(task)
            except RecordUnreadable:  # it stays as it is, and nobody looks for it any more
                log.warning("webhook_left", reason="record_unreadable")
                due, following = [], None
            if not due:
                await self._deliveries.put_back(task, following)
                if following is not None:
                    self._offer_again(task, following.in_s)
                return
            for each in due:
                if each.is_push and self._pushes is not None:
                    self._pushes.take(task, each)
                    continue
                begun = time.monotonic()
                with structlog.contextvars.bound_contextvars(**each.origin.log_fields):
                    state, last, again_s = await self._traced_try(task, each)
                self._try_s += (time.monotonic() - begun - self._try_s) * SHARE_OF_LAST
                self._tried(state if state == "delivered" else last if last.isalpha() else "refused")
                await self._deliveries.end_try(task, each, state, last, again_s)

    def _offer_again(self, task: TaskRef, in_s: float) -> None:
        """Look again when the next delivery is due, if that is soon; should this process end, the index has it."""
        if in_s > SOON_S or task in self._soon or len(self._soon) >= QUEUE_LIMIT:
            return

        def look() -> None:
            del self._soon[task]
            self.offer(task)

        self._soon[task] = asyncio.get_running_loop().call_later(in_s, look)

    async def _traced_try(self, task: TaskRef, due: DueDelivery) -> tuple[str, str, float]:
        """Send once, with a span in the trace of the task's submit and a line in the log."""
        if not due.origin.trace or due.is_push:
            return await self._logged_try(due, {})
        facts = spans.of_try(self._settings.url, task.task_id, due)
        with self._tracing.span(spans.NAME, "client", parent=due.origin.trace, attributes=facts) as span:
            state, last, again_s = await self._logged_try(due, headers_of(self._tracing.context()))
            spans.note_outcome(span, state, last)
            return state, last, again_s

    async def _logged_try(self, due: DueDelivery, headers: dict[str, str]) -> tuple[str, str, float]:
        state, last, again_s = await self._try(due, headers)
        write = log.info if state == "delivered" else log.warning
        write("webhook", webhook_id=due.id, tries=due.number, state=state, ended=last)
        return state, last, again_s

    async def _try(self, due: DueDelivery, headers: dict[str, str]) -> tuple[str, str, float]:
        """Send once; return the state after it, how it ended, and when the next try comes, in s from now."""
        if due.is_push or not self._settings.url:  # written under other settings
            return "pending" if due.number <= len(PAUSES_S) else "failed", "unset", pause_s(due.number, None)
        headers = {**headers, "Content-Type": "application/json"}
        headers |= self._signer.headers(due.id, int(time.time()), due.body)
        retry_after = None
        try:
            async with self._session.post(
                self._settings.url, data=due.body, headers=headers, allow_redirects=False
            ) as answer:
                last, status, retry_after = str(answer.status), answer.status, answer.headers.get("Retry-After")
        except TimeoutError:
            last, status = "timeout", 0
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            log.info("webhook_unanswered", webhook_id=due.id, failure=type(exc).__name__)
            last, status = "unreachable", 0
        if 200 <= status < 300:
            return "delivered", last, 0
        if status == GONE or due.number > len(PAUSES_S):
            return "failed", last, 0
        return "pending", last, pause_s(due.number, retry_after)


def pause_s(tries: int, retry_after: str | None) -> float:
    """Return how long to wait after so many tries: longer each time, with jitter, and as long as the receiver asks."""
    pause = jittered(PAUSES_S[min(tries, len(PAUSES_S)) - 1])
    return max(pause, min(_asked_for_s(retry_after), LONGEST_RETRY_AFTER_S))


def _asked_for_s(retry_after: str | None) -> float:
    if retry_after is None:
        return 0.0
    if retry_after.strip().isdecimal():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
