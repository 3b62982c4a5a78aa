"""Sends commands to the servers that hold their keys, again when a master changed, a slot moved or a connection broke.

Every command of ours may be repeated. Refuses to know what commands mean, and how servers are found (``topology.py``).
They are not a transaction: each succeeds or fails alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog
from redis import exceptions as redis_errors

from storage.errors import StorageMisconfigured, StorageUnavailable, reason_of
from storage.login import Address
from storage.primary import Primary
from storage.topology import Topology
from storage.wire import Command, Wire, checked

MAX_SENDS = 2  # over connections that were lost; a timeout is never repeated: Redis has enough to do when it hangs
MAX_REDIRECTIONS = 16
# While a slot moves key by key, a command with several keys has to wait until all of them have the same server.
SLOT_MOVES_S = 5.0
TRY_AGAIN_FIRST_S, TRY_AGAIN_MAX_S = 0.05, 0.2
PAUSE_FIRST_S, PAUSE_MAX_S = 0.02, 0.2  # while there is no master
LEAVE_EVERY_S = 1.0  # a server that says it is a master is left no more often than this

log = structlog.get_logger(__name__)


class Transport:
    """Sends each command to its key's server.

    Each ends within ``retry_for_s`` of the topology and three timeouts, or after SLOT_MOVES_S where its slot moves.
    """

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self._left_at: dict[Primary, float] = {}

    async def call(self, key: str | bytes, command: Command, *, load: Command | None = None) -> Any:
        """Return the reply to one command: bytes, an integer, None, or a list of them.

        ``load`` loads the script on a server that does not have it. A cancelled caller's command may still run.

        Raises:
            StorageUnavailable; RedisError: a defect of ours.
        """
        primary = self.topology.of(key)
        reply: Any = None
        if (wire := primary.wire) is not None:
            reply = await wire.ask(command)
            if not isinstance(reply, Exception):
                return reply
        return await _Attempts(self, key, command, load).go_on(primary, reply)

    def leave(self, primary: Primary, reason: str) -> None:
        """Leave a server that refuses writes, for the one that is the master now."""
        now = asyncio.get_running_loop().time()
        if reason != "read_only" and now < self._left_at.get(primary, -LEAVE_EVERY_S) + LEAVE_EVERY_S:
            return
        self._left_at[primary] = now
        if primary.wire is not None:
            log.warning("redis_left", address=str(primary.address), reason=reason)
            primary.leave()


class _Attempts:
    """One command on its way, from its first failure on."""

    def __init__(self, transport: Transport, key: str | bytes, command: Command, load: Command | None) -> None:
        self._transport = transport
        self._topology = transport.topology
        self._key = key
        self._command = command
        self._load = load
        self._before: Command | None = None  # sent in the same write, before the command
        self._began_at = asyncio.get_running_loop().time()
        self._pause_s = PAUSE_FIRST_S
        self._try_again_s = TRY_AGAIN_FIRST_S
        self._redirections = 0
        self._sent = 0

    async def go_on(self, primary: Primary, failure: Exception | None) -> Any:
        """Send until there is a reply; ``failure`` is that of the first time, None where there was no connection."""
        self._sent = int(failure is not None)
        connected = failure is not None
        while True:
            if failure is not None:
                primary = await self._next(primary, failure, connected=connected)
            try:
                wire = await primary.connected()
            except StorageUnavailable as exc:
                failure, connected = exc, False
                continue
            reply = await self._send(wire)
            if not isinstance(reply, Exception):
                return reply
            failure, connected = reply, True

    def _send(self, wire: Wire) -> asyncio.Future[Any]:
        self._sent += 1
        if self._before is not None:
            wire.send(self._before, lambda _reply: None)  # what is wrong with it shows in the command's own reply
            self._before = None
        return wire.ask(self._command)

    async def _next(self, primary: Primary, failure: Exception, *, connected: bool) -> Primary:
        """Return the server of the next attempt after the pause that it needs, or raise what ``failure`` stands for."""
        match failure:
            case redis_errors.AskError():  # MOVED is one of them
                return self._redirected(failure)
            case redis_errors.NoScriptError() if self._load is not None:
                self._before, self._load = self._load, None
                return primary
            case redis_errors.TryAgainError():
                await self._pause(failure, self._try_again_s, SLOT_MOVES_S)
                self._try_again_s = min(2 * self._try_again_s, TRY_AGAIN_MAX_S)
            case _ if _no_master(failure):
                self._transport.leave(primary, reason_of(failure))
                await self._look_for_master(failure)
            case _ if reason_of(failure) != "unreachable" or isinstance(failure, StorageMisconfigured):
                checked(failure)
            case _ if connected and self._sent < MAX_SENDS:
                pass
            case _ if self._topology.follows_masters:
                await self._look_for_master(failure)
            case _:
                checked(failure)
        return self._topology.of(self._key)

    def _redirected(self, failure: redis_errors.AskError) -> Primary:
        self._redirections += 1
        if self._redirections > MAX_REDIRECTIONS:
            checked(failure)
        address = Address(failure.host, failure.port)
        if isinstance(failure, redis_errors.MovedError):
            return self._topology.moved(failure.slot_id, address)
        self._before = ("ASKING",)
        return self._topology.at(address)

    async def _look_for_master(self, failure: Exception) -> None:
        await self._pause(failure, self._pause_s, self._topology.retry_for_s)
        self._pause_s = min(2 * self._pause_s, PAUSE_MAX_S)
        with contextlib.suppress(StorageUnavailable):
            await self._topology.refresh()

    async def _pause(self, failure: Exception, pause_s: float, retry_for_s: float) -> None:
        left_s = self._began_at + retry_for_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            checked(failure)
        await asyncio.sleep(min(pause_s, left_s))


def _no_master(failure: Exception) -> bool:
    """Say whether the server says that it is not the master, or not allowed to act as one."""
    if isinstance(failure, redis_errors.ClusterDownError) or reason_of(failure) == "read_only":  # with MASTERDOWN
        return True
    return any(code in str(failure) for code in ("NOREPLICAS ", "-MASTERDOWN ", "CLUSTERDOWN "))
