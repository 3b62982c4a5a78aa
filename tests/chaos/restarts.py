"""Rolling restarts behind nginx, with the configuration that is shipped, under load."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random

from tests.chaos.load import under_load
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import judge
from tests.chaos.witness import Witness
from tests.chaos.world import a_world
from tests.deploy.nginx import Nginx
from tests.deploy.processes import ROOT
from tests.support.ports import free_ports

CLIENTS = 6
ACTIONS = "generate generate wait replay"
GOOD = ("generated", "waited")
UPDATED = 4  # processes

Enough = Callable[[Witness, int], bool]  # told how many restarts there were


async def rolling_restarts(rounds: int, random: Random) -> Outcome:
    """Restart one of two processes after the other: clients who never repeat a request see no error at all."""
    return await _restarted(2, random, lambda _witness, restarts: restarts >= rounds)


async def rolling_update(requests: int, random: Random) -> Outcome:
    """Restart four processes one after the other until so many requests were answered: none is lost or refused."""
    return await _restarted(
        UPDATED, random, lambda witness, restarts: witness.answers >= requests and restarts >= UPDATED
    )


def updates_from(older: Path) -> Callable[[int, Random], Awaitable[Outcome]]:
    """Return a run that updates four processes from an older version, back to it, and again, one after the other."""

    async def rolling_updates(requests: int, random: Random) -> Outcome:
        return await _restarted(
            UPDATED,
            random,
            lambda witness, restarts: witness.answers >= requests and restarts >= 2 * UPDATED,
            programs=(older, ROOT),
        )

    return rolling_updates


async def _restarted(processes: int, random: Random, enough: Enough, programs: Sequence[Path] = (ROOT,)) -> Outcome:
    """Restart one process after the other; in each turn they become the next of ``programs``, from the first on."""
    async with a_world() as world:
        turns = itertools.cycle(programs)
        program = next(turns)
        ports = free_ports(processes)
        servers = [world.server(arguments=["--port", str(port)]) for port in ports]
        for server in servers:
            server.process.program = program
            await server.start()
        (world.folder / "nginx").mkdir()
        with Nginx(world.folder / "nginx", ports, limited=False) as nginx:
            world.front = nginx.url
            witness = world.witness
            async with under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load:
                for restarts, server in enumerate(itertools.cycle(servers)):
                    if enough(witness, restarts):
                        break
                    await asyncio.sleep(random.uniform(0.2, 1.5))
                    assert await server.stop() == 0, server.process.log()
                    program = next(turns) if restarts % processes == 0 else program
                    server.process.program = program
                    await server.start()
            refusals = {f"{status} {code}": count for (status, code), count in witness.refusals.items()}
            lost = witness.requests - witness.answers
            missed = [f"{count} answers {which}" for which, count in refusals.items()]
            missed += [f"{count} tasks ended as {kind}" for kind, count in load.ended.items() if kind not in GOOD]
            missed += [f"{lost} of {witness.requests} requests without an answer"] if lost else []
            missed += [f"{load.failures} things came to no end"] if load.failures else []
            ended = ", ".join(f"{kind} {count}" for kind, count in sorted(load.ended.items()))
            remarks = f"{witness.requests} requests, {lost} lost; {ended}"
            return Outcome(f"{restarts} restarts of {processes}", await judge(world), remarks, missed)
