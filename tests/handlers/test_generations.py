"""The seed's endpoints over real HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from datetime import datetime
from typing import Any

import pytest
import structlog
from tornado.httpclient import AsyncHTTPClient

from accounts import Accounts, ApiKeys
from storage.storage import Storage
from tests.server.lane.conftest import until
from tests.support.rate_limit_fields import items, limit_of
from tests.support.storage import OpenStorage
from tests.support.topologies import until_true
from tests.support.whole_server import BASE, START, Client, make_client

MANUAL = "You are the assistant of Bakery Sonne, Main Street 5. Open 7-18. Call +49 30 1234567."


@pytest.mark.gen_test
async def test_starting_answers_with_the_five_fields_of_the_contract(client: Client) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL})
    assert answer.status == 202
    task_id = answer.json["task_id"]
    assert str(uuid.UUID(task_id)) == task_id
    assert answer.json == {
        "success": True,
        "task_id": task_id,
        "status": "queued",
        "message": "Prompt generation started. Use task_id to check status.",
        "status_url": f"{BASE}/generate-prompt-async/status/{task_id}/",
    }
    assert answer.headers["Location"] == answer.json["status_url"]
    assert answer.headers["Retry-After"] == "1"
    await client.finished(task_id)


@pytest.mark.gen_test
async def test_a_task_goes_through_every_stage_in_order(client: Client, storage: OpenStorage) -> None:
    task_id = await client.start(MANUAL)
    final = await client.finished(task_id)
    events: Any = await storage.redis.xrange(storage.key(client.account_id, "events", task_id))
    seen = [json.loads(fields[b"status"] or json.dumps(final)) for _id, fields in events if b"status" in fields]
    assert [(d["status"], d["progress"], d["message"]) for d in seen] == [
        ("queued", 0, "Task queued, waiting to start..."),
        ("processing", 10, "Initializing AI generation..."),
        ("processing", 30, "Checking tokens..."),
        ("processing", 50, "Generating enhanced prompt with AI..."),
        ("processing", 70, "Waiting for AI response..."),
        ("processing", 90, "Finalizing..."),
        ("completed", 100, "Prompt generated successfully"),
    ]
    assert {d["created_at"] for d in seen} == {final["created_at"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", final["completed_at"])
    assert final["generated_by_ai"] is True
    assert "+49 30 1234567" in final["prompt"]
    assert seen[-1] == final


@pytest.mark.gen_test
async def test_a_document_that_is_missing_is_written_again_while_its_task_is_unfinished(
    client: Client, storage: OpenStorage
) -> None:
    """Evicted, or deleted by hand: the next poll gets the task's current stage."""
    task_id = await client.start(f"{MANUAL} [[standin:delay=2]]")
    path = f"{BASE}/generate-prompt-async/events/{task_id}/"
    stream = asyncio.ensure_future(client.ask("GET", path))
    while (before := (await client.status(task_id, "?wait=5&after=4")).json)["progress"] < 70:
        pass
    waits = asyncio.ensure_future(client.status(task_id, f"?wait=20&after={before['version'] + 1}"))
    await storage.command("DEL", storage.key(client.account_id, "status", task_id))
    while (after := await client.status(task_id)).json.get("version") == before["version"]:  # noqa: ASYNC110  # the copy's second
        await asyncio.sleep(0.01)
    assert after.status == 200, after.body
    assert after.json == before | {"version": before["version"] + 1}
    waited = await waits
    assert (waited.status, waited.json["progress"] >= 90) == (200, True)
    final = await client.finished(task_id)
    assert (final["status"], final["generated_by_ai"]) == ("completed", True)
    assert json.loads(re.findall(r"event: status\ndata: (.*)", (await stream).body.decode())[-1]) == final
    await storage.command("DEL", storage.key(client.account_id, "status", task_id))
    await until_true(lambda: _is_missing(client, task_id))  # a result that is gone cannot be made of the record


async def _is_missing(client: Client, task_id: str) -> bool:
    return (await client.status(task_id)).status == 404


@pytest.mark.gen_test
async def test_the_charge_is_what_gemini_reports(client: Client, storage: OpenStorage) -> None:
    final = await client.finished(await client.start(MANUAL))
    account = await Accounts(storage).show(client.account_id)
    assert account.tokens_charged == final["tokens_used"] > 0
    assert account.tokens_held == 0
    assert account.tokens_remaining == 100_000 - final["tokens_used"]


@pytest.mark.gen_test
async def test_too_few_tokens_fail_with_the_sentence_of_the_contract(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    poor = await make_client(storage, http_client, base_url, tokens=250)
    final = await poor.finished(await poor.start(MANUAL))
    assert (final["status"], final["progress"], final["message"]) == ("failed", 100, "Insufficient tokens")
    assert final["error"] == "You need at least 700 tokens for prompt enhancement. Available: 250"
    assert final["error_code"] == "insufficient_tokens"


@pytest.mark.gen_test
async def test_without_a_subscription_a_task_fails(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    lapsed = await make_client(storage, http_client, base_url, tokens=5_000, subscription_days=0)
    final = await lapsed.finished(await lapsed.start(MANUAL))
    assert (final["status"], final["message"]) == ("failed", "Subscription is not active")
    assert "subscription" in final["error"].lower()


@pytest.mark.gen_test
async def test_when_gemini_fails_the_simple_combination_is_the_result(client: Client, storage: OpenStorage) -> None:
    final = await client.finished(await client.start(MANUAL + " [[standin:fault=api_key_invalid]]"))
    assert (final["status"], final["progress"]) == ("completed", 100)
    assert final["message"] == "Prompt generated (AI unavailable, using fallback)"
    assert final["generated_by_ai"] is False
    assert final["warning"]
    assert final["fallback_reason"].startswith("ai_")
    assert MANUAL in final["prompt"]
    assert (await Accounts(storage).show(client.account_id)).tokens_remaining == 100_000


@pytest.mark.gen_test
async def test_the_synchronous_endpoint_answers_with_the_prompt(client: Client) -> None:
    answer = await client.ask("POST", f"{BASE}/generate-prompt/", {"manual_prompt": MANUAL})
    assert answer.status == 200
    assert answer.json["success"] is True
    assert answer.json["generated_by_ai"] is True
    assert answer.json["message"] == "Prompt generated successfully"
    assert "Bakery Sonne" in answer.json["prompt"]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("account", "message", "code"),
    [
        ({"tokens": 250}, "Insufficient tokens", "insufficient_tokens"),
        ({"tokens": 9_000, "subscription_days": 0}, "Subscription is not active", "subscription_inactive"),
    ],
)
async def test_the_synchronous_endpoint_refuses_with_402(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, account: dict[str, Any], message: str, code: str
) -> None:
    refused = await make_client(storage, http_client, base_url, **account)
    answer = await refused.ask("POST", f"{BASE}/generate-prompt/", {"manual_prompt": MANUAL})
    assert answer.status == 402
    assert (answer.json["message"], answer.json["error_code"]) == (message, code)


@pytest.mark.gen_test
async def test_a_repeated_synchronous_request_whose_client_leaves_is_no_crash(client: Client, base_url: str) -> None:
    task_id = await client.start(MANUAL + " [[standin:fault=hang]]", Idempotency_Key="once")
    body = json.dumps({"manual_prompt": MANUAL + " [[standin:fault=hang]]"}).encode()
    head = (
        f"POST {BASE}/generate-prompt/ HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {client.api_key}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: once\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    host, port = base_url.removeprefix("http://").split(":")
    with structlog.testing.capture_logs() as lines:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + body)
        await writer.drain()
        await asyncio.sleep(0.3)  # it waits by then; if not, it goes all the same
        writer.close()
        await until(lambda: any(line["event"] == "request" and "/generate-prompt/" in line["path"] for line in lines))
    assert [line for line in lines if line["log_level"] == "error"] == []
    assert (await client.status(task_id)).json["status"] == "processing", "the first request's task goes on"
    await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")


async def left_waiting(client: Client, base_url: str, prompt: str) -> asyncio.StreamWriter:
    """Send a synchronous request, and return its connection when its task is there."""
    body = json.dumps({"manual_prompt": prompt}).encode()
    head = (
        f"POST {BASE}/generate-prompt/ HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {client.api_key}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: once\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    host, port = base_url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + body)
    await writer.drain()

    async def is_there() -> bool:
        return bool((await client.ask("GET", f"{BASE}/generate-prompt-async/")).json["tasks"])

    await until_true(is_there)
    return writer


@pytest.mark.gen_test
async def test_a_synchronous_request_goes_on_for_its_repetition_when_its_first_client_leaves(
    client: Client, base_url: str, storage: OpenStorage
) -> None:
    prompt = MANUAL + " [[standin:delay=2]]"
    writer = await left_waiting(client, base_url, prompt)
    body = {"manual_prompt": prompt}
    again = asyncio.create_task(
        client.ask("POST", f"{BASE}/generate-prompt/", body, headers={"Idempotency-Key": "once"})
    )
    [key] = [key async for key in storage.redis.scan_iter(match=f"{storage.prefix}:*:idempotency:*")]

    async def has_come() -> bool:
        return bool(await storage.redis.hget(key, "returned"))

    await until_true(has_come)
    writer.close()
    answer = await again
    assert (answer.status, answer.json["generated_by_ai"], answer.headers["Idempotent-Replayed"]) == (200, True, "true")


@pytest.mark.gen_test
async def test_a_synchronous_request_that_is_repeated_after_its_client_left_generates_anew(
    client: Client, base_url: str
) -> None:
    prompt = MANUAL + " [[standin:delay=1]]"
    writer = await left_waiting(client, base_url, prompt)
    writer.close()

    async def has_ended() -> bool:
        [task] = (await client.ask("GET", f"{BASE}/generate-prompt-async/")).json["tasks"]
        return bool(task["progress"] == 100)

    await until_true(has_ended)
    body, headers = {"manual_prompt": prompt}, {"Idempotency-Key": "once"}
    answer = await client.ask("POST", f"{BASE}/generate-prompt/", body, headers=headers)
    assert (answer.status, answer.json["generated_by_ai"]) == (200, True)


STAGES = ["queued", "initializing", "checking", "generating", "waiting", "finalizing", "completed"]


async def documents_of(client: Client, manual_prompt: str) -> list[dict[str, Any]]:
    """Generate, and return every version of the status document."""
    task_id = await client.start(manual_prompt)
    await client.finished(task_id)
    events = await client.ask("GET", f"{BASE}/generate-prompt-async/events/{task_id}/")
    return [json.loads(data) for data in re.findall(r"event: status\ndata: (.*)", events.body.decode())]


@pytest.mark.gen_test
async def test_documents_say_when_the_end_is_expected_once_enough_was_measured(client: Client) -> None:
    for _ in range(10):
        documents = await documents_of(client, MANUAL)
        assert [document["stage"] for document in documents] == STAGES
        assert not any("expected_at" in document for document in documents)
    documents = await documents_of(client, MANUAL + " [[standin:delay=0.5]]")
    told = [document["stage"] for document in documents if "expected_at" in document]
    assert told == ["generating", "waiting", "finalizing"]
    [expected] = {document["expected_at"] for document in documents if "expected_at" in document}
    expected_at, created_at = (datetime.fromisoformat(text) for text in (expected, documents[0]["created_at"]))
    assert 0 <= (expected_at - created_at).total_seconds() < 30


@pytest.mark.gen_test
async def test_paths_answer_without_their_trailing_slash_too(client: Client) -> None:
    answer = await client.ask("POST", START.rstrip("/"), {"manual_prompt": MANUAL})
    assert answer.status == 202
    status = await client.ask("GET", answer.json["status_url"].rstrip("/"))
    assert status.status == 200
    await client.finished(answer.json["task_id"])


@pytest.mark.gen_test
@pytest.mark.parametrize("task_id", [str(uuid.UUID(int=7)), "abc", "%00", "A" * 200, "..%2f..", "0-0"])
async def test_unknown_tasks_are_404(client: Client, task_id: str) -> None:
    answer = await client.status(task_id)
    assert answer.status == 404
    assert answer.json["message"] == "Task not found"


@pytest.mark.gen_test
async def test_somebody_elses_task_cannot_be_told_from_an_unknown_one(
    client: Client, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    task_id = await client.start(MANUAL)
    other = await make_client(storage, http_client, base_url, tokens=1_000)
    foreign, unknown = await other.status(task_id), await other.status(str(uuid.uuid4()))
    hidden = {"X-Request-Id", "Date"}
    assert foreign.status == unknown.status == 404
    assert {n: v for n, v in foreign.headers.items() if n not in hidden} == {
        n: v for n, v in unknown.headers.items() if n not in hidden
    }
    assert foreign.json | {"request_id": ""} == unknown.json | {"request_id": ""}
    await client.finished(task_id)


@pytest.mark.gen_test
async def test_polls_are_not_cached_and_say_when_to_come_again(client: Client) -> None:
    task_id = await client.start(MANUAL + " [[standin:delay=1]]")
    running = await client.status(task_id)
    assert running.headers["Cache-Control"] == "no-store"
    assert running.headers["Retry-After"] == "1"
    await client.finished(task_id)
    assert "Retry-After" not in (await client.status(task_id)).headers


@pytest.mark.gen_test
async def test_an_expired_task_is_404(client: Client, storage: OpenStorage) -> None:
    task_id = await client.start(MANUAL)
    await client.finished(task_id)
    key = storage.key(client.account_id, "status", task_id)
    assert 590 < await storage.redis.ttl(key) <= 600
    await storage.redis.pexpire(key, 1)
    while (await client.status(task_id)).status != 404:  # noqa: ASYNC110  # the expiry happens in Redis: no event
        await asyncio.sleep(0)


@pytest.mark.gen_test
async def test_waiting_answers_as_soon_as_the_document_changes(client: Client) -> None:
    task_id = await client.start(MANUAL + " [[standin:delay=0.5]]")
    version = 0
    versions = []
    while True:
        document = (await client.status(task_id, f"?wait=10&after={version}")).json
        versions.append(document["version"])
        version = document["version"]
        if document["status"] == "completed":
            break
    assert versions == sorted(set(versions))


@pytest.mark.gen_test
async def test_waiting_without_a_version_is_for_the_next_change(client: Client) -> None:
    task_id = await client.start(MANUAL + " [[standin:fault=hang]]")
    at_gemini = (await client.status(task_id, "?wait=20&after=4")).json
    waiting = asyncio.ensure_future(client.status(task_id, "?wait=20"))
    assert (await client.status(task_id, "?wait=1")).json == at_gemini
    assert not waiting.done()
    await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")
    assert (await waiting).json["status"] == "failed"


@pytest.mark.gen_test
@pytest.mark.parametrize("query", ["?wait=26", "?wait=-1", "?wait=x", "?wait=5&after=1.5", "?after=x", "?wait=²"])
async def test_a_wrong_wait_is_400(client: Client, query: str) -> None:
    answer = await client.status(str(uuid.uuid4()), query.replace("²", "%C2%B2"))
    assert (answer.status, answer.json["error_code"]) == (400, "invalid_parameter")


@pytest.mark.gen_test
async def test_the_list_has_the_newest_first_and_only_ones_own(
    client: Client, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    other = await make_client(storage, http_client, base_url, tokens=1_000)
    ids = [await client.start(f"{MANUAL} {number}") for number in range(3)]
    await other.start(MANUAL)
    for task_id in ids:
        await client.finished(task_id)
    listed = (await client.ask("GET", START)).json
    assert listed["success"] is True
    assert sorted(d["task_id"] for d in listed["tasks"]) == sorted(ids)
    created = [d["created_at"] for d in listed["tasks"]]
    assert created == sorted(created, reverse=True)


@pytest.mark.gen_test
async def test_the_list_comes_in_pages(client: Client) -> None:
    ids = [await client.start(MANUAL) for _ in range(5)]
    for task_id in ids:
        await client.finished(task_id)
    seen, query = [], "?limit=2"
    while query:
        page = (await client.ask("GET", START + query)).json
        assert len(page["tasks"]) <= 2
        seen += [document["task_id"] for document in page["tasks"]]
        query = f"?limit=2&before={page['next']}" if page["next"] else ""
    assert sorted(seen) == sorted(ids)
    for wrong in ("?limit=101", "?limit=x", "?before=x"):
        answer = await client.ask("GET", START + wrong)
        assert (answer.status, answer.json["error_code"]) == (400, "invalid_parameter")


@pytest.mark.gen_test
async def test_a_page_of_the_list_has_a_bounded_number_of_bytes(client: Client, storage: Storage) -> None:
    ids = [await client.start(MANUAL) for _ in range(4)]
    for task_id in ids:
        await client.finished(task_id)
        large = json.dumps({"status": "completed", "task_id": task_id, "prompt": "x" * 600_000})
        await storage.command("SET", storage.key(client.account_id, "status", task_id), large)
    seen: list[str] = []
    query: str | None = ""
    while query is not None:
        answer = await client.ask("GET", START + query)
        assert len(answer.body) < 1_100_000
        seen += [document["task_id"] for document in answer.json["tasks"]]
        query = f"?before={answer.json['next']}" if answer.json["next"] else None
    assert sorted(seen) == sorted(ids)


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0.1, "submits_burst_per_account": 2})
async def test_who_starts_too_fast_is_told_when_to_come_again(client: Client) -> None:
    for _ in range(2):
        await client.start(MANUAL)
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL})
    assert (answer.status, answer.json["error_code"]) == (429, "too_many_submits")
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    wait_s = int(answer.headers["Retry-After"])
    assert limit_of(answer.headers) == ("submits", {"q": 2, "w": 20, "r": 0, "t": wait_s})
    again = await client.ask("POST", START, {"manual_prompt": MANUAL})
    assert again.headers["RateLimit-Policy"] == answer.headers["RateLimit-Policy"], (
        "what is refused from memory says the same"
    )
    assert len((await client.ask("GET", START)).json["tasks"]) == 2


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0.0001, "submits_burst_per_account": 3})
async def test_who_starts_is_told_how_many_more_are_left(client: Client) -> None:
    for number, left in enumerate((2, 1, 0)):
        answer = await client.ask("POST", START, {"manual_prompt": MANUAL}, headers={"Idempotency-Key": str(number)})
        assert items(answer.headers["RateLimit-Policy"])["submits"] == {"q": 3, "w": 30_000}
        left_of_it = items(answer.headers["RateLimit"])["submits"]
        assert left_of_it["r"] == left
        assert 9_000 < int(left_of_it["t"]) <= 10_000, "one more, not all of them"
    fields = ("RateLimit-Policy", "RateLimit")
    last = {name: items(answer.headers[name]).keys() for name in fields}
    for body, status in (({"manual_prompt": MANUAL}, 202), ({"manual_prompt": "another"}, 422)):
        again = await client.ask("POST", START, body, headers={"Idempotency-Key": "0"})
        assert again.status == status
        assert {name: items(again.headers[name]).keys() for name in fields} == last, "the same limits"
        assert items(again.headers["RateLimit"])["submits"]["r"] == 0, "and nothing is taken"


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0.5, "submits_burst_per_account": 3})
async def test_who_has_all_submits_left_is_promised_no_more(client: Client, storage: Storage) -> None:
    key = {"Idempotency-Key": "once"}
    await client.finished((await client.ask("POST", START, {"manual_prompt": MANUAL}, headers=key)).json["task_id"])
    await storage.command("DEL", storage.key(client.account_id, "submits"))  # what two seconds do
    replay = await client.ask("POST", START, {"manual_prompt": MANUAL}, headers=key)
    assert items(replay.headers["RateLimit"])["submits"] == {"r": 3}


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0.0001, "submits_burst_per_account": 3})
async def test_a_synchronous_answer_tells_how_many_more_may_be_started_also_when_it_is_an_error(
    client: Client, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    poor = await make_client(storage, http_client, base_url, tokens=250)

    async def told(caller: Client, draft: str) -> tuple[int, dict[str, int | str]]:
        key = {"Idempotency-Key": "once"}
        answer = await caller.ask("POST", f"{BASE}/generate-prompt/", {"manual_prompt": draft}, headers=key)
        policy, left = items(answer.headers["RateLimit-Policy"]), items(answer.headers["RateLimit"])
        assert policy["submits"] == {"q": 3, "w": 30_000}
        assert policy.keys() == left.keys()
        return answer.status, {name: limit["r"] for name, limit in left.items()}

    assert await told(client, MANUAL) == (200, {"submits": 2}), "its task has ended: what was unfinished then is past"
    assert await told(client, MANUAL) == (200, {"submits": 2})
    assert await told(client, "another") == (422, {"submits": 2, "unfinished": 5})
    assert await told(poor, MANUAL) == (402, {"submits": 0}), "a submit that cannot be paid counts ten"


@pytest.mark.gen_test
@pytest.mark.settings(limits={"unfinished_tasks_per_account": 2})
async def test_who_starts_is_told_how_many_more_may_be_unfinished_until_none_may(client: Client) -> None:
    told = []
    for _ in range(3):
        answer = await client.ask("POST", START, {"manual_prompt": f"{MANUAL} [[standin:delay=60]]"})
        policy, left = items(answer.headers["RateLimit-Policy"]), items(answer.headers["RateLimit"])
        assert policy["unfinished"] == {"q": 2, "qu": "concurrent-requests"}
        assert policy.keys() == left.keys()
        told.append((answer.status, left["unfinished"]["r"], "submits" in left))
    assert told == [(202, 1, True), (202, 0, True), (429, 0, False)], "the last one names the limit that was met"
    for task in (await client.ask("GET", START)).json["tasks"]:
        await client.ask("POST", f"{START}cancel/{task['task_id']}/")


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0, "submits_burst_per_account": 20})
async def test_without_a_limit_of_submits_an_account_that_cannot_pay_still_has_one(
    client: Client, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    poor = await make_client(storage, http_client, base_url, tokens=699)
    first = await poor.ask("POST", START, {"manual_prompt": MANUAL})
    assert items(first.headers["RateLimit"])["submits"] == {"r": 1, "t": 1}, "of twenty, and each counts ten"
    assert items(first.headers["RateLimit-Policy"])["submits"] == {"q": 20, "w": 2}
    answers = [await poor.ask("POST", f"{BASE}/generate-prompt/", {"manual_prompt": MANUAL}) for _ in range(10)]
    assert answers[0].status == 402
    last = answers[-1]
    assert (last.status, last.json["error_code"]) == (429, "too_many_submits")
    assert 0 < int(last.headers["Retry-After"]) <= 1


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0})
async def test_without_a_limit_of_submits_none_is_named(client: Client) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL})
    assert answer.status == 202
    assert set(items(answer.headers["RateLimit-Policy"])) == {"unfinished"}


@pytest.mark.gen_test
@pytest.mark.settings(limits={"unfinished_tasks_per_account": 2})
async def test_one_unfinished_task_too_many_is_429(client: Client) -> None:
    ids = [await client.start(MANUAL + " [[standin:delay=1]]") for _ in range(2)]
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL})
    assert (answer.status, answer.json["error_code"]) == (429, "too_many_tasks")
    assert limit_of(answer.headers) == ("unfinished", {"q": 2, "qu": "concurrent-requests", "r": 0})
    assert int(answer.headers["Retry-After"]) > 0
    for task_id in ids:
        await client.finished(task_id)
    await client.finished(await client.start(MANUAL))


@pytest.mark.gen_test
@pytest.mark.settings(limits={"running_tasks_per_process": 1, "waiting_tasks_per_process": 1})
async def test_a_full_process_is_503_and_waiting_tasks_stay_queued(client: Client) -> None:
    first = await client.start(MANUAL + " [[standin:delay=1]]")
    second = await client.start(MANUAL)
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL})
    assert (answer.status, answer.json["error_code"]) == (503, "server_busy")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await client.status(second)).json["status"] == "queued"
    assert (await client.finished(first))["status"] == "completed"
    assert (await client.finished(second))["status"] == "completed"


BODIES = [
    (b"", "application/json", 400, "invalid_json"),
    (b"{", "application/json", 400, "invalid_json"),
    (b"[1]", "application/json", 400, "invalid_json"),
    (b'"text"', "application/json", 400, "invalid_json"),
    (b'{"manual_prompt": NaN}', "application/json", 400, "invalid_manual_prompt"),
    (b"\xff\xfe", "application/json", 400, "invalid_json"),
    (b"[" * 5_000, "application/json", 400, "invalid_json"),
    (b"{}", "application/json", 400, "manual_prompt_required"),
    (b'{"manual_prompt": ""}', "application/json", 400, "manual_prompt_required"),
    (b'{"manual_prompt": " \\n\\t "}', "application/json", 400, "manual_prompt_required"),
    (b'{"manual_prompt": 7}', "application/json", 400, "invalid_manual_prompt"),
    (b'{"manual_prompt": null}', "application/json", 400, "invalid_manual_prompt"),
    (b'{"manual_prompt": ["a"]}', "application/json", 400, "invalid_manual_prompt"),
    (b'{"manual_prompt": "a\\ud800b"}', "application/json", 400, "invalid_manual_prompt"),
    (b'{"manual_prompt": "a", "feedback": "\\ude00"}', "application/json", 400, "invalid_feedback"),
    (b'{"manual_prompt": "a", "business_type": "\\ud83d"}', "application/json", 400, "unknown_business_type"),
    (b'{"manual_prompt": "a", "metadata": {"\\ud83d": "b"}}', "application/json", 400, "invalid_metadata"),
    (b'{"manual_prompt": "a", "watch_token": "\\ud83d"}', "application/json", 400, "invalid_parameter"),
    (b'{"manual_prompt": 7, "other": "\\ud83d"}', "application/json", 400, "invalid_manual_prompt"),
    (b'["\\ud83d"]', "application/json", 400, "invalid_json"),
    (b'{"manual_prompt": "a\\u12"}', "application/json", 400, "invalid_json"),
    (b'{"manual_prompt": "a\\u0000b"}', "application/json", 400, "invalid_manual_prompt"),
    (b'{"manual_prompt": "' + b"a" * 20_001 + b'"}', "application/json", 400, "manual_prompt_too_long"),
    (b'{"manual_prompt": "' + b"a" * 250_000 + b'"}', "application/json", 413, "body_too_large"),
    (b'{"manual_prompt": "a"}', "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
    (b"manual_prompt=a", "text/plain", 400, "invalid_json"),
    (b'{"manual_prompt": "a"}', "application/json; charset=latin-1", 415, "unsupported_media_type"),
    (b"manual_prompt=a", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
]


@pytest.mark.gen_test
@pytest.mark.parametrize("endpoint", ["generate-prompt-async/", "generate-prompt/"])
@pytest.mark.parametrize(("body", "content_type", "status", "code"), BODIES)
async def test_wrong_bodies_are_refused_with_the_reason(
    client: Client, endpoint: str, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = await client.ask("POST", f"{BASE}/{endpoint}", body, headers={"Content-Type": content_type})
    assert (answer.status, answer.json["error_code"]) == (status, code)
    assert answer.json["success"] is False
    assert answer.json["message"]
    assert answer.json["error"].endswith((".", "}"))
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.gen_test
async def test_half_a_character_in_a_member_that_nobody_reads_refuses_nothing(client: Client) -> None:
    body = b'{"manual_prompt": "Bake \\ud83c\\udf5e bread.", "draft_of": {"\\ud83d": ["\\ude00"]}}'
    headers = {"Content-Type": "application/json"}
    answer = await client.ask("POST", f"{BASE}/generate-prompt-async/", body, headers=headers)
    assert answer.status == 202
    assert (await client.finished(answer.json["task_id"]))["status"] == "completed"


@pytest.mark.gen_test
async def test_twenty_thousand_characters_of_any_kind_are_allowed(client: Client) -> None:
    prompt = "é" * 20_000
    assert (await client.finished(await client.start(prompt)))["status"] == "completed"


@pytest.mark.gen_test
@pytest.mark.parametrize("content_type", ["text/plain;charset=UTF-8", "application/octet-stream", "text/json"])
async def test_json_is_taken_under_any_name_but_a_forms(client: Client, content_type: str) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL}, headers={"Content-Type": content_type})
    assert answer.status == 202
    await client.finished(answer.json["task_id"])


@pytest.mark.gen_test
async def test_members_we_do_not_know_are_left_alone(client: Client) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL, "language": "de"})
    assert answer.status == 202
    await client.finished(answer.json["task_id"])


@pytest.mark.gen_test
async def test_a_stream_goes_on_after_any_event_and_is_over_after_the_last(client: Client) -> None:
    task_id = await client.start(MANUAL)
    events = f"{BASE}/generate-prompt-async/events/{task_id}/"
    whole = (await client.ask("GET", events)).body
    retry, *blocks = [block + b"\n\n" for block in whole.split(b"\n\n")[:-1]]
    assert [b"event: end" in block for block in blocks] == [False] * (len(blocks) - 1) + [True]
    for number, block in enumerate(blocks, start=1):
        last_id = block.split(b"\n")[0].removeprefix(b"id: ").decode()
        answer = await client.ask("GET", events, headers={"Last-Event-ID": last_id})
        rest = b"".join([retry, *blocks[number:]]) if number < len(blocks) else b""
        assert (answer.status, answer.body) == (200 if rest else 204, rest)
    beyond = await client.ask("GET", events, headers={"Last-Event-ID": "9999999999999-0"})
    assert (beyond.status, beyond.body) == (204, b"")


@pytest.mark.gen_test
@pytest.mark.settings(identity={"key_recheck_s": 0.5})
async def test_a_revoked_key_ends_its_stream_and_its_wait(client: Client, storage: OpenStorage) -> None:
    task_id = await client.start(MANUAL + " [[standin:delay=3]]")
    stream = asyncio.ensure_future(client.ask("GET", f"{BASE}/generate-prompt-async/events/{task_id}/"))
    waiting = asyncio.ensure_future(client.status(task_id, "?wait=20&after=6"))
    assert (await client.status(task_id, "?wait=20&after=4")).json["progress"] == 70
    for key in await ApiKeys(storage).of(client.account_id):
        await ApiKeys(storage).revoke(client.account_id, key.key_id)
    assert b'"progress":70' in (await stream).body
    assert b"completed" not in (await stream).body
    assert (await waiting).status == 401
