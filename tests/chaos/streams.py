"""SIGTERM while hundreds of clients follow events and leave as they like: the process drains and ends well."""

from __future__ import annotations

import asyncio
import signal
from random import Random

import aiohttp

from tests.chaos.clients import START, Client
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import judge
from tests.chaos.world import World, a_world

STREAMS = 400
TASKS = 20
GEMINI_S = 3.0
LEAVE_WITHIN_S = 2.0
TROUBLE = ("drain_step_failed", "request_crashed", "task_crashed", "exception_ignored")


async def terminated_with_streams(rounds: int, random: Random) -> Outcome:
    """Open 400 streams on one process, end it, and close them one by one; another process takes the tasks."""
    missed: list[str] = []
    async with a_world(settings={"limits__streams_per_account": 2 * STREAMS, "tasks__lease_s": 15.0}) as world:
        await world.serve()
        for number in range(rounds):
            leaving = await world.serve(server__drain_timeout_s=random.choice((1.0, 4.0)))
            client = await world.client()
            ids = [
                await client.submit(f"Be kind. [[standin:delay={random.uniform(0, GEMINI_S):.2f}]]", url=leaving.url)
                for _ in range(TASKS)
            ]
            streams = await asyncio.gather(
                *(_opened(world, client, leaving.url, ids[n % TASKS]) for n in range(STREAMS))
            )
            leaving.alive = False
            leaving.process.send(signal.SIGTERM)
            await asyncio.gather(*(_leave(stream, random.uniform(0, LEAVE_WITHIN_S)) for stream in streams))
            code = await asyncio.to_thread(leaving.process.wait)
            missed += [f"exit code {code} in round {number}"] if code else []
            missed += [f"{event} in the log" for event in TROUBLE if event in leaving.process.log()]
            for task_id in ids:
                await client.finished(task_id)
        return Outcome(f"{rounds} x {STREAMS} streams", await judge(world), f"{rounds * TASKS} tasks ended", missed)


async def _opened(world: World, client: Client, url: str, task_id: str) -> aiohttp.ClientResponse:
    headers = {"Authorization": f"Bearer {client.api_key}"}
    stream = await world.session.get(f"{url}{START}events/{task_id}/", headers=headers)
    assert stream.status == 200, await stream.text()
    return stream


async def _leave(stream: aiohttp.ClientResponse, after_s: float) -> None:
    await asyncio.sleep(after_s)
    stream.close()
