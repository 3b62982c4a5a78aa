"""One connection of our own to Redis, on which Redis says when a key that was read there changes.

Owns when it is there: CLIENT TRACKING on a wire (``storage/wire.py``), watchdog, reconnection. Refuses to know what
keys hold.

What was read here and was not reported as changed is known to be true up to the moment at which the last answered
PING was sent: Redis sends an invalidation before it answers anything that came after the write. ``sure_until`` is
that moment plus ``STALE_S``. It needs no timer to be right: a silent link or a stopped process runs past it.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import structlog
from redis import asyncio as aioredis
from redis import exceptions as redis_errors

from storage.errors import StorageUnavailable
from storage.wire import Argument, Replied, Wire, open_wire

STALE_S = 1.0  # nothing older than this is answered without asking Redis
PING_EVERY_S = 0.1
SILENT_S = 0.7  # a PING unanswered for so long ends the link: together with PING_EVERY_S below STALE_S
CONNECT_TIMEOUT_S = 1.0
RECONNECT_FIRST_S = 0.02
RECONNECT_MOST_S = 1.0
CLIENT_NAME = "prompt-tracking"


log = structlog.get_logger(__name__)


class TrackingLink:
    """An async context manager; ``redis`` is only asked where its server is and how to log in.

    Set ``on_invalidated`` (a key, or None for every key), ``on_up`` and ``on_lost`` before entering. They and all
    replies are called synchronously, in the order of the wire, and must not raise.
    """

    def __init__(self, redis: aioredis.Redis) -> None:
        self._redis = redis
        self._wire: Wire | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._pings: collections.deque[float] = collections.deque()  # when those under way were sent
        self._confirmations: list[Replied] = []
        self.on_invalidated: Callable[[bytes | None], None] = lambda _key: None
        self.on_up: Callable[[], None] = lambda: None
        self.on_lost: Callable[[], None] = lambda: None
        self.sure_until = 0.0  # in the seconds of time.monotonic()
        self.losses = 0

    async def __aenter__(self) -> TrackingLink:
        """Start, and return when the first attempt to connect has ended, either way."""
        tried = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep(tried), name="tracking link")
        await tried.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._keeper is not None
        self._keeper.cancel()
        await asyncio.wait([self._keeper])

    @property
    def up(self) -> bool:
        """Whether commands can be sent and changes are reported."""
        return self._wire is not None

    def send(self, command: tuple[Argument, ...], replied: Replied) -> None:
        """Send with everything else of this tick; ``replied`` gets the reply, or the error as a value, once.

        Raises:
            StorageUnavailable: the link is down.
        """
        if self._wire is None:
            raise StorageUnavailable("unreachable")
        self._wire.send(command, replied)

    async def command(self, *command: Argument) -> Any:
        """Send one command and return its reply, as bytes, integers and lists.

        Raises:
            StorageUnavailable: the link is down, or was lost before the reply came.
        """
        if self._wire is None:
            raise StorageUnavailable("unreachable")
        return await self._wire.command(*command)

    def confirm(self, confirmed: Replied) -> None:
        """Hand on the answer to the next PING: by then every change before it was sent has been reported.

        Raises:
            StorageUnavailable: the link is down.
        """
        if self._wire is None:
            raise StorageUnavailable("unreachable")
        self._confirmations.append(confirmed)
        if not self._pings:
            self._ping()

    async def _keep(self, tried: asyncio.Event) -> None:
        """Hold one connection at a time for as long as the link lives."""
        failures = 0
        while True:
            wire = Wire(self._wire_lost, self._pushed)
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await open_wire(self._redis, wire, CLIENT_NAME)
                    await wire.command("CLIENT", "TRACKING", "ON")
                failures = 0
                self._wire = wire
                self.on_up()
                tried.set()
                await self._watch(wire)
            except (OSError, TimeoutError, redis_errors.RedisError, StorageUnavailable) as exc:
                failures += 1
                if failures in (1, 10):
                    log.warning("tracking_link_down", error=f"{type(exc).__name__}: {exc}", failures=failures)
            finally:
                wire.abort()
                tried.set()
            pause_s = min(RECONNECT_FIRST_S * 2 ** min(failures, 10), RECONNECT_MOST_S)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # spreads reconnections, hides nothing

    async def _watch(self, wire: Wire) -> None:
        """Ask again and again whether the other end is there, until it is not."""
        while not wire.lost.is_set():
            if self._pings and time.monotonic() > self._pings[0] + SILENT_S:
                raise StorageUnavailable("timeout")
            self._ping()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PING_EVERY_S):  # wait_for of Python 3.11 can swallow our cancellation
                    await wire.lost.wait()
        raise StorageUnavailable("unreachable")

    def _ping(self) -> None:
        assert self._wire is not None
        self._pings.append(time.monotonic())
        self._wire.send(("PING",), self._ponged)

    def _ponged(self, answer: Any) -> None:
        sent_at = self._pings.popleft()
        if not isinstance(answer, Exception):
            self.sure_until = sent_at + STALE_S
        confirmations, self._confirmations = self._confirmations, []
        for confirmed in confirmations:
            confirmed(answer)

    def _pushed(self, push: list[Any]) -> None:
        if push[0] == b"invalidate":
            for key in push[1] if push[1] is not None else (None,):
                self.on_invalidated(key)

    def _wire_lost(self, wire: Wire) -> None:
        if self._wire is wire:
            self._wire = None
            self.losses += 1
            self.sure_until = 0.0
            self.on_lost()
