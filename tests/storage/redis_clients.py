"""Clients of a test's Redis: the storage that is tested, and others that make trouble."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis import asyncio as aioredis

from storage.errors import StorageUnavailable
from storage.redis_server import RedisServer
from storage.storage import Storage
from tests.support.redis_proxy import Proxy
from tests.support.storage import OpenStorage


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].split("/")[0])


def through(proxy: Proxy, server: RedisServer) -> str:
    return server.url.replace(f":{port_of(server.url)}/", f":{proxy.port}/")


@contextlib.asynccontextmanager
async def opened(url: str, *, timeout_s: float = 2.0, **options: Any) -> AsyncIterator[OpenStorage]:
    storage = OpenStorage(url, timeout_s=timeout_s, **options)
    try:
        yield storage
    finally:
        await storage.aclose()


@contextlib.asynccontextmanager
async def another_client(url: str) -> AsyncIterator[aioredis.Redis]:
    """One that has nothing to do with the storage that is tested."""
    async with aioredis.Redis.from_url(url) as redis:
        yield redis


async def command(redis: aioredis.Redis, *words: str) -> Any:
    return await redis.execute_command(*words)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds; pytest-tornado's own timeout ends a wait in vain."""
    while not await condition():  # noqa: ASYNC110  # what is waited for happens in another process
        await asyncio.sleep(0.01)


async def write(storage: Storage, member: str = "member") -> Any:
    """Run a script that writes: a lease's hint."""
    return await storage.run("index_leases", ["pg:leases", "pg:accounts"], [60_000, member, "account"])


async def reason_of(storage: Storage, member: str = "member") -> str:
    with pytest.raises(StorageUnavailable) as caught:
        await write(storage, member)
    return caught.value.reason


async def writing_ends_with(reason: str, storage: Storage) -> bool:
    try:
        await write(storage)
    except StorageUnavailable as exc:
        return exc.reason == reason
    return False
