"""Cancelling: from any process, at any stage, and when it comes too late."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest

from tests.chaos.clients import START, Client
from tests.chaos.world import World
from tests.support.judged_world import at_progress, gemini_is_left, in_a_world, slow_prompt

pytestmark = pytest.mark.slow


async def settlement(client: Client, document: dict[str, Any]) -> tuple[int, bool, int]:
    """Return the task's cost in the ledger: tokens, whether they are an estimate, and the uncollected tokens."""
    entries = (await client.ask("GET", "/api/v1/account/ledger/")).json["entries"]
    (settle,) = [e for e in entries if e["task_id"] == document["task_id"] and e["kind"] == "settle"]
    return settle["tokens"], settle["estimated"], settle["uncollected"]


def test_cancelling_from_another_process_closes_geminis_connection() -> None:
    async def scenario(world: World) -> None:
        first, second = await world.serve(), await world.serve()
        client = await world.client(tokens=1_000)
        task_id = await client.submit(slow_prompt(30), url=first.url)
        await at_progress(client, task_id, 70)
        answer = await client.cancel(task_id, url=second.url)
        assert (answer.json["status"], answer.json["error_code"]) == ("failed", "cancelled")
        await gemini_is_left(world)
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


async def asking_synchronously(client: Client) -> asyncio.Task[Any]:
    """Let the client wait for a minute's generation; return its request once Gemini has been asked."""
    body = {"manual_prompt": slow_prompt(60)}
    asking = asyncio.create_task(client.ask("POST", START.replace("-async", ""), body, timeout_s=60))
    while not (tasks := (await client.ask("GET", START)).json["tasks"]):  # noqa: ASYNC110  # another process writes it
        await asyncio.sleep(0.02)
    await at_progress(client, tasks[0]["task_id"], 70)
    return asking


def test_a_synchronous_client_that_goes_away_cancels_its_generation() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client(tokens=1_000)
        asking = await asking_synchronously(client)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await gemini_is_left(world)
        (task,) = (await client.ask("GET", START)).json["tasks"]
        assert (task["status"], task["error_code"], task["estimated"]) == ("failed", "cancelled", True)
        assert await settlement(client, task) == (task["tokens_used"], True, 0)
        assert (await world.accounts.show(client.account_id)).tokens_held == 0

    in_a_world(scenario)


def test_a_synchronous_client_that_goes_away_while_redis_refuses_writes_pays_the_same() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client(tokens=1_000)
        asking = await asking_synchronously(client)
        await world.storage.redis.config_set("maxmemory", "1")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await asyncio.sleep(0.5)  # a cancel that is tried now is refused
        assert (await client.ask("GET", START)).json["tasks"][0]["status"] == "processing"
        await world.storage.redis.config_set("maxmemory", "0")
        await gemini_is_left(world)
        (task,) = (await client.ask("GET", START)).json["tasks"]
        assert (task["status"], task["error_code"], task["estimated"]) == ("failed", "cancelled", True)
        assert await settlement(client, task) == (task["tokens_used"], True, 0)
        assert task["tokens_used"] > 0

    in_a_world(scenario)


def test_a_cancel_before_gemini_reports_anything_pays_an_estimate_of_the_input() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client(tokens=100_000)
        costs = []
        for more in ("", "We bake with rye and spelt. " * 100, "我们每天烤黑麦面包。" * 100):
            task_id = await client.submit(more + slow_prompt(30))
            await at_progress(client, task_id, 70)
            document = (await client.cancel(task_id)).json
            assert (document["error_code"], document["estimated"]) == ("cancelled", True)
            assert await settlement(client, document) == (document["tokens_used"], True, 0)
            costs.append(document["tokens_used"])
        assert 650 <= costs[1] - costs[0] <= 800, "a token for four characters of English"
        assert 600 <= costs[2] - costs[0] <= 900, "not for four of Chinese, nor one for each, as the hold has it"

    in_a_world(scenario)


def test_an_estimate_takes_no_more_than_hold_and_balance() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client(tokens=701)
        task_id = await client.submit(slow_prompt(30))
        await at_progress(client, task_id, 70)
        document = (await client.cancel(task_id)).json
        assert await settlement(client, document) == (document["tokens_used"], True, 0)
        assert 0 < document["tokens_used"] <= 701

    in_a_world(scenario)


def test_a_cancel_after_a_report_pays_what_was_reported_and_no_estimate() -> None:
    async def scenario(world: World) -> None:
        first, second = await world.serve(), await world.serve()
        client = await world.client(tokens=100_000)
        costs = [0]
        for asked in (first, second):  # the process that runs the task, and one that knows only its record
            task_id = await client.submit("Answer for our bakery. [[standin:fault=hang_mid_stream]]", url=first.url)
            recorded = await reported_in_record(world, client, task_id, at_least=max(1, *costs))
            document = (await client.cancel(task_id, url=asked.url)).json
            assert document["tokens_used"] >= recorded
            assert "estimated" not in document
            assert await settlement(client, document) == (document["tokens_used"], False, 0)
            costs.append(document["tokens_used"])

    in_a_world(scenario)


async def reported_in_record(world: World, client: Client, task_id: str, at_least: int) -> int:
    """Wait until the task's record has so many tokens, though nobody reads its text; return them."""
    key = world.storage.key(client.account_id, "task", task_id)
    began = time.monotonic()
    while (used := int(await world.storage.command("HGET", key, "used"))) < at_least:
        assert time.monotonic() - began < 120
        await asyncio.sleep(0.02)  # another process's record has no event
    return used


def test_a_task_that_is_cancelled_before_its_request_goes_out_costs_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.serve(limits__running_tasks_per_process=1)
        client = await world.client()
        first, queued = await client.submit(slow_prompt(30)), await client.submit(slow_prompt(0))
        document = (await client.cancel(queued)).json
        assert document["tokens_used"] == 0
        assert "estimated" not in document
        await client.cancel(first)

    in_a_world(scenario)
