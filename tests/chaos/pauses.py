"""Processes that are stopped for longer than their leases and wake up: the world has gone on without them."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

from tests.chaos.clients import NETWORK, Client, NoAnswer
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import judge
from tests.chaos.world import a_world

TASKS = 12
LEASE_S = 2.5
GEMINI_S = 4.0


async def stop_longer_than_the_lease(rounds: int, random: Random) -> Outcome:
    """SIGSTOP a process with tasks at Gemini and in its queue, SIGCONT it amid or after its tasks' second run."""
    taken = 0
    async with a_world() as world:
        sleeper, _other = await world.serve(limits__running_tasks_per_process=TASKS // 2), await world.serve()
        client = await world.client()
        for _ in range(rounds):
            delays_s = [random.uniform(0, GEMINI_S) for _ in range(TASKS)]
            ids = [await client.submit(f"Be kind. [[standin:delay={s:.2f}]]", url=sleeper.url) for s in delays_s]
            await asyncio.sleep(random.uniform(0, 0.5))
            sleeper.freeze()
            polls = [asyncio.create_task(_poll(client, task_id, sleeper.url)) for task_id in ids]
            await asyncio.sleep(LEASE_S + random.uniform(1, 2 * GEMINI_S))
            sleeper.thaw()
            await asyncio.gather(*polls)
            documents = [await client.finished(task_id) for task_id in ids]
            taken += sum(document["attempt"] > 1 for document in documents)
            for task_id in ids:  # whatever the sleeper still believes, it says what is true
                await client.poll(task_id, url=sleeper.url)
        missed = [] if taken >= rounds else [f"only {taken} tasks were taken over"]
        return Outcome(f"{rounds} stops", await judge(world), f"{taken} tasks taken over", missed)


async def _poll(client: Client, task_id: str, url: str) -> None:
    """Ask a process that sleeps: it may answer when it wakes, or never."""
    with contextlib.suppress(*NETWORK, NoAnswer):
        await client.poll(task_id, url=url)
