"""A Redis cluster that changes under load: slots move, replicas are promoted, masters are killed.

Replication is asynchronous, as behind Sentinels: what is lost with a master the processes put back. A slot that moves
loses nothing and refuses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from redis.crc import key_slot

from storage.redis_server import find_redis_server
from tests.chaos.load import under_load
from tests.chaos.outcome import Outcome
from tests.chaos.storage import Run
from tests.chaos.world import REAL_LEASES, a_world
from tests.support.topologies import ClusterWorld, Node, cluster, until_true

CLIENTS = 12
ACTIONS = "generate generate replay watch"
SLOTS_MOVED = 20  # in a round, besides the busy account's; a run is over before its first documents expire
ALL_SLOTS = 16_384

Change = Callable[[ClusterWorld, Node, Node], Awaitable[None]]  # the master and its replica


async def moved_slots(rounds: int, random: Random) -> Outcome:
    """Move slots from master to master, those of the busy accounts among them: nothing is refused."""
    async with cluster(find_redis_server()) as masters, a_world(settings=REAL_LEASES, masters=masters) as world:
        await world.serve()
        await world.serve()
        run = Run(world)
        async with under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load:
            busy = key_slot(world.storage.key(load.client.account_id, "account").encode())
            for _round in range(rounds):
                for slot in [busy, *(random.randrange(ALL_SLOTS) for _ in range(SLOTS_MOVED))]:
                    source = await masters.owner(slot)
                    target = random.choice([node for node in masters.nodes if node is not source])
                    await masters.move_slot(slot, source, target)
                await run.normal_again("moved slots")
        outcome = await run.outcome(f"{rounds} times {SLOTS_MOVED + 1} slots", load)
        refused = [(which, count) for which, count in world.witness.refusals.items() if which[0] >= 500]
        outcome.missed.extend(f"{count} answers {status} {code}" for (status, code), count in refused)
        return outcome


async def promoted_replicas(rounds: int, random: Random) -> Outcome:
    """Have a replica take its master's place while both serve."""

    async def promote(_masters: ClusterWorld, _master: Node, replica: Node) -> None:
        await replica.ask("CLUSTER", "FAILOVER")

    return await _replaced(rounds, random, promote, killed=False)


async def killed_masters(rounds: int, random: Random) -> Outcome:
    """Kill the master of the busy account; its replica is elected."""

    async def kill(_masters: ClusterWorld, master: Node, _replica: Node) -> None:
        master.stop_hard()

    return await _replaced(rounds, random, kill, killed=True)


async def _replaced(rounds: int, random: Random, change: Change, *, killed: bool) -> Outcome:
    async with (
        cluster(find_redis_server(), replicas=True) as masters,
        a_world(settings=REAL_LEASES, masters=masters) as world,
    ):
        world.witness.forgetful = True
        await world.serve()
        await world.serve()
        run = Run(world)
        async with under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load:
            busy = key_slot(world.storage.key(load.client.account_id, "account").encode())
            for _ in range(rounds):
                await asyncio.sleep(random.uniform(0.5, 2))
                master, replica = await _pair(masters, busy)
                await change(masters, master, replica)
                await until_true(lambda replica=replica: _is_master(replica), 60)
                await run.normal_again("the replica is master")
                if killed:
                    await asyncio.to_thread(_start, master)
                await until_true(lambda master=master: _follows(master), 60)
        return await run.outcome(f"{rounds} masters", load)


def _start(node: Node) -> None:
    """Start a node that was killed; its folder says which cluster it is of."""
    node.stop()
    node.start()


async def _pair(masters: ClusterWorld, slot: int) -> tuple[Node, Node]:
    by_port = {node.port: node for node in masters.nodes}
    for first, last, master, *replicas in await masters.nodes[0].ask("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return by_port[master[1]], by_port[replicas[0][1]]
    raise AssertionError(slot)


async def _is_master(node: Node) -> bool:
    return str((await node.ask("INFO", "replication"))["role"]) == "master"


async def _follows(node: Node) -> bool:
    facts = await node.ask("INFO", "replication")
    return bool(facts["role"] == "slave" and facts["master_link_status"] == "up")
