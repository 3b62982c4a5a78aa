"""Much trouble at once, and for long: bounded while it lasts, gone when it is over."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest

from generation.gemini import GeminiError
from generation.gemini.errors import CircuitOpen
from standin import FAULTS, Behaviour, Standin
from tests.generation.gemini.conftest import MakeGemini, ask, until
from tests.support.gemini_faults import HARMLESS

TROUBLE = [fault for fault in FAULTS if fault not in HARMLESS]


@pytest.mark.gen_test
async def test_after_trouble_of_every_kind_nothing_is_left_behind(make_gemini: MakeGemini, standin: Standin) -> None:
    before = asyncio.all_tasks()
    gemini = await make_gemini(connections=20, silence_timeout_s=0.5, tries=2)
    outcomes = await asyncio.gather(
        *(ask(gemini, f"Bake. [[standin:fault={fault},retry_after=0.01]]", within_s=20) for fault in TROUBLE),
        return_exceptions=True,
    )
    assert all(isinstance(outcome, GeminiError) for outcome in outcomes)
    await until(lambda: standin.counters.running == 0)
    assert standin.counters.connections <= 20
    await ask(gemini)
    await until(lambda: not {task for task in asyncio.all_tasks() - before if "generation/gemini" in repr(task)})


@pytest.mark.gen_test
async def test_a_long_outage_costs_few_requests_and_ends_by_itself(make_gemini: MakeGemini, standin: Standin) -> None:
    gemini = await make_gemini(breaker_failures=5, breaker_open_s=0.2)
    standin.behave(Behaviour(fault="overloaded"))
    refused = []
    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        with pytest.raises(GeminiError) as caught:
            await ask(gemini)
        refused.append(caught.value.fallback_reason)
        await asyncio.sleep(0)
    assert refused[:5] == ["ai_unavailable"] * 5
    assert refused.count("ai_circuit_open") > len(refused) / 2
    assert standin.counters.requests <= 5 * 3 + 6, "three tries a call until it opens, then one probe each 0.2 s"
    standin.behave(Behaviour())
    async with asyncio.timeout(180):
        while gemini.breaker_state != "closed":
            with suppress(CircuitOpen):
                await ask(gemini)
            await asyncio.sleep(0)
