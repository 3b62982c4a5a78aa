"""Redis answers, but refuses: each reason made by a real server and told by its name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis import asyncio as aioredis
from redis import exceptions as redis_errors

from storage.errors import StorageUnavailable
from storage.redis_server import RedisServer, _free_port
from tests.storage.redis_clients import (
    another_client,
    command,
    opened,
    port_of,
    reason_of,
    until,
    write,
    writing_ends_with,
)


@pytest.mark.gen_test
async def test_a_full_memory(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        await write(storage)
        await redis.config_set("maxmemory", "1")
        assert await reason_of(storage) == "out_of_memory"
        with pytest.raises(StorageUnavailable) as caught:
            await storage.command("SET", "a", "b")
        assert caught.value.reason == "out_of_memory"
        with pytest.raises(StorageUnavailable) as caught:
            await storage.run_many("index_leases", [(["pg:leases", "pg:accounts"], [1, "a", "account"])])
        assert caught.value.reason == "out_of_memory"


@pytest.mark.gen_test
async def test_a_replica(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        await write(storage)
        await command(redis, "REPLICAOF", "127.0.0.1", "1")
        assert await reason_of(storage) == "read_only"
        await redis.config_set("replica-serve-stale-data", "no")
        assert await reason_of(storage) == "read_only"
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


@pytest.mark.gen_test
async def test_a_user_without_the_right_and_a_wrong_password(server: RedisServer) -> None:
    async with another_client(server.url) as redis:
        await command(redis, "ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+ping")
    port = port_of(server.url)
    async with opened(f"redis://reader:secret@127.0.0.1:{port}/0") as storage:
        assert await reason_of(storage) == "refused"
    async with opened(f"redis://reader:wrong@127.0.0.1:{port}/0") as storage:
        assert await reason_of(storage) == "refused"


@pytest.mark.gen_test
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
    async with opened(server.url, kinds={}) as storage, another_client(server.url) as redis:
        await redis.set("pg:leases", "no sorted set")
        with pytest.raises(redis_errors.ResponseError, match="WRONGTYPE"):
            await write(storage)
        with pytest.raises(redis_errors.ResponseError, match="WRONGTYPE") as caught:
            await storage.run_many(
                "index_leases", [(["pg:leases", "pg:accounts"], [1, "what a person wrote", "account"])]
            )
        assert "what a person wrote" not in str(caught.value)
