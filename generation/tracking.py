"""One connection of our own to Redis, on which Redis says when a key that was read there changes.

Owns the connection: handshake (RESP3, CLIENT TRACKING), commands coalesced into one write per loop tick, replies
and pushes handed on in the order Redis sent them, watchdog, reconnection. Refuses to know what keys hold.

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
from typing import Any, TypeAlias, cast

import hiredis
import structlog
from redis import asyncio as aioredis
from redis import exceptions as redis_errors
from redis.asyncio.connection import SSLConnection

from runtime.storage import Argument, StorageUnavailable, storage_errors

STALE_S = 1.0  # nothing older than this is answered without asking Redis
PING_EVERY_S = 0.1
SILENT_S = 0.7  # a PING unanswered for so long ends the link: together with PING_EVERY_S below STALE_S
CONNECT_TIMEOUT_S = 1.0
RECONNECT_FIRST_S = 0.02
RECONNECT_MOST_S = 1.0
CLIENT_NAME = "prompt-tracking"

Replied: TypeAlias = Callable[[Any], None]
_NOTHING_YET = object()

log = structlog.get_logger(__name__)


class TrackingLink:
    """An async context manager; ``redis`` is only asked where its server is and how to log in.

    Set ``on_invalidated`` (a key, or None for every key), ``on_up`` and ``on_lost`` before entering. They and all
    replies are called synchronously, in the order of the wire, and must not raise.
    """

    def __init__(self, redis: aioredis.Redis) -> None:
        self._pool = redis.connection_pool
        self._wire: _Wire | None = None
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
            wire = _Wire(self._pushed, self._wire_lost)
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await self._connect(wire)
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

    async def _connect(self, wire: _Wire) -> None:
        """Connect and log in as redis-py would with the same URL, and switch tracking on."""
        where = self._pool.connection_kwargs
        loop = asyncio.get_running_loop()
        if path := where.get("path"):
            await loop.create_unix_connection(lambda: wire, path)
        else:
            # Never connected; it knows what the options of a rediss:// URL mean.
            connection = self._pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py's own omission
            tls = connection.ssl_context.get() if isinstance(connection, SSLConnection) else None
            await loop.create_connection(lambda: wire, where.get("host", "localhost"), where.get("port", 6379), ssl=tls)
        login: tuple[Argument, ...] = ()
        if password := where.get("password"):
            login = ("AUTH", where.get("username") or "default", password)
        await wire.command("HELLO", 3, *login, "SETNAME", CLIENT_NAME)
        if database := where.get("db"):
            await wire.command("SELECT", database)
        await wire.command("CLIENT", "TRACKING", "ON")

    async def _watch(self, wire: _Wire) -> None:
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

    def _wire_lost(self, wire: _Wire) -> None:
        if self._wire is wire:
            self._wire = None
            self.losses += 1
            self.sure_until = 0.0
            self.on_lost()


class _Wire(asyncio.Protocol):
    """One connection: commands out, replies and pushes in, in order, until it is lost."""

    def __init__(self, pushed: Callable[[list[Any]], None], on_lost: Callable[[_Wire], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._pushed = pushed
        self._on_lost = on_lost
        self._transport: asyncio.WriteTransport | None = None
        self._out: list[bytes] = []
        self._waiting: collections.deque[Replied] = collections.deque()
        self._reader = hiredis.Reader(
            protocolError=redis_errors.InvalidResponse,
            replyError=redis_errors.ResponseError,
            notEnoughData=_NOTHING_YET,
        )
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self.abort()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while not self.lost.is_set() and (reply := self._reader.gets()) is not _NOTHING_YET:
                if isinstance(reply, hiredis.PushNotification):
                    self._pushed(reply)
                else:
                    self._waiting.popleft()(reply)
        except redis_errors.InvalidResponse:
            self.abort()

    def send(self, command: tuple[Argument, ...], replied: Replied) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub means tuple[…, ...]
        self._waiting.append(replied)

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None:
            self._transport.write(b"".join(out))

    async def command(self, *command: Argument) -> Any:
        reply: asyncio.Future[Any] = self._loop.create_future()
        self.send(command, lambda value: None if reply.done() else reply.set_result(value))
        return checked(await reply)

    def abort(self) -> None:
        """Close at once; every reply that is still awaited becomes an error."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        self.lost.set()
        self._on_lost(self)  # first: whoever gets an error below must not ask here again
        while self._waiting:
            self._waiting.popleft()(StorageUnavailable("unreachable"))


def checked(reply: Any) -> Any:
    """Return a reply, or raise the error that stands for one.

    Raises:
        StorageUnavailable: lost, or Redis cannot serve now.
    """
    with storage_errors():
        if isinstance(reply, Exception):
            raise reply
    return reply
