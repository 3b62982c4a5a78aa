"""The first of two models away for long, then both: who still gets an answer of the AI's, and how soon.

Tries, pauses and deadlines are the default ones: what operators get who set nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.chaos.clients import Client
from tests.chaos.gemini import MARGIN_S
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import judge
from tests.chaos.world import SHORT_LEASES, World, a_world

FIRST, SECOND = "gemini-3.8-flash", "gemini-3.6-flash"
CLIENTS, GEMINI_S, PAUSE_S = 8, 2.0, 0.5
LONGEST_S = 60.0  # in which a generation is done with one model away, and a template made with all of them
SHARE_BY_AI = 0.99
SHARE_OF_404, SHARE_OF_ALL_AWAY = 1.0, 0.1  # of the time of 503


@dataclass(frozen=True, slots=True)
class End:
    """How one generation ended, and how long its client waited."""

    document: dict[str, Any]
    took_s: float

    @property
    def by_ai(self) -> bool:
        return bool(self.document.get("generated_by_ai"))


async def models_away(seconds: int, random: Random) -> Outcome:
    """Let the first model answer 503 for so long, then 404 as long, then both 503, under load all the time."""
    missed: list[str] = []
    settings = {**SHORT_LEASES, "tasks__status_ttl_s": 3 * seconds + 120}
    async with a_world(settings=settings) as world:
        await world.serve()
        client = await world.client()
        await world.standin.behave(fault="overloaded", model=FIRST)
        overloaded = await _ends_within(seconds, client, random)
        await world.standin.behave(fault="not_found", model=FIRST)
        gone = await _ends_within(seconds * SHARE_OF_404, client, random)
        for fault, ends in (("503", overloaded), ("404", gone)):
            missed += _not_by_ai(fault, ends)
        await world.standin.behave(fault="overloaded")
        charged = await _charged(world, client)
        away = await _ends_within(seconds * SHARE_OF_ALL_AWAY, client, random)
        missed += [f"all away: {end.document}" for end in away if end.by_ai or end.document["status"] != "completed"]
        missed += [f"all away: charged {extra}" for extra in [await _charged(world, client) - charged] if extra]
        every = [*overloaded, *gone, *away]
        missed += [f"took {end.took_s:.1f} s" for end in every if end.took_s > LONGEST_S + MARGIN_S]
        remarks = "; ".join([_said("503", overloaded), _said("404", gone), _said("all away", away)])
        return Outcome(f"{seconds} s of 503, as many of 404", await judge(world), remarks, missed)


async def _ends_within(seconds: float, client: Client, random: Random) -> list[End]:
    """Keep clients busy for so long, and let each finish its current work."""
    until, ends = time.monotonic() + seconds, []

    async def one() -> None:
        while time.monotonic() < until:
            prompt = f"Answer for our bakery. [[standin:delay={random.uniform(0, GEMINI_S):.2f}]]"
            began = time.monotonic()
            task_id = await client.submit(prompt)
            document = await client.finished(task_id, within_s=2 * LONGEST_S)
            ends.append(End(document, time.monotonic() - began))
            await asyncio.sleep(random.uniform(0, PAUSE_S))

    await asyncio.gather(*(one() for _ in range(CLIENTS)))
    return ends


def _not_by_ai(fault: str, ends: list[End]) -> list[str]:
    by_ai = sum(end.by_ai for end in ends)
    strangers = {end.document.get("model") for end in ends if end.by_ai} - {SECOND}
    missed = [f"{fault}: answers of {strangers}"] if strangers else []
    if by_ai < SHARE_BY_AI * len(ends):
        missed.append(f"{fault}: {by_ai} of {len(ends)} by the AI")
    return missed


async def _charged(world: World, client: Client) -> int:
    return (await world.accounts.show(client.account_id)).tokens_charged


def _said(what: str, ends: list[End]) -> str:
    kinds = Counter(end.document.get("fallback_reason") or end.document.get("error_code") or "AI" for end in ends)
    counted = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return f"{what}: {counted}, slowest {max((end.took_s for end in ends), default=0.0):.1f} s"
