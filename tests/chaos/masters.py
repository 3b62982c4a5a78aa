"""Masters that are replaced under load, behind Sentinels and in a cluster: nothing accepted is lost, money is right.

Replication is asynchronous: what a master acknowledged and its replica had not received is gone, and the processes put
it back. So for a moment a task may be unknown; it may not end so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from storage.redis_server import find_redis_server
from tests.chaos.load import under_load
from tests.chaos.outcome import Outcome
from tests.chaos.storage import Run
from tests.chaos.world import REAL_LEASES, a_world
from tests.support.topologies import Node, SentinelWorld, sentinels

CLIENTS = 12
ACTIONS = "generate generate replay watch"
QUIET_S = 8.0  # Sentinels begin no second failover earlier: twice failover-timeout

Replace = Callable[[SentinelWorld, Node], Awaitable[None]]


async def _planned(world: SentinelWorld, _old: Node) -> None:
    await world.sentinel("FAILOVER", "mymaster")


async def _killed(_world: SentinelWorld, old: Node) -> None:
    old.stop_hard()


async def planned_failovers(rounds: int, random: Random) -> Outcome:
    """Have the Sentinels promote the replica while the master serves."""
    return await _behind_sentinels(rounds, random, _planned)


async def killed_masters(rounds: int, random: Random) -> Outcome:
    """Kill the master; the Sentinels promote its replica."""
    return await _behind_sentinels(rounds, random, _killed)


async def _behind_sentinels(rounds: int, random: Random, replace: Replace) -> Outcome:
    async with sentinels(find_redis_server()) as masters, a_world(settings=REAL_LEASES, masters=masters) as world:
        world.witness.forgetful = True
        await world.serve()
        await world.serve()
        run = Run(world)
        async with under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load:
            for _ in range(rounds):
                await asyncio.sleep(random.uniform(0.5, 2))
                old = await masters.master()
                await replace(masters, old)
                await masters.switched(old)
                await run.normal_again("the switch")
                await _healed(masters, old, replace)
        return await run.outcome(f"{rounds} switches", load)


async def _healed(masters: SentinelWorld, old: Node, replace: Replace) -> None:
    if replace is _killed:
        await masters.revive(old)
    else:
        await masters.whole_again()
    await asyncio.sleep(QUIET_S)
