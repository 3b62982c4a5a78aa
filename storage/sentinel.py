"""The master that Sentinels watch, followed as soon as one of them says that it changed.

redis-py asks the Sentinels; their last answer holds until the server at that address is no master any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog
from redis import asyncio as aioredis
from redis import exceptions as redis_errors
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from runtime.redis_url import RedisUrl
from storage.login import Address, Login
from storage.topology import OnePrimary

# Source: Redis Sentinel documentation, "Pub/Sub messages"
SWITCHED = "+switch-master"
PROMOTING = "+failover-state-send-slaveof-noone"  # writes to the old master are lost from now on
PROMOTED_WITHIN_S = 2.5  # or the promotion has failed
RETRY_FOR_S = 3.0  # longer than a planned failover takes
SENTINEL_TIMEOUT_S = 0.5  # for one Sentinel to answer
LISTEN_AGAIN_S = 1.0  # after a Sentinel went away
LISTENED_S = 5.0  # then a PING shows that it is still there

log = structlog.get_logger(__name__)


class SentinelMaster(OnePrimary):
    """One primary, at whatever address the Sentinels say."""

    retry_for_s = RETRY_FOR_S
    follows_masters = True

    def __init__(self, login: Login, url: RedisUrl) -> None:
        where = f"{url.master_name} of {', '.join(f'{host}:{port}' for host, port in url.hosts)}"
        super().__init__(login, where, self._locate)
        self._name = url.master_name
        options: dict[str, Any] = {
            "socket_timeout": SENTINEL_TIMEOUT_S,
            "socket_connect_timeout": SENTINEL_TIMEOUT_S,
            "username": url.sentinel_username or None,
            "password": url.sentinel_password or None,
            "retry": Retry(NoBackoff(), 0),
        }
        if url.tls is not None:
            options |= {"ssl": True, **url.tls}
        self._sentinels = Sentinel(list(url.hosts), sentinel_kwargs=options)
        self._known: Address | None = None
        self._told: Address | None = None  # by a Sentinel, just now
        self._promoting_until = float("-inf")
        self._listeners: list[asyncio.Task[None]] = []

    async def aclose(self) -> None:
        for listener in self._listeners:
            listener.cancel()
        if self._listeners:
            await asyncio.wait(self._listeners)
        await super().aclose()
        for sentinel in self._sentinels.sentinels:
            await sentinel.aclose()

    async def _locate(self) -> Address:
        if not self._listeners:
            self._listeners = [
                asyncio.create_task(self._listen(sentinel), name="listens to a Sentinel")
                for sentinel in self._sentinels.sentinels
            ]
        if self._told is not None:
            self._known, self._told = self._told, None
            return self._known
        if asyncio.get_running_loop().time() < self._promoting_until:
            raise redis_errors.ConnectionError("a replica is being promoted")
        try:
            self._known = Address(*await self._sentinels.discover_master(self._name))
        except (redis_errors.RedisError, OSError):
            if self._known is None:
                raise
        return self._known

    async def _listen(self, sentinel: aioredis.Redis) -> None:
        while True:
            with contextlib.suppress(redis_errors.RedisError, OSError):
                async with sentinel.pubsub() as pubsub:
                    await pubsub.subscribe(SWITCHED, PROMOTING)
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=LISTENED_S)
                        if message is None:
                            await pubsub.ping()
                        elif message["type"] == "message":
                            self._heard(str(message["channel"], "utf-8"), str(message["data"], "utf-8"))
            await asyncio.sleep(LISTEN_AGAIN_S)

    def _heard(self, channel: str, text: str) -> None:
        words = text.split(" ")
        if channel == SWITCHED and words[0] == self._name:
            self._switched(Address(words[3], int(words[4])))
        elif channel == PROMOTING and self._name in words[4:6]:  # "slave <name> <host> <port> @ <master> <host> <port>"
            self._promoting_until = asyncio.get_running_loop().time() + PROMOTED_WITHIN_S
            self._primary.leave()

    def _switched(self, address: Address) -> None:
        self._promoting_until = float("-inf")
        if address not in (self._primary.address if self._primary.wire else None, self._told):
            log.warning("redis_master_switched", address=str(address))
            self._told = address
            self._primary.leave()
