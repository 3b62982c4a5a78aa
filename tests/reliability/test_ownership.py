"""Who runs a task: leases, takeovers, fences, the reaper. Real processes, real signals, short leases."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from functools import partial
from typing import Any

import pytest

from generation.lease_index import SHARDS, LeaseIndex
from tests.chaos.world import REAL_LEASES, World
from tests.support.judged_world import PROMPT, at_progress, in_a_world, slow_prompt

pytestmark = pytest.mark.slow

BLOCKED_S = 10.0


HELD_S = 300.0  # longer than a test takes


async def hold_answers(world: World) -> None:
    """Let Gemini's answers wait until ``release_answers``; those that wait by then go on waiting."""
    await world.standin.behave(delay_s=HELD_S)


async def release_answers(world: World) -> None:
    await world.standin.behave()


def test_after_kill_9_a_restart_alone_is_enough() -> None:
    async def scenario(world: World) -> None:
        server = await world.serve()
        client = await world.client()
        await hold_answers(world)
        task_id = await client.submit(PROMPT)
        await at_progress(client, task_id, 70)
        await server.kill()
        await release_answers(world)
        await world.serve()
        final = await client.finished(task_id, within_s=30)
        assert (final["status"], final["attempt"]) == ("completed", 2)

    in_a_world(scenario)


def test_another_process_takes_over_and_the_sleeper_finds_itself_fenced_out() -> None:
    async def scenario(world: World) -> None:
        first = await world.serve()
        client = await world.client()
        await hold_answers(world)
        task_id = await client.submit(PROMPT)
        await at_progress(client, task_id, 70)
        await release_answers(world)
        await world.serve()
        first.freeze()
        final = await client.finished(task_id, within_s=30)
        assert (final["status"], final["attempt"]) == ("completed", 2)
        first.thaw()
        assert await client.poll(task_id, url=first.url) == final

    in_a_world(scenario)


def test_a_task_longer_than_its_lease_runs_once_while_its_process_lives() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        await world.serve()
        client = await world.client()
        final = await client.finished(await client.submit(slow_prompt(4)))
        assert final["attempt"] == 1

    in_a_world(scenario)


def test_with_the_default_lease_ten_seconds_of_standstill_cost_no_task() -> None:
    async def scenario(world: World) -> None:
        first, _other = await world.serve(), await world.serve()
        client = await world.client()
        tasks = [await client.submit(slow_prompt(BLOCKED_S + 2), url=first.url) for _ in range(3)]
        for task_id in tasks:
            await at_progress(client, task_id, 70)
        first.freeze()
        await asyncio.sleep(BLOCKED_S)  # what an IOLoop that is blocked for so long cannot do, a stopped process cannot
        first.thaw()
        for task_id in tasks:
            final = await client.finished(task_id, within_s=30)
            assert (final["status"], final["attempt"]) == ("completed", 1)

    in_a_world(scenario, **REAL_LEASES)


def _waits_for_gemini(attempt: int, document: dict[str, Any]) -> bool:
    return bool(document["attempt"] == attempt and document["progress"] >= 70)


def test_after_three_attempts_a_task_is_interrupted_and_pays_an_estimate_of_its_input() -> None:
    async def scenario(world: World) -> None:
        client = await world.client(tokens=1_000)
        server = await world.serve()
        await hold_answers(world)
        task_id = await client.submit(PROMPT)
        for attempt in (1, 2, 3):
            await client.finished(task_id, until=partial(_waits_for_gemini, attempt))
            await server.kill()
            server = await world.serve()
        final = await client.finished(task_id, within_s=30)
        assert (final["status"], final["error_code"]) == ("failed", "interrupted")
        assert (final["estimated"], final["tokens_used"] > 0) == (True, True)
        account = await world.accounts.show(client.account_id)
        assert (account.tokens_held, account.tokens_remaining) == (0, 1_000 - final["tokens_used"])

    in_a_world(scenario)


def test_a_takeover_that_ends_with_the_template_pays_an_estimate_of_the_request_that_was_lost() -> None:
    async def scenario(world: World) -> None:
        client = await world.client(tokens=1_000)
        server = await world.serve()
        await hold_answers(world)
        task_id = await client.submit(PROMPT)
        await at_progress(client, task_id, 70)
        await server.kill()
        await world.standin.behave(fault="overloaded")
        await world.serve()
        final = await client.finished(task_id, within_s=60)
        assert (final["status"], final["generated_by_ai"], final["attempt"]) == ("completed", False, 2)
        assert (final["estimated"], final["usage"]) == (True, {"input": final["tokens_used"]})
        entries, _ = await world.accounts.ledger(client.account_id)
        assert (entries[0].kind, entries[0].tokens, entries[0].estimated) == ("settle", final["tokens_used"], True)
        account = await world.accounts.show(client.account_id)
        assert (account.tokens_held, account.tokens_charged) == (0, final["tokens_used"])
        # The request of this one's only owner was refused by Gemini, which bills nothing for that.
        refused = await client.finished(await client.submit(PROMPT), within_s=60)
        assert (refused["generated_by_ai"], refused["tokens_used"], "estimated" in refused) == (False, 0, False)

    in_a_world(scenario)


def test_tasks_that_wait_in_queued_are_taken_over_too() -> None:
    async def scenario(world: World) -> None:
        server = await world.serve(limits__running_tasks_per_process=1)
        client = await world.client()
        await hold_answers(world)
        tasks = [await client.submit(PROMPT) for _ in range(3)]
        await server.kill()
        await release_answers(world)
        await world.serve()
        for task_id in tasks:
            assert (await client.finished(task_id, within_s=30))["status"] == "completed"

    in_a_world(scenario)


def index_of(world: World) -> LeaseIndex:
    return LeaseIndex(world.storage)


async def lose_the_leases(world: World) -> None:
    for shard in range(SHARDS):
        await world.storage.command("DEL", index_of(world).leases_key(shard))


def test_a_lost_lease_index_is_rebuilt_and_orphans_are_found() -> None:
    async def scenario(world: World) -> None:
        server = await world.serve()
        client = await world.client()
        await hold_answers(world)
        task_id = await client.submit(PROMPT)
        await at_progress(client, task_id, 70)
        await server.kill()
        await release_answers(world)
        await lose_the_leases(world)
        await world.serve()
        assert (await client.finished(task_id, within_s=30))["status"] == "completed"

    in_a_world(scenario)


def test_an_index_that_is_lost_while_a_process_lives_costs_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client()
        task_id = await client.submit(slow_prompt(2))
        await at_progress(client, task_id, 70)
        await lose_the_leases(world)
        final = await client.finished(task_id)
        assert (final["status"], final["attempt"]) == ("completed", 1)
        assert None not in (await index_of(world).due()).values()

    in_a_world(scenario)


def test_a_successor_has_the_tokens_counted_too_where_the_balance_covers_no_other_text_of_that_length() -> None:
    async def scenario(world: World) -> None:
        first = await world.serve(server__drain_timeout_s=0.5)
        client = await world.client(tokens=4_500)
        await hold_answers(world)
        task_id = await client.submit("We bake bread of rye and spelt each morning, and close when it is sold. " * 60)
        await at_progress(client, task_id, 70)
        await release_answers(world)
        await world.serve()
        assert await first.stop() == 0
        final = await client.finished(task_id)
        assert (final["attempt"], final["generated_by_ai"]) == (2, True), final

    in_a_world(scenario)


def test_sigterm_hands_tasks_over_at_once() -> None:
    async def scenario(world: World) -> None:
        first = await world.serve(server__drain_timeout_s=0.5)
        client = await world.client()
        await hold_answers(world)
        task_id = await client.submit(PROMPT)
        await at_progress(client, task_id, 70)
        await release_answers(world)
        await world.serve()
        assert await first.stop() == 0
        # The lease alone would have run for ten minutes, far longer than this waits.
        await client.finished(task_id, until=lambda document: document["attempt"] == 2)
        assert (await client.finished(task_id))["status"] == "completed"

    in_a_world(scenario, tasks__lease_s=600, tasks__renew_every_s=200, tasks__reap_every_s=200)


def test_a_process_that_drains_while_redis_is_away_names_each_task_that_it_could_not_hand_back() -> None:
    async def scenario(world: World) -> None:
        first = await world.serve(server__drain_timeout_s=0.1, redis__timeout_s=0.5)
        client = await world.client()
        await hold_answers(world)
        task_id = await client.submit(PROMPT)
        await at_progress(client, task_id, 70)
        await release_answers(world)
        os.kill(world.redis.pid, signal.SIGSTOP)
        try:
            assert await first.stop() == 0
        finally:
            os.kill(world.redis.pid, signal.SIGCONT)
        lines = [json.loads(line) for line in first.process.log().splitlines() if line.startswith("{")]
        [failed] = [line for line in lines if line["event"] == "task_hand_back_failed"]
        assert (failed["task_id"], failed["account_id"], failed["reason"]) == (task_id, client.account_id, "timeout")
        await world.serve()
        assert (await client.finished(task_id))["attempt"] == 2

    in_a_world(scenario)
