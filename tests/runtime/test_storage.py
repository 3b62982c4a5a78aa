"""Redis and its troubles, each of them real: what the rooms get is an answer or StorageUnavailable with its reason."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from redis import asyncio as aioredis
from redis import exceptions as redis_errors
from redis.crc import key_slot

from runtime.redis_server import RedisServer, _free_port
from runtime.settings import RedisSettings
from runtime.storage import (
    Call,
    Storage,
    StorageUnavailable,
    connect,
    load_scripts,
    wait_until_ready,
    warn_when_not_durable,
)
from tests.runtime.proxy import Proxy

QUICK_S = 0.3


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].split("/")[0])


def through(proxy: Proxy, server: RedisServer) -> str:
    return server.url.replace(f":{port_of(server.url)}/", f":{proxy.port}/")


@contextlib.asynccontextmanager
async def opened(url: str, *, timeout_s: float = 2.0, connections: int = 64, **options: Any) -> AsyncIterator[Storage]:
    redis = connect(RedisSettings(url=SecretStr(url), timeout_s=timeout_s, connections=connections))
    try:
        yield Storage(redis, **options)
    finally:
        await redis.aclose()


@contextlib.asynccontextmanager
async def another_client(url: str) -> AsyncIterator[aioredis.Redis]:
    """One that has nothing to do with the storage that is tested."""
    async with aioredis.Redis.from_url(url) as redis:
        yield redis


async def command(redis: aioredis.Redis, *words: str) -> Any:
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py gives it no types


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds; pytest-tornado's own timeout ends a wait in vain."""
    while not await condition():  # noqa: ASYNC110  # what is waited for happens in another process
        await asyncio.sleep(0.01)


async def write(storage: Storage, member: str = "member") -> Any:
    """Run a script that writes: a lease's hint."""
    return await storage.run("index_leases", ["pg:leases"], [60_000, member])


async def reason_of(storage: Storage, member: str = "member") -> str:
    with pytest.raises(StorageUnavailable) as caught:
        await write(storage, member)
    return caught.value.reason


@pytest.fixture
def server(binary: str) -> Iterator[RedisServer]:
    with RedisServer(binary=binary) as server:
        yield server


# -- What is asked for is done


@pytest.mark.gen_test
async def test_a_script_runs_and_its_time_is_told(server: RedisServer) -> None:
    times: list[tuple[str, float]] = []
    async with opened(server.url, observe=lambda operation, seconds: times.append((operation, seconds))) as storage:
        assert await write(storage, "a") == 1
        assert await write(storage, "a") == 0
    assert [operation for operation, _ in times] == ["index_leases", "index_leases"]
    assert all(0 < seconds < 2 for _, seconds in times)


@pytest.mark.gen_test
async def test_many_runs_come_back_in_order(server: RedisServer) -> None:
    async with opened(server.url) as storage:
        await write(storage, "7")
        calls: list[Call] = [(["pg:leases"], [60_000, str(number)]) for number in range(1_200)]
        assert await storage.run_many("index_leases", calls) == [int(number != 7) for number in range(1_200)]
        assert await storage.run_many("index_leases", []) == []


@pytest.mark.gen_test
async def test_keys_of_an_account_share_a_slot(server: RedisServer) -> None:
    async with opened(server.url, prefix="x") as storage:
        assert storage.key("a1", "task", "t1") == "x:{a1}:task:t1"
        assert storage.shared_key("leases") == "x:leases"
        assert key_slot(storage.key("a1", "task", "t1").encode()) == key_slot(storage.key("a1", "ledger").encode())


@pytest.mark.gen_test
async def test_flushed_scripts_are_loaded_again_without_anybody_noticing(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        await write(storage, "a")
        await redis.script_flush()
        assert await write(storage, "b") == 1
        await redis.script_flush()
        calls: list[Call] = [(["pg:leases"], [60_000, member]) for member in ("b", "c", "d")]
        assert await storage.run_many("index_leases", calls) == [0, 1, 1]


@pytest.mark.gen_test
async def test_more_callers_than_connections_wait_their_turn(server: RedisServer) -> None:
    async with opened(server.url, connections=2) as storage, another_client(server.url) as redis:
        assert sum(await asyncio.gather(*(write(storage, str(number)) for number in range(100)))) == 100
        assert sum(client["name"] == "prompt-server" for client in await redis.client_list()) == 2


@pytest.mark.gen_test
async def test_a_cancelled_call_leaves_its_answer_to_nobody(server: RedisServer) -> None:
    async with opened(server.url, connections=1) as storage, another_client(server.url) as redis:
        await redis.set("mine", "wrong")
        await redis.set("yours", "right")
        await redis.client_pause(200)
        asked = asyncio.ensure_future(storage.read("get", lambda: storage.redis.get("mine")))
        await asyncio.sleep(0.01)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await storage.read("get", lambda: storage.redis.get("yours")) == b"right"


# -- Redis refuses


@pytest.mark.gen_test
async def test_a_full_memory(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        await write(storage)
        await redis.config_set("maxmemory", "1")
        assert await reason_of(storage) == "out_of_memory"
        with pytest.raises(StorageUnavailable) as caught:
            await storage.read("set", lambda: storage.redis.set("a", "b"))
        assert caught.value.reason == "out_of_memory"
        with pytest.raises(StorageUnavailable) as caught:
            await storage.run_many("index_leases", [(["pg:leases"], [1, "a"])])
        assert caught.value.reason == "out_of_memory"


@pytest.mark.gen_test
async def test_a_replica(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        await write(storage)
        await command(redis, "REPLICAOF", "127.0.0.1", "1")
        assert await reason_of(storage) == "read_only"
        await redis.config_set("replica-serve-stale-data", "no")
        assert await reason_of(storage) == "refused"
        await command(redis, "REPLICAOF", "NO", "ONE")
        assert await write(storage, "after") == 1


@pytest.mark.gen_test
async def test_a_master_without_the_replicas_it_needs(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        await redis.config_set("min-replicas-to-write", "1")
        assert await reason_of(storage) == "refused"


@pytest.mark.gen_test
async def test_a_disk_that_cannot_be_written(tmp_path: Path, binary: str) -> None:
    with RedisServer(tmp_path, binary=binary, options=("--appendonly", "no")) as server:
        (tmp_path / "dump.rdb" / "in the way").mkdir(parents=True)
        async with opened(server.url) as storage, another_client(server.url) as redis:
            await redis.config_set("save", "3600 1")
            await write(storage)
            await redis.bgsave()
            await until(lambda: bgsave_ended(redis))
            assert await reason_of(storage) == "refused"
            await redis.config_set("save", "")  # or it refuses to stop as well


@pytest.mark.gen_test
async def test_a_script_of_somebody_else_that_never_ends(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis, another_client(server.url) as rude:
        await write(storage)
        await redis.config_set("lua-time-limit", "10")
        endless = asyncio.ensure_future(rude.eval("while true do end", 0))
        await until(lambda: writing_ends_with("refused", storage))
        await redis.script_kill()
        with pytest.raises(redis_errors.ResponseError):
            await endless
        assert await write(storage, "after") == 1


async def bgsave_ended(redis: aioredis.Redis) -> bool:
    return not (await redis.info("persistence"))["rdb_bgsave_in_progress"]


async def writing_ends_with(reason: str, storage: Storage) -> bool:
    try:
        await write(storage)
    except StorageUnavailable as exc:
        return exc.reason == reason
    return False


@pytest.mark.gen_test
async def test_a_user_without_the_right_and_a_wrong_password(server: RedisServer) -> None:
    async with another_client(server.url) as redis:
        await command(redis, "ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+ping")
    port = port_of(server.url)
    async with opened(f"redis://reader:secret@127.0.0.1:{port}/0") as storage:
        assert await reason_of(storage) == "refused"
    async with opened(f"redis://reader:wrong@127.0.0.1:{port}/0") as storage:
        assert await reason_of(storage) == "refused"


@pytest.mark.gen_test(timeout=30)
async def test_a_redis_that_still_loads_its_data(tmp_path: Path, binary: str) -> None:
    with RedisServer(tmp_path, binary=binary) as server:
        async with another_client(server.url) as redis:
            pipe = redis.pipeline()
            for number in range(20_000):  # it answers while it loads, but only between each thousand
                pipe.set(f"key{number}", number)
            await pipe.execute()
    slow = RedisServer(tmp_path, binary=binary, options=("--key-load-delay", "50"))
    slow._port = _free_port()  # known before it has started
    starting = asyncio.ensure_future(asyncio.to_thread(slow.start))
    try:
        async with opened(slow.url) as storage:
            await until(lambda: writing_ends_with("loading", storage))
            assert not starting.done()
            await starting
            assert await write(storage) == 1
    finally:
        slow.stop()


@pytest.mark.gen_test
async def test_a_defect_of_a_script_is_not_hidden_as_an_outage(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        await redis.set("pg:leases", "no sorted set")
        with pytest.raises(redis_errors.ResponseError, match="WRONGTYPE"):
            await write(storage)
        with pytest.raises(redis_errors.ResponseError, match="WRONGTYPE") as caught:
            await storage.run_many("index_leases", [(["pg:leases"], [1, "what a person wrote"])])
        assert "what a person wrote" not in str(caught.value)


# -- Redis is away, slow, or goes away


@pytest.mark.gen_test
async def test_a_killed_redis_is_noticed_at_once_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    failed: list[str] = []
    with RedisServer(tmp_path) as server:
        async with opened(server.url, failed=failed.append) as storage:
            await write(storage)
            server.kill()
            started = time.monotonic()
            assert await reason_of(storage) == "unreachable"
            assert time.monotonic() - started < 2
            assert failed == ["unreachable"]
            server.start()
            assert await write(storage, "after") == 1


@pytest.mark.gen_test
async def test_a_redis_that_hangs_costs_one_timeout(server: RedisServer) -> None:
    async with opened(server.url, timeout_s=QUICK_S) as storage, another_client(server.url) as redis:
        await write(storage)
        await redis.client_pause(1_000)
        started = time.monotonic()
        assert await reason_of(storage) == "timeout"
        assert QUICK_S <= time.monotonic() - started < 2 * QUICK_S
        await redis.client_unpause()
        assert await write(storage, "after") == 1


@pytest.mark.gen_test
async def test_a_redis_that_accepts_and_says_nothing_costs_a_few_timeouts_at_most(server: RedisServer) -> None:
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server), timeout_s=QUICK_S) as storage:
        proxy.silent = True
        started = time.monotonic()
        assert await reason_of(storage) == "timeout"
        assert time.monotonic() - started < 3 * QUICK_S


@pytest.mark.gen_test
async def test_a_redis_half_a_second_away_works_with_the_default_timeout(server: RedisServer) -> None:
    timeout_s = RedisSettings().timeout_s
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server), timeout_s=timeout_s) as storage:
        proxy.delay_s = 0.5
        assert await write(storage, "a") == 1
        assert await storage.run_many("index_leases", [(["pg:leases"], [1, str(n)]) for n in range(50)]) == [1] * 50


@pytest.mark.gen_test
async def test_an_answer_cut_in_the_middle_is_asked_for_again(server: RedisServer) -> None:
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server), connections=1) as storage:
        await write(storage, "a")
        await storage.redis.set("a", "x" * 10_000)
        proxy.resets = 1
        assert await storage.read("get", lambda: storage.redis.get("a")) == b"x" * 10_000
        proxy.resets = 1
        assert await write(storage, "b") == 0, "it had been written when the answer was lost"
        proxy.resets = 1
        assert await storage.run_many("index_leases", [(["pg:leases"], [1, "b"])]) == [0]
        assert proxy.connections == 4


@pytest.mark.gen_test
async def test_answers_that_are_always_cut_end_soon(server: RedisServer) -> None:
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server)) as storage:
        await write(storage)
        proxy.resets = 1_000
        started = time.monotonic()
        assert await reason_of(storage) == "unreachable"
        assert time.monotonic() - started < 3
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
            proxy.target_port = port_of(new.url)
            assert await reason_of(storage) == "read_only"
            assert await write(storage, "after") == 1


# -- The start


@pytest.mark.gen_test
async def test_a_start_waits_for_a_redis_that_is_away_and_says_so(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        server.kill()
        async with opened(server.url) as storage:
            with structlog.testing.capture_logs() as lines:
                waiting = asyncio.ensure_future(wait_until_ready(storage.redis, 20))
                await asyncio.wait([waiting], timeout=0.5)
                server.start()
                await waiting
    assert lines[0]["event"] == "waiting_for_redis"
    assert lines[0]["reason"] == "unreachable"
    assert f"127.0.0.1:{port_of(server.url)}" in lines[0]["error"]
    assert lines[0]["seconds_left"] == 20
    assert server.url.split(":")[2].split("@")[0] not in str(lines)


@pytest.mark.gen_test
async def test_a_start_gives_up_after_its_time() -> None:
    async with opened("redis://127.0.0.1:1/0") as storage:
        started = time.monotonic()
        with structlog.testing.capture_logs() as lines, pytest.raises(StorageUnavailable):
            await wait_until_ready(storage.redis, 0.5)
        assert 0.5 <= time.monotonic() - started < 3
    assert {line["event"] for line in lines} == {"waiting_for_redis"}


@pytest.mark.parametrize(
    ("options", "warnings"),
    [
        ((), []),
        (("--appendonly", "no"), ["redis_not_durable"]),
        (("--appendonly", "no", "--save", "3600 1"), []),
        (("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"), ["redis_may_evict"]),
        (("--maxmemory", "100mb", "--maxmemory-policy", "noeviction"), []),
        (("--rename-command", "CONFIG", "", "--appendonly", "no"), []),
    ],
)
@pytest.mark.gen_test
async def test_a_redis_that_may_lose_accounts_is_warned_about(options: tuple[str, ...], warnings: list[str]) -> None:
    with RedisServer(options=options) as server:
        async with opened(server.url) as storage:
            with structlog.testing.capture_logs() as lines:
                await warn_when_not_durable(storage.redis)
    assert [line["event"] for line in lines] == warnings
    assert all(line["log_level"] == "warning" and line["advice"] for line in lines)


# -- Scripts


def test_included_fragments_are_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "inner.lua").write_text("local inner = 1\n")
    (tmp_path / "include" / "outer.lua").write_text('--- @include "inner"\nlocal outer = 2\n')
    (tmp_path / "sum.lua").write_text('--- @include "outer"\nreturn inner + outer\n')
    assert load_scripts([tmp_path]) == {"sum": "local inner = 1\nlocal outer = 2\nreturn inner + outer\n"}
