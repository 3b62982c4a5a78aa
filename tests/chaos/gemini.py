"""A Gemini that fails in every way it is known to, while other clients' generations go on."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import Any

from standin import FAULTS
from tests.chaos.clients import Client
from tests.chaos.load import Load, under_load
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import judge
from tests.chaos.world import SHORT_LEASES, World, a_world

TRIES, DEADLINE_S, SILENCE_S = 3, 5.0, 1.0
IMPATIENT = {
    **SHORT_LEASES,
    "gemini__tries": TRIES,
    "gemini__deadline_s": DEADLINE_S,
    "gemini__silence_timeout_s": SILENCE_S,
    "gemini__retry_base_s": 0.05,
    "gemini__retry_max_s": 0.2,
}
TASKS_PER_FAULT, CLIENTS, CALM_CLIENTS = 5, 3, 8
MARGIN_S = 10.0  # for a machine that has other things to do; deadline and silence alone bound Gemini's share
BREAKER_FAILURES, PAUSES = 5, 20
IDLE_CONNECTIONS_END_S = 40.0  # aiohttp keeps them for 15 s, and looks every 15 s
POLL_S = 0.1


async def every_fault(rounds: int, random: Random) -> Outcome:
    """Show every fault to tasks of its own; each ends in time, with Gemini's answer or the fallback."""
    missed: list[str] = []
    slowest = (0.0, "")
    async with a_world(settings={**IMPATIENT, "gemini__breaker_failures": 1_000_000}) as world:
        await world.serve()
        await world.serve()
        client = await world.client()
        async with under_load(world, random, clients=CLIENTS) as load:
            for _ in range(rounds):
                for fault in random.sample(FAULTS, len(FAULTS)):
                    took_s = await _show(world, client, fault, missed)
                    slowest = max(slowest, (took_s, fault))
        missed += _spared(load) + await _leaks(world)
        remarks = f"slowest {slowest[0]:.1f} s ({slowest[1]}); {sum(load.ended.values())} others unharmed"
        return Outcome(f"{rounds * TASKS_PER_FAULT} x {len(FAULTS)} faults", await judge(world), remarks, missed)


async def _show(world: World, client: Client, fault: str, missed: list[str]) -> float:
    before = (await world.standin.counters())["faults"].get(fault, 0)
    began = time.monotonic()
    prompt = f"Be kind. [[standin:fault={fault}]]"
    ids = await asyncio.gather(*(client.submit(prompt) for _ in range(TASKS_PER_FAULT)))
    documents = await asyncio.gather(*(client.finished(task_id) for task_id in ids))
    took_s = time.monotonic() - began
    shown = (await world.standin.counters())["faults"][fault] - before
    missed += [f"{fault}: {_odd(each)}" for each in documents if _odd(each)]
    if took_s > DEADLINE_S + MARGIN_S:
        missed.append(f"{fault}: {took_s:.1f} s")
    if not TASKS_PER_FAULT <= shown <= TRIES * TASKS_PER_FAULT:
        missed.append(f"{fault}: {shown} tries for {TASKS_PER_FAULT} tasks")
    return took_s


def _odd(document: dict[str, Any]) -> str:
    """Say what is wrong with an end; empty when it is Gemini's answer, or a fallback that says why."""
    if document["status"] != "completed" or document["attempt"] != 1:
        return str(document)
    told = document["generated_by_ai"] or (document["warning"] and document["fallback_reason"].startswith("ai_"))
    return "" if told else str(document)


def _spared(load: Load) -> list[str]:
    """Clients whose generations met no fault must not have noticed those of others."""
    return [f"{count} bystanders got {kind}" for kind, count in load.ended.items() if kind != "generated"]


async def _leaks(world: World) -> list[str]:
    """Nothing may go on at Gemini, and no connection stay open but the one that asks."""
    deadline = time.monotonic() + IDLE_CONNECTIONS_END_S
    while time.monotonic() < deadline:
        counters = await world.standin.counters()
        if counters["running"] == 0 and counters["connections"] <= 1:
            return []
        await asyncio.sleep(POLL_S)
    return [f"{counters['connections']} connections to Gemini stay open, {counters['running']} calls go on"]


async def overloaded_for_long(seconds: int, random: Random) -> Outcome:
    """Let Gemini answer 503 for twenty of the breaker's pauses: few calls reach it, and then all is well again.

    Ten minutes make the pause the default one, of 30 s.
    """
    missed: list[str] = []
    pause_s = seconds / PAUSES
    settings = {
        **IMPATIENT,
        "gemini__breaker_failures": BREAKER_FAILURES,
        "gemini__breaker_open_s": pause_s,
        "tasks__status_ttl_s": 2 * seconds + 60,  # what ended first is judged too
    }
    async with a_world(settings=settings) as world:
        await world.serve()
        async with under_load(world, random, clients=CALM_CLIENTS, gemini_s=0.0, pause_s=1.0) as load:
            await world.standin.behave(fault="overloaded")
            before = (await world.standin.counters())["requests"]
            await asyncio.sleep(seconds)
            asked = (await world.standin.counters())["requests"] - before
            await world.standin.behave()
            good_again_s = await _generated_again(load)
        most = TRIES * (BREAKER_FAILURES + CALM_CLIENTS) + PAUSES + 1  # until it opened, then one probe a pause
        if asked > most:
            missed.append(f"Gemini was asked {asked} times, {most} at most were hoped for")
        if good_again_s > pause_s + MARGIN_S:
            missed.append(f"generating again only after {good_again_s:.1f} s")
        missed += await _leaks(world)
        ends = ", ".join(f"{kind} {count}" for kind, count in sorted(load.ended.items()))
        remarks = f"{asked} requests in {seconds} s, generating again after {good_again_s:.1f} s; {ends}"
        return Outcome(f"{seconds} s of 503", await judge(world), remarks, missed)


async def _generated_again(load: Load) -> float:
    began, before = time.monotonic(), load.ended["generated"]
    while load.ended["generated"] <= before:  # noqa: ASYNC110  # the load's clients count
        await asyncio.sleep(POLL_S)
    return time.monotonic() - began
