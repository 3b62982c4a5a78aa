"""What is asked of the storage is done: scripts run, in order, on few connections, each answer to its caller."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.crc import key_slot

from storage.redis_server import RedisServer
from storage.scripts import load_scripts
from storage.storage import Call
from tests.storage.redis_clients import (
    another_client,
    opened,
    write,
)


@pytest.mark.gen_test
async def test_a_script_runs_and_its_time_is_told(server: RedisServer) -> None:
    times: list[tuple[str, float]] = []
    async with opened(server.url, observe=lambda operation, seconds: times.append((operation, seconds))) as storage:
        assert await write(storage, "a") == 1
        assert await write(storage, "a") == 0
    assert [operation for operation, _ in times] == ["index_leases", "index_leases"]
    assert all(0 < seconds < 30 for _, seconds in times)


@pytest.mark.gen_test
async def test_many_runs_come_back_in_order(server: RedisServer) -> None:
    async with opened(server.url) as storage:
        await write(storage, "7")
        calls: list[Call] = [
            (["pg:leases", "pg:accounts"], [60_000, str(number), "account"]) for number in range(1_200)
        ]
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
        calls: list[Call] = [(["pg:leases", "pg:accounts"], [60_000, member, "account"]) for member in ("b", "c", "d")]
        assert await storage.run_many("index_leases", calls) == [0, 1, 1]


@pytest.mark.gen_test
async def test_many_callers_share_few_round_trips(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        assert sum(await asyncio.gather(*(write(storage, str(number)) for number in range(100)))) == 100
        assert [client["name"] for client in await redis.client_list()].count("prompt-commands") == 1


@pytest.mark.gen_test
async def test_a_cancelled_call_leaves_its_answer_to_nobody(server: RedisServer) -> None:
    async with opened(server.url) as storage, another_client(server.url) as redis:
        await redis.set("mine", "wrong")
        await redis.set("yours", "right")
        await redis.client_pause(200)
        asked = asyncio.ensure_future(storage.command("GET", "mine"))
        assert not (await asyncio.wait([asked], timeout=0.05))[0], "Redis does not answer yet"
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await storage.command("GET", "yours") == b"right"


@pytest.mark.gen_test
async def test_a_cancellation_is_never_lost_at_whatever_moment_it_comes(server: RedisServer) -> None:
    async with opened(server.url) as storage:
        await write(storage)
        for call in (
            lambda: write(storage),
            lambda: storage.run_many("index_leases", [(["pg:leases", "pg:accounts"], [60_000, "a", "account"])]),
            lambda: storage.command("GET", "a"),
        ):
            for moment in range(600):
                asked = asyncio.ensure_future(call())
                for _ in range(moment % 12):
                    await asyncio.sleep(0)
                in_time = asked.cancel()
                await asyncio.wait([asked])
                assert asked.cancelled() or not in_time


def test_included_fragments_are_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "inner.lua").write_text("local inner = 1\n")
    (tmp_path / "include" / "outer.lua").write_text('--- @include "inner"\nlocal outer = 2\n')
    (tmp_path / "sum.lua").write_text('--- @include "outer"\nreturn inner + outer\n')
    assert load_scripts([tmp_path]) == {"sum": "local inner = 1\nlocal outer = 2\nreturn inner + outer\n"}
