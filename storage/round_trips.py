"""Commands on their way to Redis: scripts' calls over a connection of our own, anything else through redis-py's pool.

A server with hundreds of running tasks makes thousands of calls a second, and through redis-py each costs six times as
much: a connection from the pool, two timeouts, a system call each way. Refuses to know what the calls mean. They are
not a transaction: each stands and fails alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from redis import asyncio as aioredis

from storage.errors import StorageUnavailable, storage_errors
from storage.wire import Argument, Wire, checked, open_wire

CLIENT_NAME = "prompt-scripts"
SENT_AT_MOST = 2
LOOKS_PER_TIMEOUT = 4


class RoundTrips:
    """Sends commands in the name of ``redis``; each is answered within a few of its ``socket_timeout``."""

    def __init__(self, redis: aioredis.Redis) -> None:
        self._redis = redis
        self._timeout_s: float = redis.connection_pool.connection_kwargs.get("socket_timeout") or 2.0
        self._wire: Wire | None = None
        self._marks: deque[tuple[float, int]] = deque()  # when, and how many commands had been sent by then
        self._connecting: asyncio.Task[Wire] | None = None
        self._in_pool: set[asyncio.Task[Any]] = set()

    async def send(self, *command: Argument) -> Any:
        """Return Redis' answer to one command: bytes, an integer, None, or a list of them.

        A cancelled caller's command may still run.

        Raises:
            StorageUnavailable, RedisError
        """
        for _ in range(SENT_AT_MOST - 1):
            try:
                return await self._over_wire(self._wire or await self._connected(), command)
            except StorageUnavailable as exc:  # every script of ours may be repeated when its connection was lost
                if exc.reason != "unreachable":
                    raise
        return await self._over_wire(self._wire or await self._connected(), command)

    async def through_pool(self, *command: Argument) -> Any:
        """Return Redis' answer to one command as redis-py parses it.

        In a coroutine of its own: redis-py's timeouts use asyncio.wait_for, which can lose the caller's cancellation in
        Python 3.11, and a caller that was cancelled would go on.

        Raises:
            RedisError, OSError
        """
        execute: Callable[..., Awaitable[Any]] = self._redis.execute_command
        asked = asyncio.ensure_future(execute(*command))
        self._in_pool.add(asked)
        asked.add_done_callback(self._in_pool.discard)
        return await asyncio.shield(asked)

    def reconnect(self) -> None:
        """Leave the server that we are connected to, for the one that the name points to now."""
        if self._wire is not None:
            self._wire.abort()

    async def aclose(self) -> None:
        """Wait for what is on its way, also for callers that were cancelled."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._in_pool:
            await asyncio.wait(self._in_pool)
        if (wire := self._wire) is not None:
            with contextlib.suppress(StorageUnavailable):
                await self._over_wire(wire, ("PING",))  # its answer is the last
            wire.abort()

    async def _over_wire(self, wire: Wire, command: tuple[Argument, ...]) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        wire.send(command, lambda value: None if answer.done() else answer.set_result(value))
        if not self._marks:
            self._mark(wire)
        return checked(await answer)

    def _mark(self, wire: Wire) -> None:
        """Note how much was sent until now, and look soon whether it has been answered."""
        loop = asyncio.get_running_loop()
        self._marks.append((loop.time(), wire.sent))
        loop.call_later(self._timeout_s / LOOKS_PER_TIMEOUT, self._look, wire)

    def _look(self, wire: Wire) -> None:
        if self._wire is not wire:
            return
        while self._marks and self._marks[0][1] <= wire.answered:
            self._marks.popleft()
        if self._marks and self._marks[0][0] <= asyncio.get_running_loop().time() - self._timeout_s:
            wire.abort("timeout")
        elif wire.answered < wire.sent:
            self._mark(wire)

    async def _connected(self) -> Wire:
        """Connect; one attempt for all who want it now.

        Raises:
            StorageUnavailable
        """
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(), name="connects for scripts")
            self._connecting.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # it is heard here
        connecting = self._connecting
        await asyncio.wait([connecting])  # and not await it: a caller that is cancelled must not end it for the others
        if connecting.cancelled():
            raise StorageUnavailable("unreachable")
        return connecting.result()

    async def _connect(self) -> Wire:
        wire = Wire(self._lost)
        try:
            with storage_errors():
                async with asyncio.timeout(self._timeout_s):
                    await open_wire(self._redis, wire, CLIENT_NAME)
        except BaseException:
            wire.abort()
            raise
        else:
            self._wire = wire
            return wire
        finally:
            self._connecting = None

    def _lost(self, wire: Wire) -> None:
        if self._wire is wire:
            self._wire = None
            self._marks.clear()
