"""Processes that end between a task's end and its webhook: none is lost, and what comes twice has the same id."""

from __future__ import annotations

import asyncio
import math
from random import Random
from typing import Any

from tests.chaos.clients import Client
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import judge
from tests.chaos.world import a_world
from tests.support.webhook_receiver import SECRET, serve_receiver

TASKS_PER_KILL = 250
ARRIVE_WITHIN_S = 120.0


async def killed_before_delivering(tasks: int, random: Random) -> Outcome:
    """Kill -9 one process after the other, at any moment of a burst of tasks; another one goes on."""
    async with serve_receiver() as receiver, a_world() as world:
        settings: dict[str, Any] = {
            "webhooks__url": receiver.url,
            "webhooks__secrets": SECRET,
            "webhooks__connections": 20,
            "tasks__status_ttl_s": 3_600,  # the first tasks are still looked at when the last ones have ended
        }
        await world.serve(**settings)
        client = await world.client(tokens=10_000_000_000)
        ids: list[str] = []
        for _ in range(math.ceil(tasks / TASKS_PER_KILL)):
            victim = await world.serve(**settings)
            submits = [asyncio.create_task(_submit(client, victim.url, random)) for _ in range(TASKS_PER_KILL)]
            await asyncio.sleep(random.uniform(0.05, 1.0))
            await victim.kill()
            ids += await asyncio.gather(*submits)
        verdict = await judge(world, within_s=60)
        missing = set(ids)
        try:
            async with asyncio.timeout(ARRIVE_WITHIN_S):
                while missing := set(ids) - set(receiver.tries()):
                    receiver.arrived.clear()
                    await receiver.arrived.wait()
        except TimeoutError:
            verdict.lost += [f"{task_id} was never told" for task_id in missing]
        bodies: dict[str, bytes] = {}
        for told in receiver.received:
            if bodies.setdefault(told.id, told.body) != told.body:
                verdict.untrue.append(f"{told.id} came with two bodies")
        twice = sum(count > 1 for count in receiver.tries().values())
        return Outcome(f"{len(ids)} tasks", verdict, f"{len(bodies)} told, {twice} of them more than once")


async def _submit(client: Client, url: str, random: Random) -> str:
    await asyncio.sleep(random.uniform(0, 0.5))
    return await client.submit(f"Be kind. [[standin:delay={random.uniform(0, 0.3):.3f}]]", url=url)
