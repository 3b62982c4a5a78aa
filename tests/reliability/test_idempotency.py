"""One Idempotency-Key, one task: at once, from another process, after a restart."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.clients import START, Client
from tests.chaos.world import World
from tests.support.judged_world import in_a_world

pytestmark = pytest.mark.slow


async def submit(
    client: Client, key: str, prompt: str = "Answer for our bakery.", url: str = ""
) -> tuple[int, str, bool]:
    answer = await client.submit_once(prompt, url=url, headers={"Idempotency-Key": key})
    return answer.status, str(answer.json.get("task_id")), answer.headers.get("Idempotent-Replayed") == "true"


def test_fifty_identical_submits_at_once_over_two_processes_make_one_task() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        await world.serve()
        client = await world.client()
        answers = await asyncio.gather(*(submit(client, "key-1") for _ in range(50)))
        assert {status for status, _, _ in answers} == {202}
        assert len({task_id for _, task_id, _ in answers}) == 1
        assert sum(not replayed for _, _, replayed in answers) == 1
        await client.finished(answers[0][1])

    in_a_world(scenario)


def test_a_key_is_known_after_a_restart_and_its_answer_is_not_paid_again() -> None:
    async def scenario(world: World) -> None:
        first = await world.serve()
        client = await world.client()
        _, task_id, _ = await submit(client, "key-1")
        final = await client.finished(task_id)
        await first.kill()
        await world.serve()
        assert await submit(client, "key-1") == (202, task_id, True)
        sync = await client.ask(
            "POST",
            START.replace("-async", ""),
            {"manual_prompt": "Answer for our bakery."},
            headers={"Idempotency-Key": "key-1"},
        )
        assert (sync.status, sync.headers["Idempotent-Replayed"]) == (200, "true")
        assert sync.json["prompt"] == final["prompt"]
        account = await world.accounts.show(client.account_id)
        assert account.tokens_charged == final["tokens_used"]

    in_a_world(scenario)


def test_a_key_belongs_to_one_body_and_one_account() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client, other = await world.client(), await world.client()
        _, task_id, _ = await submit(client, "key-1")
        answer = await client.submit_once("Another prompt.", headers={"Idempotency-Key": "key-1"})
        assert (answer.status, answer.json["error_code"]) == (422, "idempotency_key_reused")
        status, others_task, replayed = await submit(other, "key-1")
        assert (status, replayed) == (202, False)
        assert others_task != task_id
        for key in ("", "a b", "x" * 256, "ä"):
            answer = await client.submit_once("x", headers={"Idempotency-Key": key})
            assert (answer.status, answer.json["error_code"]) == (400, "invalid_idempotency_key")
        await client.finished(task_id)
        await other.finished(others_task)

    in_a_world(scenario)
