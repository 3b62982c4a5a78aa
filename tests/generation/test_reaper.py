"""One turn of the reaper when much is due at once."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import cast

import pytest
from redis import asyncio as aioredis
from redis.crc import key_slot

from accounts import Accounts
from generation.lease import Lease
from generation.lease_index import MEMBERS_PER_CALL, SHARDS, TaskRef, shard_of
from generation.pipeline import Pipeline
from generation.reaper import Reaper
from generation.runner import Runner
from generation.status_copy import StatusCopy
from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from storage.redis_server import RedisServer, find_redis_server
from storage.start import wait_until_ready
from storage.storage import Storage
from tests.support.storage import OpenStorage
from tests.support.topologies import ClusterWorld, Node, cluster

ORPHANS = MEMBERS_PER_CALL + 200


class Endless:
    """A pipeline whose runs do not end by themselves."""

    async def run(self, _lease: Lease, _queued_s: float) -> None:
        await asyncio.Event().wait()


def tasks_of(storage: Storage, owner: str, lease_s: float) -> Tasks:
    settings = TaskSettings(lease_s=lease_s, renew_every_s=lease_s / 3)
    limits = LimitSettings(unfinished_tasks_per_account=ORPHANS, submits_per_second_per_account=0)
    written = lambda _account, _task, _document: None  # noqa: E731  # nobody polls here
    return Tasks(storage, owner, written, Metrics(), tasks=settings, limits=limits, money=MoneySettings())


@pytest.mark.gen_test
@pytest.mark.parametrize("places", [ORPHANS, 300])
async def test_one_turn_takes_over_as_many_as_there_are_places_for(storage: Storage, places: int) -> None:
    await Accounts(storage).create(account_id="a", tokens=10_000, subscription_days=1)
    dead = tasks_of(storage, "dead", 0.01)
    await asyncio.gather(*(dead.submit("a", "Be kind.", None) for _ in range(ORPHANS)))
    alive = tasks_of(storage, "alive", 60)
    runner = Runner(alive, cast(Pipeline, Endless()), running=1, waiting=places - 1)
    async with StatusCopy(storage, entries=10) as copy:
        reaper = Reaper(alive, runner, copy, Metrics(), every_s=3_600)
        async with reaper:
            assert runner.running + runner.waiting == places
        await runner.drain(0)


@pytest.mark.gen_test
async def test_a_shard_out_of_reach_keeps_no_other_account_from_being_taken_over() -> None:
    with RedisServer() as own:
        storage = OpenStorage(own.url)
        dead, alive = tasks_of(storage, "dead", 0.01), tasks_of(storage, "alive", 60)
        for account_id in ("reached", "cut off"):
            await Accounts(storage).create(account_id=account_id, tokens=0)
        reached = await dead.submit("reached", "Be kind.", None)
        cut_off = await dead.submit("cut off", "Be kind.", None)
        assert isinstance(reached, Lease)
        assert isinstance(cut_off, Lease)
        assert shard_of("reached") != shard_of("cut off")
        runner = Runner(alive, cast(Pipeline, Endless()), running=5, waiting=5)
        async with StatusCopy(storage, entries=10) as copy, aioredis.Redis.from_url(own.url) as admin:
            reaper = Reaper(alive, runner, copy, Metrics(), every_s=3_600)
            others = [f"~*{{{shard:02d}}}*" for shard in range(SHARDS) if shard != shard_of("cut off")]
            await admin.execute_command("ACL", "SETUSER", "default", "resetkeys", "~*{reached}*", *others)
            await reaper.turn()
            assert TaskRef("reached", reached.task_id) in runner
            assert TaskRef("cut off", cut_off.task_id) not in runner
            await admin.execute_command("ACL", "SETUSER", "default", "allkeys")
            await reaper.turn()
            assert TaskRef("cut off", cut_off.task_id) not in runner, "its owner may renew first"
            await reaper.turn()
            assert TaskRef("cut off", cut_off.task_id) in runner
        await runner.drain(0)
        await storage.aclose()


async def _master(world: ClusterWorld, key: str) -> Node:
    slot = key_slot(key.encode())
    for first, last, master, *_ in await world.nodes[0].ask("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return next(node for node in world.nodes if node.port == master[1])
    raise AssertionError(key)


class Placed:
    """Tasks of a dead process on a cluster, and the reaper of one that lives. ``victim`` holds one task's account."""

    def __init__(self, storage: OpenStorage, world: ClusterWorld, copy: StatusCopy) -> None:
        self.world = world
        self.dead, self.alive = tasks_of(storage, "dead", 0.01), tasks_of(storage, "alive", 60)
        self.accounts = Accounts(storage)
        self.runner = Runner(self.alive, cast(Pipeline, Endless()), running=50, waiting=50)
        self.reaper = Reaper(self.alive, self.runner, copy, Metrics(), every_s=3_600)

    async def where(self, account_id: str) -> tuple[Node, Node]:
        """Return which node holds the account, and which one its shard of the index of leases."""
        records, index = self.alive.records, self.alive.index
        account_key = records.keys(TaskRef(account_id, "task"))[0]
        return await _master(self.world, account_key), await _master(self.world, index.leases_key(shard_of(account_id)))

    async def submit(self, account_id: str) -> TaskRef:
        await self.accounts.create(account_id=account_id, tokens=0)
        lease = await self.dead.submit(account_id, "Be kind.", None)
        assert isinstance(lease, Lease)
        return TaskRef(account_id, lease.task_id)


@pytest.mark.slow
@pytest.mark.gen_test
@pytest.mark.parametrize("holds", ["the account", "its leases"])
async def test_a_dead_master_of_a_cluster_is_passed_over_and_the_rest_of_the_turn_goes_on(
    monkeypatch: pytest.MonkeyPatch, holds: str
) -> None:
    monkeypatch.setattr("generation.lease_index.CLAIMED_FOR_S", 0.0)
    async with cluster(str(find_redis_server()), node_timeout_ms=60_000) as world:
        storage = OpenStorage(world.url, timeout_s=0.5)
        await wait_until_ready(storage, 10)
        async with StatusCopy(storage, entries=10) as copy:
            placed = Placed(storage, world, copy)
            await placed.reaper.turn()  # the index is whole from here on
            victim = world.nodes[2]
            spared, hit = list[TaskRef](), list[TaskRef]()
            for number in range(60):
                account, leases = await placed.where(f"account-{number}")
                wanted, other = (account, leases) if holds == "the account" else (leases, account)
                if victim not in (account, leases):
                    spared += [await placed.submit(f"account-{number}")] if len(spared) < 8 else []
                elif wanted is victim and other is not victim:
                    hit += [await placed.submit(f"account-{number}")] if len(hit) < 4 else []
            due = placed.alive.index.due

            async def dies_after_counting() -> dict[int, int | None]:
                counted = await due()
                os.kill(victim.pid, signal.SIGSTOP)
                return counted

            monkeypatch.setattr(placed.alive.index, "due", dies_after_counting)
            await placed.reaper.turn()
            monkeypatch.setattr(placed.alive.index, "due", due)
            assert all(task in placed.runner for task in spared)
            assert not any(task in placed.runner for task in hit)
            await placed.reaper.turn()
            assert not any(task in placed.runner for task in hit)
            os.kill(victim.pid, signal.SIGCONT)
            assert await victim.ask("PING")
            await placed.reaper.turn()
            assert not any(task in placed.runner for task in hit), "their owners may renew first"
            async with asyncio.timeout(180):
                while not all(task in placed.runner for task in hit):
                    await placed.reaper.turn()
            await placed.runner.drain(0)
        await storage.aclose()
