"""Scenarios in a world of real processes, judged when they end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tests.chaos.clients import Client
from tests.chaos.verdict import judge
from tests.chaos.world import SHORT_LEASES, World, a_world

PROMPT = "Answer for our bakery."


def slow_prompt(seconds: float) -> str:
    return f"{PROMPT} [[standin:delay={seconds}]]"


def in_a_world(test: Callable[[World], Awaitable[None]], **settings: Any) -> None:
    """Run a scenario, then judge the result: nothing lost, doubled, stuck, untrue or off."""

    async def scenario() -> None:
        async with a_world(settings=settings or SHORT_LEASES) as world:
            await test(world)
            verdict = await judge(world)
            assert verdict.good, str(verdict)

    asyncio.run(scenario())


async def at_progress(client: Client, task_id: str, progress: int) -> None:
    await client.finished(task_id, until=lambda document: document["progress"] >= progress)


async def settled_tasks(client: Client) -> list[str]:
    ledger = await client.ask("GET", "/api/v1/account/ledger/?limit=200")
    return [entry["task_id"] for entry in ledger.json["entries"] if entry["kind"] == "settle"]


async def gemini_is_left(world: World) -> None:
    """Wait until nobody is connected to Gemini's method any more: long before Gemini itself would end."""
    began = time.monotonic()
    while (await world.standin.counters())["running"]:
        assert time.monotonic() - began < 280
        await asyncio.sleep(0.01)  # another process's counter has no event
