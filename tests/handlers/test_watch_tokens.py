"""What a browser can do with the watch token of a task that its backend started, and what it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accounts import WatchTokens
from storage.storage import Storage
from tests.support.whole_server import BASE, START, Client

BODY = {"manual_prompt": "Answer questions about our bakery. Open 7-18."}


async def watched(client: Client, **headers: str) -> tuple[str, Client]:
    """Start a task; return its id and a client that has only its watch token."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await client.ask("POST", START, BODY | {"watch_token": True}, headers=named)
    assert answer.status == 202, answer.body
    return answer.json["task_id"], replace(client, api_key=answer.json["watch_token"])


@pytest.mark.gen_test
async def test_a_watch_token_comes_only_when_it_is_asked_for_and_is_in_no_url(client: Client) -> None:
    for body in (BODY, BODY | {"watch_token": False}, BODY | {"watch_token": None}):
        answer = await client.ask("POST", START, body)
        assert "watch_token" not in answer.json
        await client.finished(answer.json["task_id"])
    answer = await client.ask("POST", START, BODY | {"watch_token": True})
    token = answer.json["watch_token"]
    assert token.startswith("pw_")
    assert token not in answer.headers["Location"] + answer.json["status_url"]
    await client.finished(answer.json["task_id"])


@pytest.mark.gen_test
async def test_a_watch_token_that_is_no_boolean_is_refused(client: Client) -> None:
    wrongs: list[object] = ["true", 1, [], {}]
    for wrong in wrongs:
        answer = await client.ask("POST", START, BODY | {"watch_token": wrong})
        assert (answer.status, answer.json["error_code"]) == (400, "invalid_parameter")
        assert "watch_token" in answer.json["error"]


@pytest.mark.gen_test
async def test_a_watch_token_reads_waits_streams_and_cancels_its_task(client: Client) -> None:
    task_id, browser = await watched(client)
    assert (await browser.status(task_id)).json["task_id"] == task_id
    assert (await browser.status(task_id.upper())).json["task_id"] == task_id
    assert (await browser.finished(task_id))["status"] == "completed"
    events = await browser.ask("GET", f"{START}events/{task_id}/")
    assert events.status == 200
    assert b"event: end" in events.body
    cancelled = await browser.ask("POST", f"{START}cancel/{task_id}/")
    assert (cancelled.status, cancelled.json["status"]) == (200, "completed")


@pytest.mark.gen_test
async def test_other_tasks_are_not_there_for_a_watch_token(client: Client) -> None:
    task_id, browser = await watched(client)
    other = await client.start(str(BODY["manual_prompt"]))
    for method, path in (
        ("GET", f"status/{other}/"),
        ("HEAD", f"status/{other}/"),
        ("GET", f"status/{other}/?wait=20"),
        ("GET", f"events/{other}/"),
        ("POST", f"cancel/{other}/"),
    ):
        answer = await browser.ask(method, START + path)
        assert answer.status == 404, (method, path)
        if answer.body:
            assert answer.json["error_code"] == "task_not_found"
    assert (await client.finished(other))["status"] == "completed", "it was not cancelled"
    await client.finished(task_id)


@pytest.mark.gen_test
async def test_everything_else_is_forbidden_for_a_watch_token(client: Client) -> None:
    task_id, browser = await watched(client)
    for method, path, body in (
        ("POST", START, BODY),
        ("POST", START, BODY | {"watch_token": True}),
        ("GET", START, None),
        ("POST", f"{BASE}/generate-prompt/", BODY),
        ("GET", "/api/v1/account/", None),
        ("GET", "/api/v1/account/ledger/", None),
    ):
        answer = await browser.ask(method, path, body)
        assert (answer.status, answer.json["error_code"]) == (403, "forbidden_for_watch_token"), (method, path)
    admin = await browser.ask("GET", "/api/v1/admin/accounts/")
    assert (admin.status, admin.json["error_code"]) == (403, "admin_key_required")
    await client.finished(task_id)


@pytest.mark.gen_test
async def test_a_submit_that_is_repeated_gets_a_token_for_the_same_task(client: Client) -> None:
    task_id, _ = await watched(client, Idempotency_Key="once")
    again, browser = await watched(client, Idempotency_Key="once")
    assert again == task_id
    assert (await browser.finished(task_id))["status"] == "completed"


@pytest.mark.gen_test
async def test_an_expired_or_changed_watch_token_is_unauthorized(client: Client, storage: Storage) -> None:
    task_id, browser = await watched(client)
    signer = await WatchTokens(storage).signer()
    for token in (signer.make(client.account_id, task_id, -1), browser.api_key[:-2] + "__"):
        answer = await replace(client, api_key=token).status(task_id)
        assert (answer.status, answer.json["error_code"]) == (401, "unauthorized")
    await client.finished(task_id)
