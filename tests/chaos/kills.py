"""Processes that end without a word, at every stage of the tasks they work on.

A victim's Redis is a little slow, so that every stage lasts long enough to be met; its tasks begin one after the
other and the last ones wait for a place, so that one kill meets several stages. What a task's stage was is read from
Redis when the process is dead.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from random import Random
from typing import Any

from generation.stages import CHECKING, FINALIZING, GENERATING, INITIALIZING, QUEUED, WAITING
from tests.chaos.clients import Client
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import ended, judge
from tests.chaos.world import REAL_LEASES, Server, World, a_world
from tests.support.redis_proxy import Proxy

ENDED = "ended"
SEVEN_STAGES = (*(stage.name for stage in (QUEUED, INITIALIZING, CHECKING, GENERATING, WAITING, FINALIZING)), ENDED)
ANSWER_DELAY_S = 0.02
POLL_S = 0.05
TASKS_PER_KILL, PLACES, POLLED = 16, 8, 4
SUBMITTED_WITHIN_S = (0.05, 0.5)  # close together, half of them wait for a place; else they are at all stages
PATIENCE_S = 2.0
TAKEOVER_S = 25.0


class Kills:
    """Counts by stage the tasks that a kill hit, and how long they then waited for a new owner."""

    def __init__(self, world: World, random: Random) -> None:
        self.world = world
        self.random = random
        self.kills = 0
        self.met: Counter[str] = Counter()
        self.waits: list[float] = []
        self._watching: list[asyncio.Task[Any]] = []

    async def kill_amid_tasks(self, victim: Server, client: Client) -> None:
        """Give the victim tasks, one after the other, and kill it while they are at all stages."""
        within_s = self.random.choice(SUBMITTED_WITHIN_S)
        submits = [asyncio.create_task(self._submit(client, victim, within_s)) for _ in range(TASKS_PER_KILL)]
        self._watching += submits  # some may never learn from the victim whether they came through
        wanted = min(SEVEN_STAGES, key=lambda name: self.met[name])
        deadline = time.monotonic() + PATIENCE_S
        while (  # noqa: ASYNC110  # other processes write it
            wanted not in (await self._stages(client, _done(submits))).values() and time.monotonic() < deadline
        ):
            await asyncio.sleep(0.002)
        await asyncio.sleep(self.random.uniform(0, ANSWER_DELAY_S))
        await victim.kill()
        killed_at = time.monotonic()
        ids = _done(submits)
        stages = await self._stages(client, ids)
        self.kills += 1
        self.met.update(set(stages.values()))
        unended = [task_id for task_id, stage in stages.items() if stage != ENDED]
        self._watching.append(asyncio.create_task(self._watch(client, unended, killed_at)))
        self._watching += [asyncio.create_task(client.finished(task_id)) for task_id in ids[:POLLED]]

    async def _submit(self, client: Client, victim: Server, within_s: float) -> str:
        await asyncio.sleep(self.random.uniform(0, within_s))
        delay_s = self.random.choice((0.0, self.random.uniform(0, 0.4)))
        return await client.submit(f"Be kind. [[standin:delay={delay_s:.3f}]]", url=victim.url)

    async def waited_for(self) -> None:
        await asyncio.gather(*self._watching)

    async def _stages(self, client: Client, ids: list[str]) -> dict[str, str]:
        pipe = self.world.storage.redis.pipeline(transaction=False)
        for task_id in ids:
            pipe.hmget(self._record_key(client, task_id), ["stage", "closed"])
        found = await pipe.execute()
        return {
            task_id: ENDED if closed else str(stage, "ascii")
            for task_id, (stage, closed) in zip(ids, found, strict=True)
        }

    async def _watch(self, client: Client, ids: list[str], killed_at: float) -> None:
        """Wait until each task has a second owner; note the longest wait."""
        for task_id in ids:
            while not (attempt := await self._attempt_or_end(client, task_id)):  # noqa: ASYNC110  # as above
                await asyncio.sleep(POLL_S)
            if attempt > 1:
                self.waits.append(time.monotonic() - killed_at)

    async def _attempt_or_end(self, client: Client, task_id: str) -> int:
        """Return the attempt once it is not the first or the task has ended: the dead process may have written last."""
        key = self._record_key(client, task_id)
        attempt, closed = await self.world.storage.command("HMGET", key, "attempt", "closed")
        return int(attempt) if closed or int(attempt) > 1 else 0

    def _record_key(self, client: Client, task_id: str) -> str:
        return self.world.storage.key(client.account_id, "task", task_id)

    async def outcome(self, wanted: int, *, within_s: float) -> Outcome:
        verdict = await judge(self.world)
        missed = [f"stage {name} met {self.met[name]} times" for name in SEVEN_STAGES if self.met[name] < wanted]
        longest = max(self.waits, default=0.0)
        if longest > within_s:
            missed.append(f"a takeover took {longest:.1f} s")
        met = " ".join(f"{name} {self.met[name]}" for name in SEVEN_STAGES)
        remarks = f"met {met}; {len(self.waits)} takeovers within {longest:.1f} s"
        return Outcome(f"{self.kills} kills", verdict, remarks, missed)

    def enough(self, wanted: int) -> bool:
        return all(self.met[name] >= wanted for name in SEVEN_STAGES) or self.kills >= 6 * wanted


def _done(submits: list[asyncio.Task[str]]) -> list[str]:
    return [submit.result() for submit in submits if submit.done()]


async def kill_with_another_process(rounds: int, random: Random) -> Outcome:
    """Kill one process after the other; a survivor takes their tasks over."""
    async with a_world() as world, _slow_redis(world) as slow:
        await world.serve()
        kills, client = Kills(world, random), await world.client()
        victim = await world.serve(redis_port=slow.port, limits__running_tasks_per_process=PLACES)
        while not kills.enough(rounds):
            following = asyncio.create_task(world.serve(redis_port=slow.port, limits__running_tasks_per_process=PLACES))
            await kills.kill_amid_tasks(victim, client)
            victim = await following
        await kills.waited_for()
        return await kills.outcome(rounds, within_s=TAKEOVER_S)


async def kill_and_start_again(rounds: int, random: Random) -> Outcome:
    """Kill the only process and start it again: nothing else is needed."""
    async with a_world() as world, _slow_redis(world) as slow:
        server = await world.serve(redis_port=slow.port, limits__running_tasks_per_process=PLACES)
        kills, client = Kills(world, random), await world.client()
        while not kills.enough(rounds):
            await kills.kill_amid_tasks(server, client)
            await server.start()
            await kills.waited_for()
            await ended(world)
        return await kills.outcome(rounds, within_s=TAKEOVER_S)


async def kill_with_real_leases(rounds: int, random: Random) -> Outcome:
    """Kill with the default settings, whatever the stage: every task has a new owner within 25 s."""
    async with a_world(settings=REAL_LEASES) as world, _slow_redis(world) as slow:
        await world.serve()
        kills, client = Kills(world, random), await world.client()
        victims = [
            await world.serve(redis_port=slow.port, limits__running_tasks_per_process=PLACES) for _ in range(rounds)
        ]
        for victim in victims:
            await kills.kill_amid_tasks(victim, client)
            await asyncio.sleep(random.uniform(0, 2))
        await kills.waited_for()
        return await kills.outcome(0, within_s=TAKEOVER_S)


def _slow_redis(world: World) -> Proxy:
    proxy = Proxy(world.redis_port)
    proxy.delay_s = ANSWER_DELAY_S
    return proxy
