"""A wall clock that somebody sets, back and forth, under running servers: no lease, key or duration depends on it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from tests.chaos.load import money_watched, under_load
from tests.chaos.outcome import Outcome
from tests.chaos.storage import ACTIONS, CLIENTS, Run
from tests.chaos.world import REAL_LEASES, a_world

CLOCK = Path(__file__).parents[1] / "support" / "wall_clock"
STEPS_S = (3_600, 86_400, 400 * 86_400)


async def wall_clock_stepped(rounds: int, random: Random) -> Outcome:
    """Set the clock on and back, by an hour to a year, each time from where it stood."""
    async with a_world(settings=REAL_LEASES) as world:
        offset = world.folder / "offset"
        offset.write_text("0")
        for _ in range(2):
            server = world.server()
            server.process.environment |= {"PYTHONPATH": str(CLOCK), "WALL_CLOCK_OFFSET": str(offset)}
            await server.start()
        run, stands_at = Run(world), 0
        async with (
            money_watched(world, run.verdict),
            under_load(world, random, clients=CLIENTS, actions=ACTIONS) as load,
        ):
            for number in range(rounds):
                stands_at += random.choice(STEPS_S) * (-1 if number % 2 else 1)
                offset.write_text(str(stands_at))
                await asyncio.sleep(random.uniform(2, 5))
                await run.normal_again("a step")
        outcome = await run.outcome(f"{rounds} steps", load)
        taken = sum(server.process.log().count("task_taken_over") for server in world.servers)
        outcome.missed += [f"{taken} tasks of living processes were taken over"] if taken else []
        return outcome
