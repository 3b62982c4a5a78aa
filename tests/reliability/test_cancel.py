"""Cancelling: from any process, at any stage, and when it comes too late."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest

from tests.chaos.clients import START
from tests.chaos.world import World
from tests.reliability.test_ownership import at_progress, in_a_world, slow_prompt

pytestmark = pytest.mark.slow


async def gemini_is_left(world: World) -> float:
    """Wait until nobody is connected to Gemini's method any more; return how long that took, in seconds."""
    began = time.monotonic()
    while (await world.standin.counters())["running"]:
        assert time.monotonic() - began < 10
        await asyncio.sleep(0.01)  # another process's counter has no event
    return time.monotonic() - began


def test_cancelling_from_another_process_closes_geminis_connection_within_a_second() -> None:
    async def scenario(world: World) -> None:
        first, second = await world.serve(), await world.serve()
        client = await world.client(tokens=1_000)
        task_id = await client.submit(slow_prompt(30), url=first.url)
        await at_progress(client, task_id, 70)
        answer = await client.cancel(task_id, url=second.url)
        assert (answer.json["status"], answer.json["error_code"]) == ("failed", "cancelled")
        assert await gemini_is_left(world) < 1
        account = await world.accounts.show(client.account_id)
        assert account.tokens_held == 0
        again = await client.cancel(task_id, url=first.url)
        assert (again.status, again.json) == (200, answer.json)

    in_a_world(scenario)


def test_a_queued_task_can_be_cancelled_and_never_runs() -> None:
    async def scenario(world: World) -> None:
        await world.serve(limits__running_tasks_per_process=1)
        client = await world.client()
        first, queued = await client.submit(slow_prompt(1)), await client.submit(slow_prompt(0))
        assert (await client.cancel(queued)).json["error_code"] == "cancelled"
        await client.finished(first)
        assert (await world.standin.counters())["requests"] == 1

    in_a_world(scenario)


def test_a_finished_task_stays_as_it_is_and_unknown_or_foreign_ones_are_404() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client, other = await world.client(), await world.client()
        task_id = await client.submit(slow_prompt(0))
        final = await client.finished(task_id)
        assert (await client.cancel(task_id)).json == final
        for somebody, which in ((other, task_id), (client, str(uuid.uuid4())), (client, "abc")):
            answer = await somebody.ask("POST", f"{START}cancel/{which}/")
            assert (answer.status, answer.json["error_code"]) == (404, "task_not_found")

    in_a_world(scenario)


def test_a_cancel_that_races_with_completion_has_one_winner() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        await world.serve()
        client = await world.client()
        for number in range(20):
            task_id = await client.submit(slow_prompt(0.02 * (number % 5)))
            cancelled = (await client.cancel(task_id)).json
            assert await client.finished(task_id) == cancelled

    in_a_world(scenario)


def test_a_synchronous_client_that_goes_away_cancels_its_generation() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client(tokens=1_000)
        with pytest.raises(TimeoutError):
            await client.ask("POST", START.replace("-async", ""), {"manual_prompt": slow_prompt(30)}, timeout_s=1)
        assert await gemini_is_left(world) < 2
        (task,) = (await client.ask("GET", START)).json["tasks"]
        assert (task["status"], task["error_code"]) == ("failed", "cancelled")
        assert (await world.accounts.show(client.account_id)).tokens_held == 0

    in_a_world(scenario)
