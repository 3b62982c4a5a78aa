"""A modest load for a long time: memory, descriptors, keys and Redis' memory do not grow.

What is kept is kept for half a minute, so that a run sees it come and go. Idempotency keys too. The ledger grows for
ever, as it should; its part of Redis' memory is counted apart.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from random import Random

from tests.chaos.load import Load, under_load
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import Verdict, ended
from tests.chaos.world import World, a_world

KEPT_S = 30
SETTINGS = {
    "tasks__deadline_s": 25.0,
    "gemini__deadline_s": 20.0,
    "tasks__status_ttl_s": KEPT_S,
    "tasks__idempotency_key_ttl_s": KEPT_S,
}
ACCOUNTS = 4
ACTIONS = "generate generate replay wait watch cancel leave"
GEMINI_S, THINK_S, POLL_S = 1.5, 1.5, 0.3
SAMPLE_EVERY_S = 5.0
GROWS_AT_MOST = 1.05  # from the second quarter's median to the last quarter's
GOOD = ("generated", "waited", "cancelled")
KIB = 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What was in use at a moment; bytes and counts of both processes together."""

    memory: int
    descriptors: int
    redis: int  # without the ledgers
    redis_keys: int
    redis_clients: int
    ledgers: int


async def nothing_grows(seconds: int, random: Random) -> Outcome:
    """Generate, replay, wait, watch, cancel and leave for so many seconds, and measure the resources in use."""
    async with a_world(settings=SETTINGS) as world, AsyncExitStack() as stack:
        await world.serve()
        await world.serve()
        loads = []
        for _ in range(ACCOUNTS):
            load = under_load(world, random, clients=1, gemini_s=GEMINI_S, pause_s=THINK_S, actions=ACTIONS)
            loads.append(await stack.enter_async_context(load))
            loads[-1].client.pause_s = POLL_S
        samples = []
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            await asyncio.sleep(SAMPLE_EVERY_S)
            samples.append(await _sample(world))
        await stack.aclose()
        return await _outcome(world, loads, samples, seconds)


async def _sample(world: World) -> Sample:
    redis = world.storage.redis
    memory, clients = await redis.info("memory"), await redis.info("clients")
    ledgers = 0
    for account_id in world.witness.accounts:
        key = world.storage.key(account_id, "ledger")
        ledgers += int(await redis.execute_command("MEMORY", "USAGE", key, "SAMPLES", 0) or 0)
    folders = [Path(f"/proc/{server.process.pid}") for server in world.servers]
    return Sample(
        memory=sum(_resident(folder) for folder in folders),
        descriptors=sum(len(list((folder / "fd").iterdir())) for folder in folders),
        redis=int(memory["used_memory"]) - ledgers,
        redis_keys=int(await redis.dbsize()),
        redis_clients=int(clients["connected_clients"]),
        ledgers=ledgers,
    )


def _resident(process: Path) -> int:
    status = process.joinpath("status").read_text()
    return KIB * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


async def _outcome(world: World, loads: Sequence[Load], samples: Sequence[Sample], seconds: int) -> Outcome:
    audit = await world.command_line("accounts", "audit")
    verdict = Verdict(
        stuck=await ended(world),
        untrue=list(world.witness.untrue),
        money_off=[] if audit["ok"] is True else [json.dumps(audit)],
    )
    kinds = sum((load.ended for load in loads), Counter[str]())
    missed = [f"{count} tasks ended as {kind}" for kind, count in kinds.items() if kind not in GOOD]
    failures = sum(load.failures for load in loads)
    missed += [f"{failures} things came to no end"] if failures else []
    missed += [f"{count} answers {status}" for (status, _), count in world.witness.refusals.items()]
    growth = []
    quarter = len(samples) // 4
    for field in fields(Sample):
        before = statistics.median(getattr(sample, field.name) for sample in samples[quarter : 2 * quarter])
        after = statistics.median(getattr(sample, field.name) for sample in samples[-quarter:])
        growth.append(f"{field.name} {before:,.0f} then {after:,.0f}")
        if field.name != "ledgers" and after > before * GROWS_AT_MOST:
            missed.append(f"{field.name} grew")
    remarks = f"{sum(kinds.values())} ended, {world.witness.answers} answers; " + "; ".join(growth)
    return Outcome(f"{seconds} s", verdict, remarks, missed)
