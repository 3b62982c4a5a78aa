"""Sends the notifications of an end to the account's browsers (Web Push), a few at a time.

Source: RFC 8030, 5 and 7.3; RFC 8291. Refuses to know when one is due: deliveries.py does.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import structlog
from yarl import URL

from generation.lease_index import TaskRef
from notifications.attempts import ATTEMPT_S, jittered, open_session
from notifications.deliveries import CLAIMED_S, Deliveries, DueDelivery
from notifications.public_addresses import PublicAddresses
from notifications.subscriptions import PushSubscription, PushSubscriptions
from notifications.vapid import Vapid
from notifications.workers import Workers
from runtime.head_first import HeadFirstConnector
from runtime.settings import WebPushSettings

# Seconds after each failed try. A result is kept for ten minutes: later there is nothing to come back to.
PAUSES_S = (5, 30, 120, 300)
STALE_AFTER_S = CLAIMED_S - ATTEMPT_S - 5  # in the queue: later another process may have claimed it
TITLES = {"completed": "Your prompt is ready", "failed": "Your prompt could not be made"}
GONE = (404, 410)

log = structlog.get_logger(__name__)


class PushUnusable(Exception):
    """Web Push is set up and cannot be used; the text says what is missing."""


class _Queued(NamedTuple):
    task: TaskRef
    due: DueDelivery
    since: float  # monotonic, s


def open_push_session(settings: WebPushSettings) -> aiohttp.ClientSession:
    """Return the session for notifications: few connections, to public addresses only, no cookies."""
    resolver = None if settings.allow_loopback else PublicAddresses()
    return open_session(HeadFirstConnector(settings.connections, resolver))


class Pushes:
    """An async context manager: while it is open, it sends. Its workers are not those of webhooks.

    ``after_s``: how long an end may be fetched before browsers are notified. ``proxy_of`` names the proxy for an
    address; ``tried`` is called with the outcome of each request: delivered, gone, refused, timeout or unreachable.

    Raises:
        PushUnusable: pywebpush is not installed.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: WebPushSettings,
        subscriptions: PushSubscriptions,
        *,
        ttl_s: float,
        proxy_of: Callable[[str], URL | None] = lambda _address: None,
        tried: Callable[[str], None] = lambda _outcome: None,
    ) -> None:
        try:
            from pywebpush import WebPusher  # an extra
        except ImportError as exc:
            raise PushUnusable(
                "web_push.private_key needs pywebpush:"
                " .venv/bin/pip install --require-hashes --no-deps -r requirements-webpush.lock"
            ) from exc
        self.after_s = settings.unseen_s
        self._pusher = WebPusher
        self._session = session
        self._settings = settings
        self._subscriptions = subscriptions
        self._vapid = Vapid(settings.private_key.get_secret_value(), settings.subject)
        self._ttl_s = ttl_s
        self._proxy_of = proxy_of
        self._tried = tried
        self._workers = Workers("push", settings.connections, self._process, lambda queued: queued.task)
        self._deliveries: Deliveries | None = None
        self._again: Callable[[TaskRef], object] = lambda _task: None

    def deliver(self, deliveries: Deliveries, again: Callable[[TaskRef], object]) -> None:
        """Set the records, and the function that is called with a task of which something is left to send."""
        self._deliveries, self._again = deliveries, again

    async def __aenter__(self) -> Pushes:
        self._workers.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._workers.stop()

    def take(self, task: TaskRef, due: DueDelivery) -> None:
        """Take over a claimed delivery; with a full queue it is due again when the claim ends."""
        self._workers.enqueue(_Queued(task, due, time.monotonic()))

    async def _process(self, queued: _Queued) -> None:
        if time.monotonic() - queued.since <= STALE_AFTER_S:
            with structlog.contextvars.bound_contextvars(**queued.due.origin.log_fields):
                await self._send(queued.task, queued.due)

    async def _send(self, task: TaskRef, due: DueDelivery) -> None:
        """Send to each subscription that is left; what a push service has accepted is not sent again."""
        assert self._deliveries is not None
        wanted = due.body.decode("ascii").split()
        there = [each for each in await self._subscriptions.of(task.account_id) if each.id in wanted]
        status = due.kind.rpartition(".")[2]
        outcomes = await asyncio.gather(*(self._push(each, task.task_id, status) for each in there))
        gone = [each.id for each, (outcome, _) in zip(there, outcomes, strict=True) if outcome == "gone"]
        left = [each.id for each, (_, again_s) in zip(there, outcomes, strict=True) if again_s is not None]
        if gone:
            await self._subscriptions.remove(task.account_id, gone)
        names = [outcome for outcome, _ in outcomes]
        last = next((name for name in names if name != "delivered"), names[0] if names else "gone")
        state, again_s = ("delivered" if "delivered" in names else "failed"), 0.0
        if left and due.number <= len(PAUSES_S):
            pause = jittered(PAUSES_S[due.number - 1])
            state, again_s = "pending", max([pause, *(asked for _, asked in outcomes if asked is not None)])
        log.info("push", tries=due.number, state=state, ended=last, removed=len(gone))
        await self._deliveries.end_try(task, due, state, last, again_s, left=" ".join(left))
        if state == "pending":
            self._again(task)

    async def _push(self, to: PushSubscription, task_id: str, status: str) -> tuple[str, float | None]:
        """Send once; return how it ended, and in how many seconds to try again at the earliest, None for never."""
        outcome, again_s = await self._request(to, task_id, status)
        self._tried(outcome)
        return outcome, again_s

    async def _request(self, to: PushSubscription, task_id: str, status: str) -> tuple[str, float | None]:
        if not self._subscriptions.may_be_asked(to.endpoint):  # it was accepted under other settings
            return "gone", None
        told = {"title": to.titles.get(status) or TITLES[status], "task_id": task_id, "status": status}
        keys = {"endpoint": to.endpoint, "keys": {"p256dh": to.p256dh, "auth": to.auth}}
        body = self._pusher(keys).encode(json.dumps(told, ensure_ascii=False).encode())["body"]
        headers = {
            "Authorization": self._vapid.authorization(to.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(self._ttl_s)),
            "Topic": task_id.replace("-", ""),  # one that still waits for the browser is replaced
        }
        try:
            async with self._session.post(
                to.endpoint, data=body, headers=headers, allow_redirects=False, proxy=self._proxy_of(to.endpoint)
            ) as answer:
                code, retry_after = answer.status, answer.headers.get("Retry-After", "")
        except TimeoutError:
            return "timeout", 0
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            log.info("push_unanswered", host=urlsplit(to.endpoint).hostname, failure=type(exc).__name__)
            return "unreachable", 0
        if 200 <= code < 300:
            return "delivered", None
        if code in GONE:
            return "gone", None
        log.warning("push_refused", host=urlsplit(to.endpoint).hostname, status=code)
        if code != 429 and code < 500:  # the request itself is wrong for this service: it stays wrong
            return "refused", None
        return "refused", float(retry_after[:9]) if retry_after.isdecimal() else 0
