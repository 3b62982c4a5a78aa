"""Redis is away, slow, or goes away in the middle: bounded time, and service as soon as it is back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from runtime.settings import RedisSettings
from storage.redis_server import RedisServer
from tests.storage.redis_clients import (
    another_client,
    command,
    opened,
    port_of,
    reason_of,
    through,
    write,
)
from tests.support.redis_proxy import Proxy

QUICK_S = 1.0  # what a busy machine needs to connect comes out of it too


@pytest.mark.gen_test
async def test_a_killed_redis_is_noticed_at_once_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    failed: list[str] = []
    with RedisServer(tmp_path) as server:
        async with opened(server.url, failed=failed.append) as storage:
            await write(storage)
            server.kill()
            assert await reason_of(storage) == "unreachable", "a timeout would say so"
            assert failed == ["unreachable"]
            server.start()
            assert await write(storage, "after") == 1


@pytest.mark.gen_test
async def test_a_redis_that_hangs_costs_one_timeout(server: RedisServer) -> None:
    async with opened(server.url, timeout_s=QUICK_S) as storage, another_client(server.url) as redis:
        await write(storage)
        await redis.client_pause(60_000, all=False)  # else no command could end it
        started = time.monotonic()
        assert await reason_of(storage) == "timeout"
        assert QUICK_S <= time.monotonic() - started < 120
        await redis.client_unpause()
        assert await write(storage, "after") == 1


@pytest.mark.gen_test
async def test_a_redis_that_accepts_and_says_nothing_costs_a_few_timeouts_at_most(server: RedisServer) -> None:
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server), timeout_s=QUICK_S) as storage:
        proxy.silent = True
        started = time.monotonic()
        assert await reason_of(storage) == "timeout"
        assert time.monotonic() - started < 120


@pytest.mark.gen_test
async def test_a_redis_half_a_second_away_works_with_the_default_timeout(server: RedisServer) -> None:
    timeout_s = RedisSettings().timeout_s
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server), timeout_s=timeout_s) as storage:
        proxy.delay_s = 0.5
        assert await write(storage, "a") == 1
        assert (
            await storage.run_many(
                "index_leases", [(["pg:leases", "pg:accounts"], [1, str(n), "account"]) for n in range(50)]
            )
            == [1] * 50
        )


@pytest.mark.gen_test
async def test_an_answer_cut_in_the_middle_is_asked_for_again(server: RedisServer) -> None:
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server)) as storage:
        await write(storage, "a")
        await storage.command("SET", "a", "x" * 10_000)
        proxy.resets = 1
        assert await storage.command("GET", "a") == b"x" * 10_000
        proxy.resets = 1
        assert await write(storage, "b") == 0, "it had been written when the answer was lost"
        proxy.resets = 1
        assert await storage.run_many("index_leases", [(["pg:leases", "pg:accounts"], [1, "b", "account"])]) == [0]
        assert proxy.connections == 4


@pytest.mark.gen_test
async def test_answers_that_are_always_cut_end_soon(server: RedisServer) -> None:
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server)) as storage:
        await write(storage)
        proxy.resets = 1_000
        started = time.monotonic()
        assert await reason_of(storage) == "unreachable"
        assert time.monotonic() - started < 120
        proxy.resets = 0
        assert await write(storage, "after") == 1


@pytest.mark.gen_test
async def test_after_a_failover_writes_go_to_the_new_master(server: RedisServer) -> None:
    """The old master lives on as a replica, and the name that was connected to leads to the new one."""
    with RedisServer() as new:
        async with another_client(new.url) as redis:
            await command(redis, "ACL", "SETUSER", "default", f">{server.url.split(':')[2].split('@')[0]}")
        async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server)) as storage:
            await asyncio.gather(*(write(storage, str(number)) for number in range(5)))
            async with another_client(server.url) as redis:
                await command(redis, "REPLICAOF", "127.0.0.1", "1")
            assert await reason_of(storage) == "read_only", "the name still leads to the old one"
            proxy.target_port = port_of(new.url)
            assert await write(storage, "after") == 1


@pytest.mark.gen_test
async def test_a_write_that_meets_a_demoted_master_goes_on_to_the_new_one(server: RedisServer) -> None:
    with RedisServer() as new:
        async with another_client(new.url) as redis:
            await command(redis, "ACL", "SETUSER", "default", f">{server.url.split(':')[2].split('@')[0]}")
        async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server)) as storage:
            await write(storage)
            async with another_client(server.url) as redis:
                await command(redis, "REPLICAOF", "127.0.0.1", "1")
            writing = asyncio.ensure_future(write(storage, "meanwhile"))
            await asyncio.sleep(0.1)  # it met the old one, several times
            proxy.target_port = port_of(new.url)
            assert await writing == 1
            async with another_client(new.url) as redis:
                assert await redis.zscore("pg:leases", "meanwhile")
