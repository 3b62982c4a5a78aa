"""Generations of every ending run at once, and afterwards each series of ``/metrics`` has counted exactly those."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from accounts import Accounts
from tests.support.metrics_page import page, until_it_says, value
from tests.support.storage import OpenStorage
from tests.support.webhook_receiver import SECRET, Receiver, serve_receiver
from tests.support.whole_server import START, Client, make_client

MODEL = "gemini-3.8-flash"
KINDS = ("input", "output", "thoughts", "tool")  # "cached" is a part of "input"
COMPLETED, REPAIRED, BLOCKED, CANCELLED = 6, 2, 2, 1  # and one of an account without tokens
TASKS = COMPLETED + REPAIRED + BLOCKED + CANCELLED + 1


@pytest.fixture
def receiver(io_loop: Any, stack: AsyncExitStack) -> Receiver:
    made: Receiver = io_loop.run_sync(lambda: stack.enter_async_context(serve_receiver()))
    return made


@pytest.fixture
def changes(receiver: Receiver) -> dict[str, dict[str, Any]]:
    return {
        "webhooks": {"url": receiver.url, "secrets": SECRET},
        "limits": {"unfinished_tasks_per_account": 20, "polls_per_second_per_account": 0},
    }


async def read_to_its_end(client: Client, manual_prompt: str) -> tuple[dict[str, Any], int]:
    """Run one generation; return its last document and how many polls that took."""
    task_id = await client.start(manual_prompt)
    for polls in range(1, 10_000):
        document = (await client.status(task_id)).json
        if document["status"] in ("completed", "failed"):
            return document, polls
        await asyncio.sleep(0.02)
    raise AssertionError(document)


@pytest.mark.gen_test
async def test_each_series_counts_what_was_done(
    client: Client, storage: OpenStorage, http_client: AsyncHTTPClient, base_url: str, receiver: Receiver
) -> None:
    await Accounts(storage).grants.add(client.account_id, 10_000_000)  # each holds what its repair may cost
    poor = await make_client(storage, http_client, base_url, tokens=5)
    drafts = [f"Write menu {number} with 12 dishes." for number in range(COMPLETED)]
    drafts += [f"Table {number} costs 1.250,00 EUR. [[standin:fault=fact_lost,first=1]]" for number in range(REPAIRED)]
    drafts += [f"Menu {number}. [[standin:fault=safety]]" for number in range(BLOCKED)]
    ended = await asyncio.gather(*(read_to_its_end(client, draft) for draft in drafts), read_to_its_end(poor, "Menu."))
    documents, polls = [document for document, _ in ended], sum(number for _, number in ended)

    slow = await client.start("A last menu. [[standin:delay=60]]", Idempotency_Key="once")
    assert await client.start("A last menu. [[standin:delay=60]]", Idempotency_Key="once") == slow
    await until_it_says(client, 1, "prompt_gemini_requests_open")
    await client.ask("POST", f"{START}cancel/{slow}/")
    assert (await client.ask("POST", START, {"manual_prompt": " "})).status == 400
    assert b"event: end" in (await client.ask("GET", f"{START}events/{slow}/")).body
    await until_it_says(client, TASKS, "prompt_webhook_tries_total", outcome="delivered")
    await until_it_says(client, CANCELLED, "prompt_gemini_attempt_duration_seconds_count", outcome="cancelled")
    await until_it_says(client, 0, "prompt_tasks_unfinished")
    text = await page(client)

    by_end = Counter((document["stage"], document.get("error_code")) for document in documents)
    assert by_end["completed", None] == COMPLETED + REPAIRED
    assert by_end["fallback", None] == BLOCKED
    finished = {"completed": COMPLETED + REPAIRED, "fallback": BLOCKED, "failed": CANCELLED + 1}
    for outcome, tasks in finished.items():
        assert value(text, "prompt_tasks_finished_total", outcome=outcome) == tasks
        assert value(text, "prompt_task_duration_seconds_count", outcome=outcome) == tasks
    [reason] = {document["fallback_reason"] for document in documents if document["stage"] == "fallback"}
    for code, tasks in ((reason, BLOCKED), ("cancelled", CANCELLED), ("insufficient_tokens", 1)):
        assert value(text, "prompt_tasks_finished_total", error_code=code) == tasks

    for outcome, submits in (("accepted", TASKS), ("replayed", 1), ("manual_prompt_required", 1)):
        assert value(text, "prompt_submits_total", outcome=outcome) == submits
    assert value(text, "prompt_submits_total") == TASKS + 2
    assert value(text, "prompt_http_requests_total", route="generations", status="202") == TASKS + 1
    assert value(text, "prompt_http_requests_total", route="generations", status="400") == 1
    assert value(text, "prompt_http_requests_total", route="events", status="200") == 1
    assert value(text, "prompt_http_request_duration_seconds_count", route="generations") == TASKS + 2
    assert value(text, "prompt_polls_total", status="200") == polls
    assert value(text, "prompt_polls_total") == polls

    asked = COMPLETED + 2 * REPAIRED + BLOCKED + CANCELLED
    assert value(text, "prompt_gemini_attempt_duration_seconds_count") == asked
    assert value(text, "prompt_gemini_attempt_duration_seconds_count", outcome="ok") == COMPLETED + 2 * REPAIRED
    assert value(text, "prompt_gemini_attempt_duration_seconds_count", outcome="cancelled") == CANCELLED
    assert value(text, "prompt_gemini_answers_total", model=MODEL) >= COMPLETED + 2 * REPAIRED
    assert value(text, "prompt_fidelity_total", outcome="kept") == COMPLETED
    assert value(text, "prompt_fidelity_total", outcome="repaired") == REPAIRED
    assert value(text, "prompt_fidelity_total") == COMPLETED + REPAIRED
    assert value(text, "prompt_first_text_seconds_count") >= COMPLETED + REPAIRED
    for stage in ("queued", "initializing"):
        assert value(text, "prompt_stage_duration_seconds_count", stage=stage) == TASKS
    assert value(text, "prompt_stage_duration_seconds_count", stage="finalizing") == COMPLETED + REPAIRED + BLOCKED

    charged = [(await each.ask("GET", "/api/v1/account/")).json for each in (client, poor)]
    assert value(text, "prompt_tokens_charged_total") == sum(account["tokens_charged"] for account in charged)
    told = {kind: value(text, "prompt_gemini_tokens_total", kind=kind, model=MODEL) for kind in KINDS}
    assert sum(told.values()) == sum(document.get("tokens_used", 0) for document in documents)
    assert all(told[kind] > 0 for kind in ("input", "output", "thoughts"))

    assert value(text, "prompt_webhook_tries_total") == TASKS
    assert len(receiver.received) == TASKS
    assert value(text, "prompt_redis_operation_duration_seconds_count", operation="submit") == TASKS + 1
    assert value(text, "prompt_redis_errors_total") == value(text, "prompt_redis_link_losses_total") == 0
    assert value(text, "prompt_http_waits_open") == 0
