"""One Redis as the rooms see it: the connection, key names, named Lua scripts, and one error when it is away.

Refuses to know what the keys hold. Every key of an account shares the hash tag
``{account_id}``, so that a script touches one slot and Redis Cluster stays possible.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog
from redis import asyncio as aioredis
from redis import exceptions as redis_errors
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.commands.core import AsyncScript

from runtime.settings import RedisSettings
from storage.errors import StorageUnavailable, storage_errors
from storage.round_trips import RoundTrips
from storage.wire import Argument

INCLUDE = re.compile(r'^--- @include "([a-z_]+)"\n', re.MULTILINE)
ROOT = Path(__file__).parent.parent
SCRIPT_FOLDERS = (ROOT / "accounts" / "lua", ROOT / "generation" / "lua")

LOOK_AGAIN_S = 1.0  # while Redis is away at the start

Call = tuple[Sequence[str], Sequence[Argument]]  # keys, arguments
SCANNED_AT_ONCE = 1_000
SPELLINGS = (("%", "%25"), ("{", "%7B"), ("}", "%7D"))  # the percent sign first

T = TypeVar("T")

log = structlog.get_logger(__name__)


def connect(settings: RedisSettings) -> aioredis.Redis:
    """Make the client that a process shares; it connects when it is first used, and ``aclose`` closes it.

    Every command ends within a few ``timeout_s``, whatever Redis does: a connection is waited for, made and read from
    for that long each. A broken connection is replaced and the command repeated, because every write of ours can be
    repeated. A timeout is not: a Redis that hangs would be asked three times as much, for answers that come too late.
    """
    pool = aioredis.BlockingConnectionPool.from_url(
        settings.url.get_secret_value(),
        max_connections=settings.connections,
        timeout=settings.timeout_s,
        socket_timeout=settings.timeout_s,
        socket_connect_timeout=settings.timeout_s,
        socket_keepalive=True,  # finds connections that a firewall forgot, without a PING before each command
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 2, (redis_errors.ConnectionError,)),
        protocol=2,  # no pushed messages here: polls have a connection of their own for those
        client_name="prompt-server",
        driver_info=None,  # two commands fewer for a new connection
    )
    return aioredis.Redis.from_pool(pool)


async def wait_until_ready(redis: aioredis.Redis, timeout_s: float) -> None:
    """Return when Redis answers; say what is waited for meanwhile.

    Raises:
        StorageUnavailable: it is still away after ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with storage_errors():
                await redis.ping()
        except StorageUnavailable as exc:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise
            log.warning("waiting_for_redis", reason=exc.reason, error=str(exc.__cause__), seconds_left=round(left_s))
            await asyncio.sleep(min(LOOK_AGAIN_S, left_s))
        else:
            return


async def warn_when_not_durable(redis: aioredis.Redis) -> None:
    """Log what about this Redis may lose accounts: no persistence, or eviction of keys when memory is short.

    Raises:
        StorageUnavailable: no usable answer.
    """
    with storage_errors():
        facts = await redis.info("persistence", "memory")
        try:
            saves = (await redis.config_get("save")).get("save", "")
        except redis_errors.ResponseError:  # hosted Redis often keeps CONFIG to itself
            saves = "unknown"
    if not facts["aof_enabled"] and not saves:
        log.warning("redis_not_durable", advice="neither append-only file nor snapshots are on; set appendonly yes")
    policy = facts["maxmemory_policy"]
    if facts["maxmemory"] and policy != "noeviction":
        log.warning("redis_may_evict", policy=policy, advice="set maxmemory-policy noeviction")


def load_scripts(folders: Sequence[Path] = SCRIPT_FOLDERS) -> Mapping[str, str]:
    """Return every script's text by name, includes put in place.

    Files in an ``include`` folder are fragments: other scripts name them with
    ``--- @include "name"`` and they are not scripts of their own.
    """
    fragments = {
        path.stem: path.read_text("utf-8") for folder in folders for path in sorted(folder.glob("include/*.lua"))
    }

    def expand(text: str) -> str:
        return INCLUDE.sub(lambda match: expand(fragments[match[1]]), text)

    return {path.stem: expand(path.read_text("utf-8")) for folder in folders for path in sorted(folder.glob("*.lua"))}


class Storage:
    """The shared Redis client with our key names and scripts.

    ``observe`` is told (operation, seconds) for each round trip, ``failed`` the reason of each StorageUnavailable.
    """

    def __init__(
        self,
        redis: aioredis.Redis,
        *,
        prefix: str = "pg",
        observe: Callable[[str, float], None] = lambda _operation, _seconds: None,
        failed: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self.redis = redis
        self.prefix = prefix
        self._observe = observe
        self._failed = failed
        self._round_trips = RoundTrips(redis)
        self._scripts = {name: redis.register_script(text) for name, text in load_scripts().items()}

    async def aclose(self) -> None:
        """Wait for what is on its way, then close the connections."""
        await self._round_trips.aclose()
        await self.redis.aclose()

    def key(self, account_id: str, *parts: str) -> str:
        """Name a key in the account's slot: ``pg:{account_id}:part:part``."""
        return f"{self.prefix}:{{{hash_tag(account_id)}}}:{':'.join(parts)}"

    def shared_key(self, *parts: str) -> str:
        """Name a key outside any account's slot: a hint that may be stale or lost."""
        return f"{self.prefix}:{':'.join(parts)}"

    async def run(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one script atomically (EVALSHA, loaded when Redis does not have it).

        A cancelled or failed call has an unknown outcome: scripts are written to be repeated.

        Raises:
            StorageUnavailable: no usable answer.
        """
        return await self.read(script, lambda: self._evaluate(self._scripts[script], keys, args))

    async def run_many(self, script: str, calls: Sequence[Call]) -> list[Any]:
        """Run one script many times, few round trips; each run is atomic, the whole is not.

        Raises:
            StorageUnavailable: no usable answer; some of the runs may have happened.
        """
        evaluate = self._evaluate
        known = self._scripts[script]
        return await self.read(script, lambda: asyncio.gather(*(evaluate(known, keys, args) for keys, args in calls)))

    async def _evaluate(self, script: AsyncScript, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        try:
            return await self._round_trips.send("EVALSHA", script.sha, len(keys), *keys, *args)
        except redis_errors.NoScriptError:
            await self._round_trips.send("SCRIPT", "LOAD", str(script.script))
            return await self._round_trips.send("EVALSHA", script.sha, len(keys), *keys, *args)

    async def command(self, *command: Argument) -> Any:
        """Run one plain command, by its name in capitals; values are bytes, otherwise as redis-py parses the answer.

        Raises:
            StorageUnavailable: no usable answer.
        """
        return await self.read(str(command[0]).lower(), lambda: self._round_trips.through_pool(*command))

    async def scan(self, pattern: str) -> AsyncIterator[str]:
        """Yield the names of all keys that match; some may come twice, as Redis says.

        Raises:
            StorageUnavailable: no usable answer.
        """
        cursor = 0
        while True:
            cursor, keys = await self.command("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED_AT_ONCE)
            for key in keys:
                yield str(key, "utf-8")
            if cursor == 0:
                return

    async def read(self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        """Await ``call()`` with its time observed and its errors mapped.

        Raises:
            StorageUnavailable: no usable answer.
        """
        started = time.perf_counter()
        try:
            with storage_errors():
                return await call()
        except StorageUnavailable as exc:
            self._failed(exc.reason)
            if exc.reason == "read_only":
                # The old master after a failover. A new connection goes where the name points now; old ones never will.
                self._round_trips.reconnect()
                await self.redis.connection_pool.disconnect(inuse_connections=False)
            raise
        finally:
            self._observe(operation, time.perf_counter() - started)


def hash_tag(account_id: str) -> str:
    """Spell an account's id so that it may stand in a hash tag: braces and percent signs are percent-encoded."""
    for character, spelled in SPELLINGS:
        account_id = account_id.replace(character, spelled)
    return account_id


def account_of(key: str) -> str:
    """Return the account whose slot the key is in."""
    account_id = key.split("{", 1)[1].split("}", 1)[0]
    for character, spelled in reversed(SPELLINGS):
        account_id = account_id.replace(spelled, character)
    return account_id
