"""A connection of our own to Redis: what is sent in one turn of the event loop leaves in one write.

Owns the wire: login as redis-py would do it with the same URL, RESP3, replies handed on in the order Redis sent them.
A command costs a sixth of what it costs through redis-py's pool. Refuses to know what is sent, and to reconnect.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import hiredis
from redis import asyncio as aioredis
from redis import exceptions as redis_errors
from redis._parsers import BaseParser  # names an error by its code, as redis-py's own connections do
from redis.asyncio.connection import SSLConnection

from storage.errors import StorageUnavailable, storage_errors

Argument: TypeAlias = str | bytes | int
Replied: TypeAlias = Callable[[Any], None]
_NOTHING_YET = object()

HELD_S = 0.002  # a command waits for the answers to those before, to travel with others, but no longer than this


async def open_wire(redis: aioredis.Redis, wire: Wire, client_name: str) -> None:
    """Connect to the server that ``redis`` uses, and log in.

    Raises:
        OSError, RedisError, StorageUnavailable
    """
    pool = redis.connection_pool
    where = pool.connection_kwargs
    loop = asyncio.get_running_loop()
    if path := where.get("path"):
        await loop.create_unix_connection(lambda: wire, path)
    else:
        # Never connected; it knows what the options of a rediss:// URL mean.
        connection = pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py's own omission
        tls = connection.ssl_context.get() if isinstance(connection, SSLConnection) else None
        await loop.create_connection(lambda: wire, where.get("host", "localhost"), where.get("port", 6379), ssl=tls)
    login: tuple[Argument, ...] = ()
    if password := where.get("password"):
        login = ("AUTH", where.get("username") or "default", password)
    await wire.command("HELLO", 3, *login, "SETNAME", client_name)
    if database := where.get("db"):
        await wire.command("SELECT", database)


class Wire(asyncio.Protocol):
    """One connection: commands out, replies and pushes in, in order, until it is lost.

    ``sent`` and ``answered`` count commands. ``on_lost`` is called once, before those that wait for replies hear of it.
    """

    def __init__(
        self, on_lost: Callable[[Wire], None], pushed: Callable[[list[Any]], None] = lambda _push: None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._pushed = pushed
        self._on_lost = on_lost
        self._transport: asyncio.WriteTransport | None = None
        self._out: list[bytes] = []
        self._waiting: collections.deque[Replied] = collections.deque()
        self._reader = hiredis.Reader(
            protocolError=redis_errors.InvalidResponse,
            replyError=BaseParser.parse_error,
            notEnoughData=_NOTHING_YET,
        )
        self.lost = asyncio.Event()
        self._held: asyncio.TimerHandle | None = None
        self.sent = 0
        self.answered = 0

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
                    self.answered += 1
                    self._waiting.popleft()(reply)
        except redis_errors.InvalidResponse:
            self.abort()
        if self._held is not None:
            self._loop.call_soon(self._flush)  # with what those who have just been answered ask next

    def send(self, command: tuple[Argument, ...], replied: Replied) -> None:
        if not self._out:
            if self.answered == self.sent:
                self._loop.call_soon(self._flush)
            else:
                self._held = self._loop.call_later(HELD_S, self._flush)
        self._out.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub means tuple[…, ...]
        self._waiting.append(replied)
        self.sent += 1

    def _flush(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None
        out, self._out = self._out, []
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    async def command(self, *command: Argument) -> Any:
        reply: asyncio.Future[Any] = self._loop.create_future()
        self.send(command, lambda value: None if reply.done() else reply.set_result(value))
        return checked(await reply)

    def abort(self, reason: str = "unreachable") -> None:
        """Close at once; every reply that is still awaited becomes StorageUnavailable for this reason."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        self.lost.set()
        self._on_lost(self)  # first: whoever gets an error below must not ask here again
        while self._waiting:
            self._waiting.popleft()(StorageUnavailable(reason))


def checked(reply: Any) -> Any:
    """Return a reply, or raise the error that stands for one.

    Raises:
        StorageUnavailable: lost, or Redis cannot serve now.
    """
    with storage_errors():
        if isinstance(reply, Exception):
            raise reply
    return reply
