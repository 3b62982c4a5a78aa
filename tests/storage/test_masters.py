"""One decision about who the master is: every connection follows it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, MutableSequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import structlog
from redis import asyncio as aioredis

from composition import compose
from generation.status_copy import StatusCopy
from runtime.configuration import load_settings
from storage.errors import StorageMisconfigured, StorageUnavailable
from storage.redis_server import RedisServer
from storage.start import wait_until_ready
from tests.storage.redis_clients import another_client, command, opened, port_of, reason_of, through, until, write
from tests.support.redis_proxy import Proxy
from tests.support.storage import OpenStorage


@asynccontextmanager
async def old_and_new(server: RedisServer) -> AsyncIterator[tuple[aioredis.Redis, aioredis.Redis, RedisServer]]:
    """A master and the one that will follow it, both behind the same password."""
    with RedisServer() as new:
        async with another_client(server.url) as on_old, another_client(new.url) as on_new:
            await command(on_new, "ACL", "SETUSER", "default", f">{server.url.split(':')[2].split('@')[0]}")
            yield on_old, on_new, new


def body(version: int) -> bytes:
    return f'{{"status":"processing","progress":10,"message":"…","version":{version}}}'.encode()


async def names_of(redis: aioredis.Redis) -> list[str]:
    return sorted(client["name"] for client in await redis.client_list() if client["name"].startswith("prompt-"))


@pytest.mark.gen_test
async def test_after_a_failover_by_name_polls_find_documents_of_the_new_master(server: RedisServer) -> None:
    """The old master lives on as a replica whose link is down, and nobody cuts the connections to it."""
    async with (
        old_and_new(server) as (on_old, on_new, new),
        Proxy(port_of(server.url)) as proxy,
        opened(through(proxy, server)) as storage,
        StatusCopy(storage, entries=10) as copy,
    ):
        await storage.command("SET", storage.key("a", "status", "before"), body(1))
        assert await copy.document("a", "before")
        await command(on_old, "REPLICAOF", "127.0.0.1", "1")
        proxy.target_port = port_of(new.url)
        await storage.command("SET", storage.key("a", "status", "after"), body(1), "EX", 600)
        document = await copy.document("a", "after")
        assert document
        await until(lambda: _equal(names_of(on_new), ["prompt-commands", "prompt-tracking"]))
        assert await names_of(on_old) == []
        await on_new.set(storage.key("a", "status", "after"), body(2))
        written = time.monotonic()
        while (await copy.document("a", "after")).version != 2:  # type: ignore[union-attr]  # it is there
            assert time.monotonic() - written < 120
            await asyncio.sleep(0.002)


@pytest.mark.gen_test
async def test_a_demoted_master_is_left_also_when_nobody_writes(server: RedisServer) -> None:
    async with (
        old_and_new(server) as (on_old, on_new, new),
        Proxy(port_of(server.url)) as proxy,
        opened(through(proxy, server)) as storage,
        StatusCopy(storage, entries=10),
    ):
        proxy.target_port = port_of(new.url)
        await command(on_old, "REPLICAOF", "127.0.0.1", "1")
        demoted = time.monotonic()
        await until(lambda: _equal(names_of(on_old), []))
        assert time.monotonic() - demoted < 120
        await until(lambda: _equal(names_of(on_new), ["prompt-commands", "prompt-tracking"]))


@pytest.mark.gen_test
async def test_readers_without_tracking_leave_a_demoted_master_too(server: RedisServer) -> None:
    async with (
        old_and_new(server) as (on_old, on_new, new),
        Proxy(port_of(server.url)) as proxy,
        opened(through(proxy, server)) as storage,
    ):
        await on_new.set("where", "new")
        assert await storage.command("GET", "where") is None
        proxy.target_port = port_of(new.url)
        await command(on_old, "REPLICAOF", "127.0.0.1", "1")
        demoted = time.monotonic()
        while await storage.command("GET", "where") != b"new":
            assert time.monotonic() - demoted < 120
            await asyncio.sleep(0.02)


@pytest.mark.gen_test
async def test_a_replica_is_never_asked(server: RedisServer) -> None:
    async with another_client(server.url) as redis:
        await redis.set("here", "stale")
        await command(redis, "REPLICAOF", "127.0.0.1", "1")
        async with opened(server.url) as storage:
            with pytest.raises(StorageUnavailable, match="read_only"):
                await storage.command("GET", "here")
            with pytest.raises(StorageUnavailable, match="read_only"):
                await wait_until_ready(storage, 0.1)
            await command(redis, "REPLICAOF", "NO", "ONE")
            assert await storage.command("GET", "here") == b"stale"


@pytest.mark.gen_test
async def test_one_name_that_leads_to_two_servers_is_not_taken_for_one(server: RedisServer) -> None:
    """The second connection must reach the first one's server: client ids of another mean nothing there."""
    async with (
        old_and_new(server) as (_, on_new, new),
        Proxy(port_of(server.url)) as proxy,
    ):
        storage = OpenStorage(through(proxy, server))
        await write(storage)
        proxy.target_port = port_of(new.url)
        async with StatusCopy(storage, entries=10) as copy:
            await until(lambda: _equal(names_of(on_new), ["prompt-commands", "prompt-tracking"]))
            await on_new.set(storage.key("a", "status", "t"), body(1))
            assert await copy.document("a", "t")
        await storage.aclose()


@pytest.mark.gen_test
async def test_a_master_without_the_replicas_it_needs_is_asked_again_over_new_connections(server: RedisServer) -> None:
    """It may be the old master of a split network: only a new connection finds out where the name leads."""
    async with (
        old_and_new(server) as (on_old, _, new),
        Proxy(port_of(server.url)) as proxy,
        opened(through(proxy, server)) as storage,
    ):
        await write(storage)
        await on_old.config_set("min-replicas-to-write", "1")
        proxy.target_port = port_of(new.url)
        assert await write(storage, "after") == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("found", ["a demoted master", "a master that stands still", "nobody"])
async def test_a_start_while_the_master_is_gone_is_ready_soon_after_the_name_has_moved(
    server: RedisServer, found: str
) -> None:
    async with (
        old_and_new(server) as (on_old, on_new, new),
        Proxy(port_of(server.url)) as proxy,
        AsyncExitStack() as stack,
    ):
        if found == "a demoted master":
            await command(on_old, "REPLICAOF", "127.0.0.1", "1")
        elif found == "nobody":
            proxy.target_port = 1
        else:
            os.kill(server.pid, signal.SIGSTOP)
            stack.callback(os.kill, server.pid, signal.SIGCONT)
        redis = {"url": through(proxy, server), "start_timeout_s": 600, "timeout_s": 0.5}
        settings = load_settings(None, {"redis": redis, "gemini": {"api_key": "none"}})
        with structlog.testing.capture_logs() as lines:
            starting = asyncio.ensure_future(compose(settings, stack))
            await until(lambda: _logged(lines, "waiting_for_redis"))
            assert not starting.done()
            proxy.target_port = port_of(new.url)
            moved = time.monotonic()
            service = await starting
        assert time.monotonic() - moved < 60
        assert service.runner.free > 0
        assert await on_new.get("pg:schema") == b"1"
        await until(lambda: _equal(names_of(on_new), ["prompt-commands", "prompt-tracking"]))


@pytest.mark.gen_test
async def test_a_node_of_a_cluster_is_refused_with_a_sentence(binary: str) -> None:
    with RedisServer(binary=binary, options=("--cluster-enabled", "yes")) as node:
        async with opened(node.url) as storage:
            with pytest.raises(StorageMisconfigured) as caught:
                await wait_until_ready(storage, 5)
            assert "is a node of a cluster: use redis+cluster://" in caught.value.sentence
            assert await reason_of(storage) == "refused"


async def _logged(lines: MutableSequence[Any], event: str) -> bool:
    return any(line["event"] == event for line in lines)


async def _equal(names: object, wanted: list[str]) -> bool:
    return bool(await names == wanted)  # type: ignore[misc]  # an awaitable of a list
