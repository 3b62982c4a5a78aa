"""Thirty minutes' worth of accidents in five: everything at once, at random, repeatable by its seed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from tests.chaos.load import money_watched, under_load
from tests.chaos.outcome import Outcome
from tests.chaos.storage import DURABLE, TROUBLES
from tests.chaos.verdict import Verdict, judge
from tests.chaos.world import Server, World, a_world
from tests.support.redis_proxy import Proxy

CLIENTS = 10
ACTIONS = "generate generate generate cancel cancel replay wait leave watch"
FAULTS = ("overloaded", "rate_limited", "hang_mid_stream", "reset", "cut_mid_stream", "error_mid_stream", "html_error")
IMPATIENT: dict[str, Any] = {"gemini__silence_timeout_s": 2, "gemini__breaker_open_s": 2, "server__drain_timeout_s": 3}


async def random_walk(seconds: int, random: Random) -> Outcome:
    """Three sources of trouble at once (processes, Redis, Gemini) and clients who do all that clients do."""
    verdict, happened = Verdict(), Counter[str]()
    async with a_world(redis_options=DURABLE) as world, Proxy(world.redis_port) as proxy:
        servers = [await world.serve(redis_port=proxy.port, **IMPATIENT) for _ in range(2)]
        walk = _Walk(world, proxy, random, time.monotonic() + seconds, happened)
        async with (
            money_watched(world, verdict) as looks,
            under_load(world, random, clients=CLIENTS, gemini_s=0.6, actions=ACTIONS) as load,
        ):
            await asyncio.gather(*(walk.server(server) for server in servers), walk.redis(), walk.gemini())
        await judge(world, verdict)
        accidents = ", ".join(f"{name} {count}" for name, count in sorted(happened.items()))
        ends = ", ".join(f"{kind} {count}" for kind, count in sorted(load.ended.items()))
        remarks = f"{accidents}; {ends}; the sums looked at {looks['looks']} times"
        return Outcome(f"{sum(happened.values())} faults in {seconds} s", verdict, remarks)


class _Walk:
    """Each method makes trouble of its kind until the time is over, and leaves everything well."""

    def __init__(self, world: World, proxy: Proxy, random: Random, until: float, happened: Counter[str]) -> None:
        self.world = world
        self.proxy = proxy
        self.random = random
        self.until = until
        self.happened = happened

    async def server(self, server: Server) -> None:
        accidents: list[Callable[[Server], Awaitable[None]]] = [self._killed, self._stopped, self._terminated]
        while await self._calm(1, 6):
            await self.random.choice(accidents)(server)

    async def redis(self) -> None:
        while await self._calm(1, 6):
            name = self.random.choice([*TROUBLES, "killed", "restarted"])
            self.happened[f"Redis {name}"] += 1
            if name in TROUBLES:
                async with TROUBLES[name](self.world, self.proxy, self.random):
                    await asyncio.sleep(self.random.uniform(0.2, 3))
            else:
                await asyncio.to_thread(self.world.redis.kill if name == "killed" else self.world.redis.stop)
                await asyncio.sleep(self.random.uniform(0, 2))
                await asyncio.to_thread(self.world.redis.start)

    async def gemini(self) -> None:
        while await self._calm(1, 6):
            fault = self.random.choice(FAULTS)
            self.happened["Gemini"] += 1
            await self.world.standin.behave(fault=fault, probability=self.random.choice((0.3, 1.0)))
            await asyncio.sleep(self.random.uniform(0.5, 3))
            await self.world.standin.behave()

    async def _calm(self, least_s: float, most_s: float) -> bool:
        """Let a while pass; say whether there is time for more trouble."""
        await asyncio.sleep(self.random.uniform(least_s, most_s))
        return time.monotonic() < self.until

    async def _killed(self, server: Server) -> None:
        self.happened["kill -9"] += 1
        await server.kill()
        await self._start(server)

    async def _terminated(self, server: Server) -> None:
        self.happened["SIGTERM"] += 1
        await server.stop()
        await self._start(server)

    async def _stopped(self, server: Server) -> None:
        self.happened["SIGSTOP"] += 1
        server.freeze()
        await asyncio.sleep(self.random.uniform(0.5, 6))
        server.thaw()

    async def _start(self, server: Server) -> None:
        """Start it again, as a supervisor would: when it gives up because Redis is away, once more."""
        while True:
            with contextlib.suppress(AssertionError):
                await server.start()
                return
