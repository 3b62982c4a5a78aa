"""The same calls on one server, behind Sentinels, and on a cluster, also while masters change and slots move."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import exceptions as redis_errors
from redis.crc import key_slot

from accounts import Accounts, ApiKeys
from generation.status_copy import StatusCopy
from storage import transport
from storage.errors import StorageMisconfigured, StorageUnavailable
from storage.redis_server import RedisServer
from storage.start import wait_until_ready, warn_about_redis
from storage.storage import Call
from tests.support.storage import OpenStorage
from tests.support.topologies import ClusterWorld, Node, SentinelWorld, cluster, sentinels, until_true

ACCOUNTS = 12

pytestmark = pytest.mark.slow


def body(version: int) -> bytes:
    return f'{{"status":"processing","progress":10,"message":"…","version":{version}}}'.encode()


@asynccontextmanager
async def on(url: str) -> AsyncIterator[OpenStorage]:
    storage = OpenStorage(url)
    try:
        await wait_until_ready(storage, 10)
        await warn_about_redis(storage)
        yield storage
    finally:
        await storage.aclose()


@asynccontextmanager
async def a_topology(kind: str, binary: str) -> AsyncIterator[str]:
    if kind == "sentinel":
        async with sentinels(binary) as sentinel_world:
            yield sentinel_world.url
    elif kind == "cluster":
        async with cluster(binary) as cluster_world:
            yield cluster_world.url
    else:
        with RedisServer(binary=binary) as server:
            yield server.url


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", ["single", "sentinel", "cluster"])
async def test_the_contract_holds(kind: str, binary: str) -> None:
    async with a_topology(kind, binary) as url, on(url) as storage, StatusCopy(storage, entries=100) as copy:
        await storage.ping()
        accounts, keys = Accounts(storage), ApiKeys(storage)
        names = [f"account-{number}" for number in range(ACCOUNTS)]
        for name in names:
            await accounts.create(account_id=name, tokens=1_000, subscription_days=1)
            assert await keys.find((await keys.create(name)).key) == name
        assert await accounts.audit() == []
        assert sorted([name async for name in accounts.ids()]) == sorted(names)
        calls: list[Call] = [
            ([f"pg:{{{name}}}:leases", f"pg:{{{name}}}:accounts"], [1_000, "member", "account"]) for name in names
        ]
        assert await storage.run_many("index_leases", calls) == [1] * ACCOUNTS
        for name in names:
            await storage.command("SET", storage.key(name, "status", "t"), body(1), "EX", 600)
        assert all([await copy.document(name, "t") for name in names])
        assert {copy.peek_key(copy.key(name, "t")).tracked for name in names} == {True}  # type: ignore[union-attr]
        for name in names:
            await storage.command("SET", storage.key(name, "status", "t"), body(2), "EX", 600)
        written = time.monotonic()
        for name in names:
            while (await copy.document(name, "t")).version != 2:  # type: ignore[union-attr]  # it is there
                assert time.monotonic() - written < 120
                await asyncio.sleep(0.002)


async def writes_until(stop: asyncio.Event, storage: OpenStorage, name: str) -> list[float]:
    """Write again and again; return when each failure happened."""
    failures = []
    while not stop.is_set():
        try:
            await storage.run(
                "index_leases", [f"pg:{{{name}}}:leases", f"pg:{{{name}}}:accounts"], [60_000, "member", "account"]
            )
        except StorageUnavailable:
            failures.append(time.monotonic())
        await asyncio.sleep(0.01)
    return failures


@pytest.mark.gen_test
async def test_a_planned_failover_refuses_no_write(binary: str) -> None:
    async with sentinels(binary) as world, on(world.url) as storage, StatusCopy(storage, entries=10) as copy:
        stop = asyncio.Event()
        writing = asyncio.ensure_future(writes_until(stop, storage, "a"))
        old = await world.master()
        await world.sentinel("FAILOVER", "mymaster")
        await until_true(lambda: _is_another(world, old))
        new = await world.master()
        await until_true(lambda: _serves_us(new))
        stop.set()
        assert await writing == []
        await storage.command("SET", storage.key("a", "status", "t"), body(1), "EX", 600)
        assert await copy.document("a", "t")


@pytest.mark.gen_test
async def test_a_master_that_dies_is_followed_to_its_replica(binary: str) -> None:
    async with sentinels(binary) as world, on(world.url) as storage, StatusCopy(storage, entries=10):
        await storage.command("SET", "pg:{a}:x", "1")
        old = await world.master()
        await asyncio.sleep(0.1)  # replicated
        old.stop_hard()
        await until_true(lambda: _is_another(world, old))
        switched = time.monotonic()
        while True:
            try:
                assert await storage.command("GET", "pg:{a}:x") == b"1"
                break
            except StorageUnavailable:
                assert time.monotonic() - switched < 120


async def _is_another(world: SentinelWorld, old: Node) -> bool:
    return await world.master() is not old


async def _serves_us(node: Node) -> bool:
    async with node.client() as redis:
        names = [client["name"] for client in await redis.client_list()]
    return "prompt-commands" in names and "prompt-tracking" in names


@pytest.mark.gen_test
async def test_slots_that_move_refuse_nothing_and_hide_no_change(binary: str) -> None:
    async with cluster(binary) as world, on(world.url) as storage, StatusCopy(storage, entries=100) as copy:
        names = [f"account-{number}" for number in range(40)]
        for name in names:
            await storage.command("SET", storage.key(name, "status", "t"), body(1), "EX", 600)
            assert await copy.document(name, "t")
        stop = asyncio.Event()
        writing = [asyncio.ensure_future(writes_until(stop, storage, name)) for name in names[:10]]
        for name in names:
            slot = key_slot(storage.key(name, "status", "t").encode())
            source = await world.owner(slot)
            target = world.nodes[(world.nodes.index(source) + 1) % 3]
            await world.move_slot(slot, source, target)
            async with target.client() as redis:  # another process, which knows already
                await redis.set(storage.key(name, "status", "t"), body(2), ex=600)
            written = time.monotonic()
            while (await copy.document(name, "t")).version != 2:  # type: ignore[union-attr]  # it is there
                assert time.monotonic() - written < 120
                await asyncio.sleep(0.002)
        stop.set()
        assert await asyncio.gather(*writing) == [[]] * 10


@pytest.mark.gen_test
async def test_a_command_with_several_keys_waits_for_a_slot_that_moves_for_longer_than_for_a_master(
    binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server refuses it with TRYAGAIN as long as one key has moved and another has not."""
    monkeypatch.setattr(transport, "SLOT_MOVES_S", 120.0)
    async with cluster(binary) as world, on(world.url) as storage:
        storage.topology.retry_for_s = 0.1
        keys = [storage.key("a", "leases"), storage.key("a", "accounts")]
        await storage.run("index_leases", keys, [60_000, "member", "account"])
        slot = key_slot(keys[0].encode())
        source = await world.owner(slot)
        target = world.nodes[(world.nodes.index(source) + 1) % 3]
        await world.begin_move(slot, source, target)
        await world.move_keys(slot, source, target, most=1)
        writing = asyncio.ensure_future(storage.run("index_leases", keys, [60_000, "another", "account"]))
        await until_true(lambda: _refused(source, "TRYAGAIN", 6))  # 0.7 s of pauses
        assert not writing.done()
        await world.move_keys(slot, source, target)
        await world.end_move(slot, source, target)
        assert await writing == 1
        assert await storage.command("ZCARD", keys[0]) == 2


async def _refused(node: Node, code: str, times: int) -> bool:
    """Say whether the node has answered this error so often."""
    counted = await node.ask("INFO", "errorstats")
    return bool(counted.get(f"errorstat_{code}", {}).get("count", 0) >= times)


@pytest.mark.gen_test
async def test_slots_that_move_all_at_once_hide_no_change(binary: str) -> None:
    """Valkey 9 moves whole slots in one step, and no command of ours meets it: documents come out of memory."""
    async with cluster(binary) as world, on(world.url) as storage, StatusCopy(storage, entries=100) as copy:
        try:
            await world.nodes[0].ask("CLUSTER", "GETSLOTMIGRATIONS")
        except redis_errors.ResponseError:
            pytest.skip("this server moves slots key by key only")
        key = storage.key("a", "status", "t")
        await storage.command("SET", key, body(1), "EX", 600)
        assert await copy.document("a", "t")
        slot = key_slot(key.encode())
        source = await world.owner(slot)
        target = world.nodes[(world.nodes.index(source) + 1) % 3]
        await source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", await world.id_of(target))
        await until_true(lambda: _owns(world, target, slot))
        async with target.client() as redis:
            await redis.set(key, body(2), ex=600)
        written = time.monotonic()
        while (await copy.document("a", "t")).version != 2:  # type: ignore[union-attr]  # it is there
            assert time.monotonic() - written < 120
            await asyncio.sleep(0.002)


async def _owns(world: ClusterWorld, node: Node, slot: int) -> bool:
    for first, last, master, *_ in await node.ask("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return bool(node.port == master[1])
    return False


@pytest.mark.gen_test
async def test_the_death_of_a_master_is_felt_by_its_accounts_alone_and_ends_with_the_failover(binary: str) -> None:
    async with cluster(binary, replicas=True) as world, on(world.url) as storage, StatusCopy(storage, entries=100):
        names = [f"account-{number}" for number in range(30)]
        victim = world.nodes[0]
        owners = {name: await world.owner(key_slot(f"pg:{{{name}}}:leases".encode())) for name in names}
        spared = [name for name in names if owners[name] is not victim][:5]
        hit = [name for name in names if owners[name] is victim][:3]
        stop = asyncio.Event()
        others = [asyncio.ensure_future(writes_until(stop, storage, name)) for name in spared]
        victim.stop_hard()
        async with asyncio.timeout(180):
            for name in hit:
                while True:
                    try:
                        await storage.run(
                            "index_leases",
                            [f"pg:{{{name}}}:leases", f"pg:{{{name}}}:accounts"],
                            [60_000, "member", "account"],
                        )
                        break
                    except StorageUnavailable:
                        await storage.ping()
        stop.set()
        assert await asyncio.gather(*others) == [[]] * 5


@pytest.mark.gen_test
async def test_a_cluster_is_no_single_server_and_the_other_way_round(binary: str) -> None:
    async with cluster(binary) as world, cluster_refusal(world.nodes[0].url) as sentence:
        assert "use redis+cluster://" in sentence
    with RedisServer(binary=binary) as server:
        async with cluster_refusal(through_cluster(server)) as sentence:
            assert "not a node of a cluster" in sentence


@asynccontextmanager
async def cluster_refusal(url: str) -> AsyncIterator[str]:
    storage = OpenStorage(url)
    with pytest.raises(StorageMisconfigured) as caught:
        await wait_until_ready(storage, 5)
    await storage.aclose()
    yield caught.value.sentence


def through_cluster(server: RedisServer) -> str:
    return server.url.replace("redis://", "redis+cluster://").removesuffix("/0")
