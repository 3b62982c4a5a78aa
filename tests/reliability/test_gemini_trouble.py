"""Gemini broken in every way it is known to break: an outcome in bounded time, no charge, nothing left open."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from standin import FAULTS
from tests.chaos.outages import models_away
from tests.chaos.world import SHORT_LEASES, World
from tests.support.judged_world import gemini_is_left, in_a_world

pytestmark = pytest.mark.slow

IMPATIENT = {
    **SHORT_LEASES,
    "gemini__deadline_s": 4,
    "gemini__silence_timeout_s": 1,
    "gemini__retry_base_s": 0.05,
    "gemini__retry_max_s": 0.1,
}


def test_every_fault_has_its_outcome() -> None:
    async def scenario(world: World) -> None:
        await world.serve(gemini__breaker_failures=10_000)
        client = await world.client()

        async def one(fault: str) -> None:
            task_id = await client.submit(f"Answer for our bakery. [[standin:fault={fault}]]")
            final = await client.finished(task_id, within_s=30)
            assert final["status"] == "completed", fault
            assert final["generated_by_ai"] or (final["warning"] and final["fallback_reason"].startswith("ai_")), fault

        await asyncio.gather(*(one(fault) for fault in sorted(FAULTS)))
        await gemini_is_left(world)

    in_a_world(scenario, **IMPATIENT)


def test_the_breaker_opens_after_failures_in_a_row_and_closes_after_a_probe() -> None:
    async def scenario(world: World) -> None:
        await world.serve(
            gemini__model="gemini-3.8-flash", gemini__breaker_failures=3, gemini__breaker_open_s=2, gemini__tries=1
        )
        client = await world.client()
        await world.standin.behave(fault="overloaded")
        reasons = []
        for _ in range(5):
            final = await client.finished(await client.submit("Answer for our bakery."))
            reasons.append(final["fallback_reason"])
        assert reasons == ["ai_unavailable"] * 3 + ["ai_circuit_open"] * 2
        assert (await world.standin.counters())["requests"] == 3
        await world.standin.behave()
        while not (final := await client.finished(await client.submit("Answer for our bakery.")))["generated_by_ai"]:
            assert final["fallback_reason"] == "ai_circuit_open"
            await asyncio.sleep(0.1)

    in_a_world(scenario, **IMPATIENT)


def test_with_the_first_model_away_the_second_answers_and_without_both_templates_do() -> None:
    outcome = asyncio.run(models_away(2, Random(3)))
    assert outcome.good, (outcome.missed, str(outcome.verdict))
