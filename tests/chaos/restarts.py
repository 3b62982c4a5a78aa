"""Rolling restarts of two processes behind nginx, with the configuration that is shipped, under load."""

from __future__ import annotations

import asyncio
from random import Random

from tests.chaos.load import under_load
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import judge
from tests.chaos.world import a_world
from tests.deploy.nginx import Nginx, free_port

CLIENTS = 6
ACTIONS = "generate generate wait replay"
GOOD = ("generated", "waited")


async def rolling_restarts(rounds: int, random: Random) -> Outcome:
    """Restart one process after the other: clients who never repeat a request see no error at all."""
    async with a_world() as world:
        ports = [free_port(), free_port()]
        servers = [await world.serve(arguments=["--port", str(port)]) for port in ports]
        (world.folder / "nginx").mkdir()
        with Nginx(world.folder / "nginx", ports, limited=False) as nginx:
            world.front = nginx.url
            async with under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load:
                for number in range(rounds):
                    await asyncio.sleep(random.uniform(0.2, 1.5))
                    server = servers[number % 2]
                    assert await server.stop() == 0, server.process.log()
                    await server.start()
            refusals = {f"{status} {code}": count for (status, code), count in world.witness.refusals.items()}
            missed = [f"{count} answers {which}" for which, count in refusals.items()]
            missed += [f"{count} tasks ended as {kind}" for kind, count in load.ended.items() if kind not in GOOD]
            missed += [f"{load.failures} requests failed"] if load.failures else []
            remarks = ", ".join(f"{kind} {count}" for kind, count in sorted(load.ended.items()))
            return Outcome(f"{rounds} restarts", await judge(world), remarks, missed)
