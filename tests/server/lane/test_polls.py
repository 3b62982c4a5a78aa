"""Polls: one suite for the express lane and for plain Tornado, which must answer alike."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from importlib.util import find_spec
from typing import Any

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from accounts import ApiKeys
from notifications.vapid import new_private_key
from server.lane import learning_slots
from storage.redis_server import RedisServer
from tests.server.lane.conftest import ORIGIN, SECRET, House, lane, polled, until
from tests.support.rate_limit_fields import limit_of
from tests.support.raw_http import RawConnection, connected, document, new_task_id, poll, request
from tests.support.whole_server import BASE

# What a poll is answered with


@pytest.mark.gen_test
@pytest.mark.parametrize("status", ["queued", "processing", "completed", "failed"])
async def test_a_poll_is_answered_with_the_documents_own_bytes(house: House, status: str) -> None:
    task_id = await house.task(document(3, status, "Grüße"))
    async with connected(house.address) as wire:
        answers = await polled(house, wire, house.poll(task_id))
    assert {answer.body for answer in answers} == {document(3, status, "Grüße")}
    terminal = status in ("completed", "failed")
    assert [name for name, _ in answers[0].lines] == [
        *("Content-Type", "Date", "X-Request-Id", "Cache-Control", "X-Content-Type-Options"),
        *([] if terminal else ["Retry-After"]),
        "Content-Length",
    ]
    assert answers[0]["Cache-Control"] == "no-store"
    assert [answer.constant for answer in answers] == [answers[0].constant] * 4
    assert len({answer["X-Request-Id"] for answer in answers}) == 4
    assert house.by_lane == (3 if lane(house) else 0)


@pytest.mark.skipif(find_spec("pywebpush") is None, reason="pywebpush is an extra")
@pytest.mark.gen_test
@pytest.mark.settings(web_push={"private_key": new_private_key(), "subject": "mailto:ops@example.com", "unseen_s": 60})
async def test_a_poll_that_brings_the_end_withdraws_its_notification(house: House) -> None:
    first, task_id = await house.task(), await house.task(document(3, "completed"))
    key = house.storage.key(house.account_id, "delivery", f"push-{task_id}")
    await house.storage.redis.hset(key, "state", "pending")
    async with connected(house.address) as wire:
        await wire.ask(house.poll(first))
        before = house.by_lane
        assert (await wire.ask(house.poll(task_id))).body == document(3, "completed")
    assert house.by_lane - before == (1 if lane(house) else 0)
    async with asyncio.timeout(180):
        while await house.storage.redis.exists(key):  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)


@pytest.mark.gen_test
@pytest.mark.settings(server={"cors_allowed_origins": [ORIGIN]})
@pytest.mark.parametrize("origin", ["", ORIGIN, "https://evil.example"])
async def test_each_answer_has_the_cors_headers_of_its_origin(house: House, origin: str) -> None:
    task_id = await house.task()
    extra = (("Origin", origin),) if origin else ()
    async with connected(house.address) as wire:
        answers = await polled(house, wire, house.poll(task_id, *extra))
    for answer in answers:
        assert answer["Vary"] == "Origin"
        assert ("Access-Control-Allow-Origin" in answer) == (origin == ORIGIN)
    assert [answer.constant for answer in answers] == [answers[0].constant] * 4
    assert house.by_lane == (3 if lane(house) else 0)


@pytest.mark.gen_test
async def test_a_request_id_of_the_clients_own_is_always_echoed(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as wire:
        for number in range(8, 12):  # the length changes as well
            for name in ("X-Request-ID", "x-request-id"):
                answer = await wire.ask(house.poll(task_id, (name, f"mine-{number}"), ("DNT", "1")))
                assert answer["X-Request-Id"] == f"mine-{number}"
        for insane in ("a b", "x" * 65, "é"):
            answer = await wire.ask(house.poll(task_id, ("X-Request-ID", insane), ("DNT", "1")))
            assert (answer.status, len(answer["X-Request-Id"])) == (200, 16)
    assert house.by_lane == (6 if lane(house) else 0)


@pytest.mark.gen_test
async def test_what_proxies_and_tracing_add_does_not_matter(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as wire:
        for number in range(4):
            traced = ("traceparent", f"00-{number:032x}-{number:016x}-01")
            amazon = ("X-Amzn-Trace-Id", f"Root=1-{number:08x}-{number:024x};Sampled=1")
            ray = ("CF-Ray", f"{number:016x}-FRA")
            answer = await wire.ask(house.poll(task_id, traced, amazon, ("X-Request-ID", f"{number:032x}"), ray))
            assert (answer.status, answer["X-Request-Id"]) == (200, f"{number:032x}")
        twice = await wire.ask(house.poll(task_id, ("X-Request-ID", "a"), ("X-Request-ID", "b")))
        assert (twice.status, len(twice["X-Request-Id"])) == (200, 16)
    assert house.by_lane == (3 if lane(house) else 0)


@pytest.mark.gen_test
async def test_the_next_task_of_the_same_browser_needs_no_second_look_at_its_headers(house: House) -> None:
    tasks = [await house.task() for _ in range(5)]
    async with connected(house.address) as wire:
        for task_id in tasks:
            assert (await wire.ask(house.poll(task_id))).status == 200
    assert house.by_lane == (4 if lane(house) else 0)


@pytest.mark.gen_test
async def test_every_change_is_seen_by_the_next_poll_but_for_a_moment(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as wire:
        for version in range(2, 20):
            await house.write(task_id, document(version))
            written, seen = time.monotonic(), 0
            while seen != version:
                asked = time.monotonic()
                seen = json.loads((await wire.ask(house.poll(task_id))).body)["version"]
                assert seen == version or (seen == version - 1 and asked - written < 1)


# Who may not


@pytest.mark.gen_test
async def test_unknown_and_foreign_tasks_cannot_be_told_apart(house: House) -> None:
    mine, foreign = await house.task(), new_task_id()
    await house.write(foreign, document(), account_id="somebody")
    async with connected(house.address) as wire:
        for _ in range(3):
            assert (await wire.ask(house.poll(mine))).status == 200
            answers = [await wire.ask(house.poll(task_id)) for task_id in (foreign, new_task_id(), "x" * 36)]
            assert {answer.status for answer in answers} == {404}
            assert answers[0].constant == answers[1].constant == answers[2].constant
            for answer in answers:
                assert json.loads(answer.body).items() >= {"status": "failed", "progress": 100}.items()
    assert house.by_lane == (8 if lane(house) else 0)  # all but what made it known, and the three that are no id


@pytest.mark.gen_test
async def test_a_document_that_is_missing_is_made_of_the_record_of_its_unfinished_task(house: House) -> None:
    redis, known, task_id = house.storage.redis, await house.task(), new_task_id()
    record = house.storage.key(house.account_id, "task", task_id)
    made: dict[Any, Any] = {"id": task_id, "created_at": "2025-01-10T12:00:00Z", "attempt": 1, "version": 7}
    async with connected(house.address) as wire:
        assert (await wire.ask(house.poll(known))).status == 200
        await redis.hset(record, mapping={**made, "stage": "waiting", "progress": 70})
        answer = await wire.ask(house.poll(task_id))
        assert answer.status == 200
        expected = {"status": "processing", "progress": 70, "stage": "waiting", "version": 8}
        assert json.loads(answer.body).items() >= expected.items()
        await redis.hset(record, mapping={"stage": "not ours", "progress": 70})
        await redis.delete(house.storage.key(house.account_id, "status", task_id))
        await until_answered(wire, house.poll(task_id), 503)
        assert "Retry-After" in await wire.ask(house.poll(task_id))
        await redis.hset(record, mapping={"stage": "completed", "closed": "completed"})
        assert (await wire.ask(house.poll(task_id))).status == 404


async def until_answered(wire: RawConnection, poll: bytes, status: int) -> None:
    while (await wire.ask(poll)).status != status:
        pass


@pytest.mark.gen_test
async def test_a_task_is_gone_when_it_expires(house: House) -> None:
    task_id = new_task_id()
    await house.write(task_id, document(), ttl_s=0.5)
    written = time.monotonic()
    async with connected(house.address) as wire:
        asked = written
        while (answer := await wire.ask(house.poll(task_id))).status == 200:
            assert asked - written < 0.51
            asked = time.monotonic()
        assert answer.status == 404
        assert time.monotonic() - written > 0.4


@pytest.mark.gen_test
@pytest.mark.settings(identity={"key_recheck_s": 0.6})
async def test_a_revoked_key_is_refused_within_its_recheck(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as wire:
        await polled(house, wire, house.poll(task_id))
        await ApiKeys(house.storage).revoke(house.account_id, house.key_id)
        revoked = time.monotonic()
        asked = revoked
        while (answer := await wire.ask(house.poll(task_id))).status == 200:
            assert asked - revoked < 0.7
            asked = time.monotonic()
        assert answer.status == 401
        assert json.loads(answer.body).items() >= {"status": "failed", "progress": 100}.items()
        assert (await wire.ask(house.poll(task_id))).status == 401


@pytest.mark.gen_test
@pytest.mark.settings(identity={"key_recheck_s": 0.4})
async def test_a_good_key_is_rechecked_without_leaving_the_lane(house: House) -> None:
    task_id = await house.task()
    begun = time.monotonic()
    async with connected(house.address) as wire:
        asked = 0
        while time.monotonic() - begun < 1.5:
            assert (await wire.ask(house.poll(task_id))).status == 200
            asked += 1
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # long enough for the credential to be due when the next poll comes
        assert (await wire.ask(house.poll(task_id))).status == 200
    assert house.by_lane == (asked if lane(house) else 0)


@pytest.mark.gen_test
@pytest.mark.settings(identity={"jwt": {"algorithm": "HS256", "secret": SECRET, "leeway_s": 0}})
async def test_an_expired_token_is_refused(house: House) -> None:
    task_id = await house.task()
    expires_at = int(time.time()) + 2
    token = jwt.encode({"sub": house.account_id, "exp": expires_at}, SECRET, "HS256")
    async with connected(house.address) as wire:
        asked = 0.0
        while (answer := await wire.ask(poll(task_id, f"Bearer {token}"))).status == 200:
            assert asked < expires_at + 0.01
            asked = time.time()
        assert answer.status == 401
        assert time.time() >= expires_at


@pytest.mark.gen_test
async def test_credentials_that_nobody_can_check_now_hold_up_nobody_else(
    house: House, silent_jwks_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_slots, "SLOTS", 2)
    task_id = await house.task()
    key = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode({"sub": "a", "exp": time.time() + 60}, key, "ES256", {"kid": "unheard of"})
    async with contextlib.AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(connected(house.address)) for _ in range(4)]
        waiting = [asyncio.ensure_future(wire.ask(poll(task_id, f"Bearer {token}"))) for wire in wires]
        other = await stack.enter_async_context(connected(house.address))
        assert (await other.ask(house.poll(task_id))).status == 200
        assert not any(each.done() for each in waiting), "a look at the provider takes longer"
        assert {answer.status for answer in await asyncio.gather(*waiting)} == {503}


@pytest.mark.gen_test
@pytest.mark.settings(limits={"polls_per_second_per_account": 10})
async def test_who_polls_too_often_gets_429_and_may_again_later(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as wire, connected(house.address) as other:
        began = time.monotonic()
        answers = [await each.ask(house.poll(task_id)) for _ in range(20) for each in (wire, other)]
        assert 10 <= sum(answer.status == 200 for answer in answers) <= 11 + 10 * (time.monotonic() - began)
        refused = [answer for answer in answers if answer.status == 429]
        assert {str(answer.constant) for answer in refused} == {str(refused[0].constant)}
        body = json.loads(refused[-1].body)
        assert body["error_code"] == "too_many_polls"
        assert body["progress"] == 50, "the bar of a client that knows only documents stays where it is"
        assert "status" not in body, "and it polls on"
        assert body["request_id"] == refused[-1]["X-Request-Id"]
        assert refused[-1]["Retry-After"] == "1"
        fields = {name: refused[-1][name] for name in ("Retry-After", "RateLimit-Policy", "RateLimit")}
        assert limit_of(fields) == ("polls", {"q": 10, "w": 1, "r": 0, "t": 1})
        assert not any(
            "RateLimit" in answer or "RateLimit-Policy" in answer for answer in answers if answer.status == 200
        )
        await asyncio.sleep(0.25)
        assert (await wire.ask(house.poll(task_id))).status == 200


# One connection, many kinds of requests


@pytest.mark.gen_test
async def test_submits_and_polls_share_a_connection(house: House) -> None:
    body = json.dumps({"manual_prompt": "Answer questions about our bakery."}).encode()
    extra = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    submit = request("POST", f"{BASE}/generate-prompt-async/", house.authorization, *extra) + body
    async with connected(house.address) as wire:
        started = await wire.ask(submit)
        assert started.status == 202
        task_id = json.loads(started.body)["task_id"]
        for _ in range(3):
            assert {(await wire.ask(house.poll(task_id))).status for _ in range(10)} == {200}
            assert (await wire.ask(request("GET", "/api/v1/account/", house.authorization))).status == 200
        if lane(house):
            assert house.by_lane >= 27


@pytest.mark.gen_test
async def test_a_poll_in_pieces_and_polls_in_one_piece_are_answered(house: House) -> None:
    task_id = await house.task()
    whole = house.poll(task_id)
    async with connected(house.address) as wire:
        expected = (await polled(house, wire, whole))[0].constant
        for cut in (1, 4, 60, len(whole) - 3, len(whole) - 1):
            assert (await wire.ask(whole[:cut], whole[cut:])).constant == expected
            assert (await wire.ask(whole)).constant == expected
        for count in (2, 3, 10):
            wire.writer.write(whole * count)
            assert [(await wire.answer()).constant for _ in range(count)] == [expected] * count
        health = request("GET", "/health/live", "none")
        wire.writer.write(whole + health + whole + whole[:9])
        assert [(await wire.answer()).status for _ in range(3)] == [200, 200, 200]
        assert (await wire.ask(whole[9:])).constant == expected


@pytest.mark.gen_test
async def test_a_client_that_wants_to_close_is_let_go(house: House) -> None:
    task_id = await house.task()
    for _ in range(2):
        async with connected(house.address) as wire:
            closing = house.poll(task_id).replace(b"Connection: keep-alive", b"Connection: close")
            assert (await wire.ask(closing)).status == 200
            assert await wire.ended() == b""
        async with connected(house.address) as wire:
            assert (await wire.ask(house.poll(task_id).replace(b"HTTP/1.1", b"HTTP/1.0", 1))).status == 200
        async with connected(house.address) as wire:
            old = house.poll(task_id).replace(b"HTTP/1.1", b"HTTP/1.0", 1).replace(b"Connection: keep-alive\r\n", b"")
            assert (await wire.ask(old)).status == 200
            assert await wire.ended() == b""
    await until(lambda: not len(house.service.connections))


@pytest.mark.gen_test
@pytest.mark.settings(server={"memo_entries": 10})
async def test_the_memo_is_bounded_and_keeps_clients_that_poll(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as wire, connected(house.address) as stranger:
        await polled(house, wire, house.poll(task_id), times=2)
        for number in range(100):
            assert (await stranger.ask(house.poll(task_id, ("Cookie", f"once={number}")))).status == 200
            assert (await wire.ask(house.poll(task_id))).status == 200
    assert len(house.service.polls.cache) <= 10
    if lane(house):
        assert house.by_lane == 101


@pytest.mark.gen_test
async def test_without_redis_terminal_documents_are_still_answered(house: House, redis_server: RedisServer) -> None:
    ended, running = await house.task(document(7, "completed")), await house.task()
    async with connected(house.address) as wire:
        await polled(house, wire, house.poll(ended), house.poll(running))
        redis_server.kill()
        try:
            async with asyncio.timeout(180):
                while (answer := await wire.ask(house.poll(running))).status == 200:
                    pass
            assert (answer.status, answer["Retry-After"]) == (503, "2")
            body = json.loads(answer.body)
            assert (body["progress"], body.get("status")) == (50, None), "polling goes on, and no bar falls"
            assert (await wire.ask(house.poll(ended))).status == 200
        finally:
            redis_server.start()


@pytest.mark.gen_test
async def test_polls_are_counted_and_logged_in_batches(house: House) -> None:
    task_id = await house.task()
    with structlog.testing.capture_logs() as lines:
        async with connected(house.address) as wire:
            await polled(house, wire, house.poll(task_id))
            metrics = (await wire.ask(request("GET", "/metrics", "none"))).body.decode()
        if lane(house):
            await until(lambda: any(line["event"] == "polls" for line in lines))
            batch = [line for line in lines if line["event"] == "polls"]
            assert sum(line["found"] for line in batch) == 3
            assert batch[-1]["sample"].endswith(f"{{{house.account_id}}}:status:{task_id}")
    by_handler = 1 if lane(house) else 4
    assert f'prompt_polls_total{{served_by="handler",status="200"}} {by_handler}.0' in metrics
    assert f'prompt_polls_total{{served_by="lane",status="200"}} {4 - by_handler}.0' in metrics
