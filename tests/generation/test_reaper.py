"""One turn of the reaper when much is due at once."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from redis import asyncio as aioredis

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
from storage.redis_server import RedisServer
from storage.storage import Storage
from tests.support.storage import OpenStorage

ORPHANS = MEMBERS_PER_CALL + 200


class Endless:
    """A pipeline whose runs do not end by themselves."""

    async def run(self, _lease: Lease) -> None:
        await asyncio.Event().wait()


def tasks_of(storage: Storage, owner: str, lease_s: float) -> Tasks:
    settings = TaskSettings(lease_s=lease_s, renew_every_s=lease_s / 3)
    limits = LimitSettings(unfinished_tasks_per_account=ORPHANS, submits_per_second_per_account=0)
    written = lambda _account, _task, _document: None  # noqa: E731  # nobody polls here
    return Tasks(storage, owner, written, Metrics(), tasks=settings, limits=limits, money=MoneySettings())


@pytest.mark.gen_test
@pytest.mark.parametrize("places", [ORPHANS, 300])
async def test_one_turn_takes_over_as_many_as_there_are_places_for(storage: Storage, places: int) -> None:
    await Accounts(storage).create(account_id="a", tokens=0)
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
