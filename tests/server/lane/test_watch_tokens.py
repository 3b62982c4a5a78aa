"""A header block with a watch token answers for one task, whoever asks for which."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from accounts import WatchTokens
from accounts.watch_tokens import WATCH_TOKEN_PREFIX
from storage.redis_server import RedisServer
from tests.server.lane.conftest import House, lane
from tests.support.raw_http import RawConnection, connected, document, new_task_id, poll

SECRET_WORD = "another task's prompt"


async def watch_header(house: House, task_id: str, lasts_s: float = 900) -> str:
    return "Bearer " + (await WatchTokens(house.storage).signer()).make(house.account_id, task_id, lasts_s)


@pytest.mark.gen_test
async def test_the_polls_of_a_watch_token_are_answered_in_the_lane(house: House) -> None:
    task_id = await house.task()
    header = await watch_header(house, task_id)
    assert header.startswith(f"Bearer {WATCH_TOKEN_PREFIX}")
    async with connected(house.address) as wire:
        for _ in range(5):
            answer = await wire.ask(poll(task_id, header))
            assert (answer.status, answer.body) == (200, document())
    assert house.by_lane == (4 if lane(house) else 0)


@pytest.mark.gen_test
async def test_a_learnt_block_with_a_watch_token_never_reveals_another_task_of_the_account(house: House) -> None:
    watched, other, unread = await house.task(), await house.task(document(7, text=SECRET_WORD)), new_task_id()
    await house.write(unread, document(9, text=SECRET_WORD))
    header = await watch_header(house, watched)
    async with connected(house.address) as wire, connected(house.address) as second:
        assert (await wire.ask(house.poll(other))).status == 200, "the copy has it"
        assert (await wire.ask(poll(watched, header))).status == 200, "the block is learnt"
        for asking in (wire, second):
            for task_id in (other, unread, new_task_id()):
                refused = [await asking.ask(poll(task_id, header)) for _ in range(3)]
                assert {answer.status for answer in refused} == {404}
                assert {json.loads(answer.body)["error_code"] for answer in refused} == {"task_not_found"}
                assert SECRET_WORD.encode() not in b"".join(answer.body for answer in refused)
            assert (await asking.ask(poll(watched, header))).body == document()


@pytest.mark.gen_test
async def test_a_block_that_was_learnt_from_a_refusal_still_answers_for_its_own_task_alone(house: House) -> None:
    watched, other = await house.task(), await house.task(document(7, text=SECRET_WORD))
    header = await watch_header(house, watched)
    async with connected(house.address) as wire:
        for _ in range(3):
            assert (await wire.ask(poll(other, header))).status == 404
            assert (await wire.ask(poll(watched, header))).body == document()
            assert (await wire.ask(house.poll(other))).status == 200


@pytest.mark.gen_test
@pytest.mark.settings(limits={"polls_per_second_per_account": 5})
async def test_a_watch_token_over_the_limit_learns_no_progress_of_another_task(house: House) -> None:
    watched, other = await house.task(), await house.task()
    header = await watch_header(house, watched)
    async with connected(house.address) as wire:
        answers = [await wire.ask(poll(watched, header)) for _ in range(30)]
        assert 429 in {answer.status for answer in answers}
        refused = await wire.ask(poll(other, header))
        assert json.loads(refused.body).get("progress") in (None, 100), "100 goes with every 404"


async def refused_by_503(wire: RawConnection, request: bytes) -> Any:
    """Poll until Redis is missed, and return the refusal's body."""
    async with asyncio.timeout(180):
        while (answer := await wire.ask(request)).status in (200, 404):
            pass
    assert answer.status == 503
    return json.loads(answer.body)


@pytest.mark.gen_test
async def test_without_redis_a_watch_token_learns_its_own_progress_and_no_other(
    house: House, redis_server: RedisServer
) -> None:
    watched, other = await house.task(), await house.task()
    header = await watch_header(house, watched)
    async with connected(house.address) as wire:
        for request in (house.poll(other), poll(watched, header), poll(other, header)) * 2:
            await wire.ask(request)
        redis_server.kill()
        try:
            assert (await refused_by_503(wire, poll(watched, header)))["progress"] == 50
            refused = await wire.ask(poll(other, header))
            assert (refused.status, json.loads(refused.body)["progress"]) == (404, 100), "nobody needs Redis for that"
            assert (await refused_by_503(wire, house.poll(other)))["progress"] == 50, "this process knows it"
        finally:
            redis_server.start()


@pytest.mark.gen_test
@pytest.mark.settings(identity={"remembered_tokens": 1})
async def test_a_watch_token_that_cannot_be_checked_without_redis_learns_its_own_progress_and_no_other(
    house: House, redis_server: RedisServer
) -> None:
    watched, other = await house.task(), await house.task()
    header = await watch_header(house, watched)
    async with connected(house.address) as wire:
        for request in (poll(watched, header), poll(other, header), house.poll(other)):
            await wire.ask(request)  # the last one takes the only place among remembered tokens
        redis_server.kill()
        try:
            own = await refused_by_503(wire, poll(watched, header))
            assert own.get("progress") == (50 if lane(house) else None), "only the lane remembers whose block it was"
            if lane(house):
                refused = await wire.ask(poll(other, header))
                assert (refused.status, json.loads(refused.body)["progress"]) == (404, 100)
            else:
                assert "progress" not in await refused_by_503(wire, poll(other, header))
        finally:
            redis_server.start()


@pytest.mark.gen_test
async def test_an_expired_watch_token_is_refused(house: House) -> None:
    task_id = await house.task()
    begun = int(time.time())
    header = await watch_header(house, task_id, 2)
    async with connected(house.address) as wire:
        asked = 0.0
        while (answer := await wire.ask(poll(task_id, header))).status == 200:
            assert asked < begun + 3.01
            asked = time.time()
        assert answer.status == 401
        assert time.time() >= begun + 2
