"""A Redis that is away, slow, full, read-only, forgetful or cut off, while clients go on asking."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random

from generation.lease_index import SHARDS
from tests.chaos.clients import NETWORK, Client
from tests.chaos.load import Load, money_watched, under_load
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import Verdict, judge, paid_in_vain
from tests.chaos.world import REAL_LEASES, World, a_world
from tests.support.redis_proxy import Proxy

# A kill must not cost what Redis has acknowledged. With `everysec` it may: docs/guarantees.md says how much.
DURABLE = ("--appendfsync", "always")
CLIENTS = 8
KEYLESS_PAUSE_S, KEYLESS_TASKS = 0.4, 500
ACTIONS = "generate generate replay cancel wait watch"
NORMAL_WITHIN_S, NORMAL_AT_LAST_S = 5.0, 120.0
UNKNOWN_KEY = 401
LONG_AWAY_S = 20.0
POLL_S = 0.05
RESETS_WITHIN_S = 0.005

Trouble = Callable[[World, Proxy, Random], AbstractAsyncContextManager[None]]


async def killed_under_load(rounds: int, random: Random) -> Outcome:
    """Kill Redis, start it again on its append-only file; once it is away for longer than a lease lasts."""
    async with a_world(redis_options=DURABLE, settings=REAL_LEASES) as world:
        await world.serve()
        await world.serve()
        run = Run(world)
        async with (
            money_watched(world, run.verdict),
            under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load,
        ):
            for number in range(rounds):
                await asyncio.sleep(random.uniform(0.5, 2))
                await asyncio.to_thread(world.redis.kill)
                await asyncio.sleep(LONG_AWAY_S if number == 0 else random.uniform(0, 3))
                await asyncio.to_thread(world.redis.start)
                await run.normal_again("kill")
        return await run.outcome(f"{rounds} kills", load)


async def troubles_under_load(rounds: int, random: Random) -> Outcome:
    """Give Redis every trouble but death."""
    return await _under_load(rounds, random, TROUBLES)


async def ends_after_hello_under_load(rounds: int, random: Random) -> Outcome:
    """Let Redis end each connection as soon as it has answered HELLO, for some seconds."""
    return await _under_load(rounds, random, {"ends after HELLO": ends_after_hello})


async def _under_load(rounds: int, random: Random, troubles: dict[str, Trouble]) -> Outcome:
    settings = {**REAL_LEASES, "limits__unfinished_tasks_per_account": KEYLESS_TASKS}
    async with a_world(settings=settings) as world, Proxy(world.redis_port) as proxy:
        await world.serve(redis_port=proxy.port)
        await world.serve(redis_port=proxy.port)
        run = Run(world)
        async with (
            money_watched(world, run.verdict),
            under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load,
            under_load(world, random, clients=CLIENTS, pause_s=KEYLESS_PAUSE_S, actions="try") as keyless,
        ):
            for _ in range(rounds):
                for name, trouble in troubles.items():
                    async with trouble(world, proxy, random):
                        await asyncio.sleep(random.uniform(1, 4))
                    await run.normal_again(name)
        run.verdict.doubled += await paid_in_vain(world, keyless.client.account_id)
        keyless_ends = f"without a key {keyless.ended['accepted']} accepted, {keyless.ended['refused']} refused"
        return await run.outcome(f"{rounds} x {len(troubles)} troubles; {keyless_ends}", load)


class Run:
    """How soon the service was normal after each trouble, and the answers that clients got meanwhile."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.verdict = Verdict()
        self._slowest = (0.0, "")
        self._missed: list[str] = []

    async def normal_again(self, name: str) -> None:
        """Wait until each server takes a task and ends it; note how long that took."""
        began = time.monotonic()
        async with asyncio.timeout(NORMAL_AT_LAST_S):
            client = await self.world.client()
            await asyncio.gather(*(self._generates(client, url) for url in self.world.urls()))
        took_s = time.monotonic() - began
        self._slowest = max(self._slowest, (took_s, name))
        if took_s > NORMAL_WITHIN_S:
            self._missed.append(f"normal only {took_s:.1f} s after {name}")

    async def _generates(self, client: Client, url: str) -> None:
        while True:
            with contextlib.suppress(*NETWORK):
                answer = await client.submit_once("Be kind.", url=url)
                if answer.status == 202:
                    await client.finished(answer.json["task_id"])
                    return
                if answer.status == UNKNOWN_KEY:  # made on the old master in its last moment, and not replicated
                    client = await self.world.client()
            await asyncio.sleep(POLL_S)

    async def outcome(self, how_often: str, load: Load) -> Outcome:
        broken = {kind: count for kind, count in load.ended.items() if kind in ("interrupted", "internal_error")}
        missed = self._missed + [f"{count} tasks ended as {kind}" for kind, count in broken.items()]
        witness = self.world.witness
        remarks = (
            f"{sum(load.ended.values())} ended, {sum(witness.refusals.values())} refusals within"
            f" {witness.slowest_refusal_s:.1f} s, normal after {self._slowest[0]:.1f} s at most ({self._slowest[1]})"
        )
        return Outcome(how_often, await judge(self.world, self.verdict), remarks, missed)


@asynccontextmanager
async def slow(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    """Half a second for every answer."""
    proxy.delay_s = 0.5
    try:
        yield
    finally:
        proxy.delay_s = 0.0


@asynccontextmanager
async def silent(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    """Commands are done, answers never come."""
    proxy.silent = True
    try:
        yield
    finally:
        proxy.silent = False


@asynccontextmanager
async def paused(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    await world.storage.redis.execute_command("CLIENT", "PAUSE", 3_000)
    yield
    await world.storage.ping()  # answered when the pause is over


@asynccontextmanager
async def out_of_memory(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    await world.storage.redis.execute_command("CONFIG", "SET", "maxmemory", "1")
    try:
        yield
    finally:
        await world.storage.redis.execute_command("CONFIG", "SET", "maxmemory", "0")


@asynccontextmanager
async def read_only(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    """What the old master is while another takes its place."""
    await world.storage.redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
        await world.storage.redis.execute_command("REPLICAOF", "NO", "ONE")


@asynccontextmanager
async def resets(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    """Connections end in the middle of answers, whose commands have been done: some answers, not all."""

    async def now_and_then() -> None:
        while True:
            proxy.resets = random.randrange(2)
            await asyncio.sleep(random.uniform(0, RESETS_WITHIN_S))

    cutting = asyncio.create_task(now_and_then())
    try:
        yield
    finally:
        cutting.cancel()
        await asyncio.gather(cutting, return_exceptions=True)
        proxy.resets = 0


@asynccontextmanager
async def ends_after_hello(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    """Each login succeeds, and the connection is gone before it is used."""
    proxy.ends_after_hello = True
    try:
        yield
    finally:
        proxy.ends_after_hello = False


@asynccontextmanager
async def scripts_flushed(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    await world.storage.redis.execute_command("SCRIPT", "FLUSH")
    yield


@asynccontextmanager
async def lease_index_lost(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    for shard in range(SHARDS):
        await world.storage.command("DEL", world.storage.shared_key("leases", f"{{{shard:02d}}}"))
    yield


@asynccontextmanager
async def clients_killed(world: World, proxy: Proxy, random: Random) -> AsyncIterator[None]:
    await world.storage.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    yield


TROUBLES: dict[str, Trouble] = {
    "slow": slow,
    "silent": silent,
    "paused": paused,
    "out of memory": out_of_memory,
    "read-only": read_only,
    "resets": resets,
    "scripts flushed": scripts_flushed,
    "lease index lost": lease_index_lost,
    "clients killed": clients_killed,
}
