"""Masters that are replaced under load, behind Sentinels and in a cluster: nothing accepted is lost, money is right.

Replication is asynchronous: what a master acknowledged and its replica had not received is gone, and the processes put
it back. So for a moment a task may be unknown; it may not end so.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from random import Random

from storage.redis_server import find_redis_server
from tests.chaos.load import under_load
from tests.chaos.outcome import Outcome
from tests.chaos.storage import Run
from tests.chaos.world import REAL_LEASES, a_world
from tests.support.ports import free_ports
from tests.support.redis_proxy import Proxy
from tests.support.topologies import PASSWORD, Node, SentinelWorld, sentinels, until_true

CLIENTS = 12
ACTIONS = "generate generate replay watch"
AT_ONCE = ("--repl-diskless-sync-delay", "0")
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


class NamedMaster:
    """A name that leads to the master, as DNS or a virtual address does: nobody tells clients when it moves.

    Connections that are there stay where they are. ``url`` is what redis.url says.
    """

    def __init__(self, name: Proxy, master: Node, replica: Node) -> None:
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{name.port}/0"
        self._name = name
        self._master = master
        self._replica = replica

    async def follow(self) -> None:
        await self._replica.ask("REPLICAOF", "127.0.0.1", self._master.port)
        await until_true(self._is_linked, 60)

    async def move(self) -> None:
        """Promote the replica by hand; the old master becomes a replica whose link is not up."""
        await self._master.ask("CONFIG", "SET", "min-replicas-to-write", 9)  # it takes no more writes
        await until_true(self._has_everything, 60)
        await self._replica.ask("REPLICAOF", "NO", "ONE")
        self._name.target_port = self._replica.port
        await self._master.ask("REPLICAOF", "127.0.0.1", 1)
        await self._master.ask("CONFIG", "SET", "min-replicas-to-write", 0)
        self._master, self._replica = self._replica, self._master

    async def _is_linked(self) -> bool:
        return bool((await self._replica.ask("INFO", "replication"))["master_link_status"] == "up")

    async def _has_everything(self) -> bool:
        master = await self._master.ask("INFO", "replication")
        replica = await self._replica.ask("INFO", "replication")
        return bool(replica["slave_repl_offset"] == master["master_repl_offset"])


async def moved_names(rounds: int, random: Random) -> Outcome:
    """Move the name of the master, without Sentinels, and demote the old one while connections to it are open."""
    with contextlib.ExitStack() as stack:
        nodes = [Node(find_redis_server(), port, *AT_ONCE) for port in free_ports(2)]
        for node in nodes:
            stack.enter_context(node)
        async with Proxy(nodes[0].port) as name:
            masters = NamedMaster(name, *nodes)
            async with a_world(settings=REAL_LEASES, masters=masters) as world:
                await world.serve()
                await world.serve()
                run = Run(world)
                async with under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load:
                    for _ in range(rounds):
                        await masters.follow()
                        await asyncio.sleep(random.uniform(0.5, 2))
                        await masters.move()
                        await run.normal_again("the move")
                return await run.outcome(f"{rounds} moves", load)


async def _healed(masters: SentinelWorld, old: Node, replace: Replace) -> None:
    if replace is _killed:
        await masters.revive(old)
    else:
        await masters.whole_again()
    await asyncio.sleep(QUIET_S)
