"""Refusals: the lane sends them as the handler does; a connection that gets nothing else is closed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import jwt
import pytest

from accounts import Accounts, AdminKeys, api_keys
from accounts.api_keys import generate_key
from server.lane import header_cache
from tests.server.lane.conftest import ORIGIN, SECRET, House, lane, polled
from tests.support.raw_http import RawAnswer, connected, document, new_task_id, poll, request
from tests.support.whole_server import BASE

WRONG_CREDENTIALS: dict[str, Callable[[], str]] = {
    "unknown key": lambda: f"Bearer {generate_key()}",
    "mistyped key": lambda: "Bearer pg_mistyped",
    "other scheme": lambda: "Basic dXNlcjpwYXNz",
    "expired token": lambda: f"Bearer {jwt.encode({'sub': 'a', 'exp': time.time() - 60}, SECRET, 'HS256')}",
}


def lane_refusals(house: House) -> int:
    return house.service.polls.counts.get(("lane", "401"), 0)


async def reads_of_redis(house: House) -> int:
    commands = await house.storage.redis.info("commandstats")
    return int(commands.get("cmdstat_get", {"calls": 0})["calls"])


@pytest.mark.gen_test
@pytest.mark.settings(
    identity={"jwt": {"algorithm": "HS256", "secret": SECRET}}, server={"cors_allowed_origins": [ORIGIN]}
)
@pytest.mark.parametrize("credential", sorted(WRONG_CREDENTIALS))
async def test_a_wrong_credential_is_refused_alike_each_time_and_soon_without_the_handler(
    house: House, credential: str
) -> None:
    task_id, authorization = await house.task(), WRONG_CREDENTIALS[credential]()
    async with connected(house.address) as wire:
        answers = await polled(house, wire, poll(task_id, authorization, ("Origin", ORIGIN)))
        mine = await wire.ask(poll(task_id, authorization, ("Origin", ORIGIN), ("X-Request-ID", "mine-1")))
    assert {answer.status for answer in answers} == {401}
    assert [answer.constant for answer in answers] == [answers[0].constant] * 4
    assert answers[-1]["Www-Authenticate"].startswith("Bearer")
    assert answers[-1]["Access-Control-Allow-Origin"] == ORIGIN
    body = json.loads(answers[-1].body)
    assert body.items() >= {"status": "failed", "progress": 100, "error_code": "unauthorized"}.items()
    assert body["request_id"] == answers[-1]["X-Request-Id"]
    assert json.loads(mine.body)["request_id"] == "mine-1"
    assert lane_refusals(house) == (3 if lane(house) else 0)


@pytest.mark.gen_test
async def test_a_poll_without_a_credential_is_refused_without_the_handler(house: House) -> None:
    bare = poll(await house.task(), "none").replace(b"Authorization: none\r\n", b"")
    async with connected(house.address) as wire:
        answers = await polled(house, wire, bare)
    assert [answer.constant for answer in answers] == [answers[0].constant] * 4
    assert answers[0].status == 401
    assert lane_refusals(house) == (3 if lane(house) else 0)


@pytest.mark.gen_test
async def test_a_new_key_works_at_once_whatever_was_refused_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the very key that was refused a moment ago, which no random key ever was."""
    task_id, key = await house.task(), generate_key()
    admin = f"Bearer {(await AdminKeys(house.storage).create('shop')).key}"
    monkeypatch.setattr(api_keys, "generate_key", lambda: key)
    async with connected(house.address) as wire:
        assert {answer.status for answer in await polled(house, wire, poll(task_id, f"Bearer {key}"))} == {401}
        path, body = f"/api/v1/admin/accounts/{house.account_id}/keys/", b'{"label":"new"}'
        extra = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
        assert (await wire.ask(request("POST", path, admin, *extra) + body)).status == 201
        assert {answer.status for answer in await polled(house, wire, poll(task_id, f"Bearer {key}"))} == {200}


@pytest.mark.gen_test
@pytest.mark.settings(
    identity={"jwt": {"algorithm": "HS256", "secret": SECRET, "leeway_s": 0}}, server={"refusals_in_a_row": 0}
)
async def test_a_token_that_is_not_valid_yet_works_when_it_is(house: House) -> None:
    task_id, valid_from = await house.task(), int(time.time()) + 2
    claims = {"sub": house.account_id, "nbf": valid_from, "exp": valid_from + 60}
    early = poll(task_id, f"Bearer {jwt.encode(claims, SECRET, 'HS256')}")
    async with connected(house.address) as wire:
        asked = 0.0
        while (answer := await wire.ask(early)).status == 401:
            assert asked < valid_from + 0.5
            asked = time.time()
        assert answer.status == 200


@pytest.mark.gen_test
@pytest.mark.settings(
    identity={"jwt": {"algorithm": "HS256", "secret": SECRET}, "new_accounts": {"create_on_first_use": False}}
)
async def test_a_token_whose_account_is_made_a_moment_later_works_at_once(house: House) -> None:
    task_id = new_task_id()
    await house.write(task_id, document(), account_id="newcomer")
    token = jwt.encode({"sub": "newcomer", "exp": time.time() + 60}, SECRET, "HS256")
    async with connected(house.address) as wire:
        answers = await polled(house, wire, poll(task_id, f"Bearer {token}"))
        assert {answer.status for answer in answers} == {403}
        await Accounts(house.storage).create(account_id="newcomer", tokens=1, subscription_days=1)
        assert (await wire.ask(poll(task_id, f"Bearer {token}"))).status == 200


@pytest.mark.gen_test
async def test_a_flood_of_wrong_keys_takes_bounded_memory_and_drives_nobody_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(header_cache, "REFUSED_BLOCKS", 10)
    task_id = await house.task()
    async with connected(house.address) as wire, connected(house.address) as stranger:
        await polled(house, wire, house.poll(task_id), times=2)
        before = len(house.service.polls.cache)
        for _ in range(30):
            assert (await stranger.ask(poll(task_id, f"Bearer {generate_key()}"))).status == 401
        by_lane = house.by_lane
        assert (await wire.ask(house.poll(task_id))).status == 200
        assert len(house.service.polls.cache) <= before + 10
        assert house.by_lane == by_lane + (1 if lane(house) else 0)


@pytest.mark.gen_test
@pytest.mark.settings(limits={"polls_per_second_per_account": 0.01})
async def test_an_ordinary_429_teaches_the_lane_as_any_other_answer(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as wire:
        assert (await wire.ask(house.poll(task_id))).status == 200
        new = house.poll(task_id, ("Cookie", "a new header block=1"))
        answers = await polled(house, wire, new)
    assert {answer.status for answer in answers} == {429}
    assert [answer.constant for answer in answers] == [answers[0].constant] * 4
    assert answers[-1]["Ratelimit-Policy"] == '"polls";q=1;w=100'
    assert house.by_lane == (3 if lane(house) else 0)


@pytest.mark.gen_test
@pytest.mark.settings(limits={"polls_per_second_per_account": 0.01})
async def test_over_the_limit_redis_is_not_asked(house: House) -> None:
    async with connected(house.address) as wire:
        assert (await wire.ask(house.poll(new_task_id()))).status == 404
        reads = await reads_of_redis(house)
        assert {(await wire.ask(house.poll(new_task_id()))).status for _ in range(10)} == {429}
        assert await reads_of_redis(house) == reads


@pytest.mark.gen_test
@pytest.mark.settings(server={"refusals_in_a_row": 5})
@pytest.mark.parametrize(
    "refused",
    [
        "wrong key",
        "unknown task",
        "unknown path",
        "another method",
        "a wrong key's submit",
        "an empty submit",
        "an unknown task's events",
        "an unknown task's cancel",
        "an admin's path",
    ],
)
async def test_a_connection_that_is_refused_again_and_again_is_closed_with_an_answer(
    house: House, refused: str
) -> None:
    wrong_key, tasks = f"Bearer {generate_key()}", f"{BASE}/generate-prompt-async/"
    asked = {
        "wrong key": poll(new_task_id(), wrong_key),
        "unknown task": house.poll(new_task_id()),
        "unknown path": request("GET", "/nothing", house.authorization),
        "another method": request("DELETE", "/health/live", house.authorization),
        "a wrong key's submit": request("POST", tasks, wrong_key, ("Content-Length", "2")) + b"{}",
        "an empty submit": request("POST", tasks, house.authorization, ("Content-Length", "2")) + b"{}",
        "an unknown task's events": request("GET", f"{tasks}events/{new_task_id()}/", house.authorization),
        "an unknown task's cancel": request(
            "POST", f"{tasks}cancel/{new_task_id()}/", house.authorization, ("Content-Length", "0")
        ),
        "an admin's path": request("GET", "/api/v1/admin/accounts/", house.authorization),
    }[refused]
    async with connected(house.address) as wire:
        answers: list[RawAnswer] = []
        while not answers or "Connection" not in answers[-1]:
            answers.append(await wire.ask(asked))
            assert len(answers) <= 6
        assert answers[-1]["Connection"] == "close"
        assert len({answer.status for answer in answers}) == 1, "the last is told why as well"
        assert len(answers) >= 5
        assert await wire.ended() == b""


@pytest.mark.gen_test
@pytest.mark.settings(server={"refusals_in_a_row": 3})
async def test_what_comes_behind_the_last_refusal_takes_it_from_nobody(house: House) -> None:
    """A socket that is closed with unread bytes is reset, and the answer could be lost with it."""
    asked = house.poll(new_task_id())
    async with connected(house.address) as wire:
        wire.writer.write(asked * 20)
        answers: list[RawAnswer] = []
        while not answers or "Connection" not in answers[-1]:
            answers.append(await wire.answer())
        assert {answer.status for answer in answers} == {404}
        assert await wire.ended() == b""


@pytest.mark.gen_test
@pytest.mark.settings(server={"refusals_in_a_row": 3})
async def test_a_connection_with_good_answers_between_stays(house: House) -> None:
    known, unknown = await house.task(), new_task_id()
    async with connected(house.address) as wire:
        answers = await polled(house, wire, house.poll(unknown), house.poll(unknown), house.poll(known), times=10)
        assert [answer.status for answer in answers] == [404, 404, 200] * 10
        assert not any("Connection" in answer for answer in answers)


@pytest.mark.gen_test
@pytest.mark.settings(server={"refusals_in_a_row": 0})
async def test_without_the_limit_no_refusal_ends_a_connection(house: House) -> None:
    async with connected(house.address) as wire:
        answers = await polled(house, wire, house.poll(new_task_id()), times=120)
        assert {(answer.status, "Connection" in answer) for answer in answers} == {(404, False)}
