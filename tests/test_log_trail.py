"""From one id in the log to the others: of a request, of its task, of its trace; and an account's debug lines."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.chaos.world import SHORT_LEASES, a_world
from tests.support.waiting import eventually

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry is an extra")

from tests.support.otlp_collector import collector

DRAFT = "A menu for our café: 12 dishes, 1.250,00 EUR in all. Call 030 1234567."
DEBUG = {"submit", "redis", "gemini_asked", "gemini_try_ended"}


def test_the_ids_of_request_task_and_trace_lead_from_one_to_the_other() -> None:
    log, spans, answers = asyncio.run(scenario())
    request_id, task_id = answers[0]
    [request] = [line for line in log if line["event"] == "request" and line["request_id"] == request_id]
    assert request["task_id"] == task_id
    of_task = [line for line in log if line.get("task_id") == task_id and line.get("method") != "GET"]
    assert {line["request_id"] for line in of_task} == {request_id}
    assert {line["trace_id"] for line in of_task} == {request["trace_id"]}
    assert {"request", "stage", "gemini_answered"} <= {line["event"] for line in of_task}
    traced = [span for span in spans if span.trace_id == request["trace_id"]]
    submit = next(span for span in traced if span.name.startswith("POST "))
    assert (submit.attributes["prompt.request_id"], submit.attributes["prompt.task_id"]) == (request_id, task_id)
    assert next(span for span in traced if span.name == "generation").attributes["prompt.task_id"] == task_id
    one, other = ({line["account_id"] for line in log if line.get("task_id") == task} for _, task in answers)
    debug = [line for line in log if line["level"] == "debug"]
    assert {line["event"] for line in debug} == DEBUG
    assert {line["account_id"] for line in debug} == one
    assert one.isdisjoint(other)
    assert not any(text in json.dumps(log, ensure_ascii=False) for text in ("café", "1.250,00"))


async def scenario() -> tuple[list[dict[str, Any]], list[Any], list[tuple[str, str]]]:
    """Generate for two accounts, of which one has debug lines; return the log, the spans, and each submit's ids."""
    with collector() as collected:
        async with a_world(settings={**SHORT_LEASES, "traces__endpoint": collected.url}) as world:
            clients = [await world.client() for _ in range(2)]
            server = await world.serve(logs__debug_accounts=clients[0].account_id)
            answers = []
            for client in clients:
                answer = await client.submit_once(DRAFT)
                answers.append((answer.headers["X-Request-ID"], str(answer.json["task_id"])))
                await client.finished(answers[-1][1])
            assert await asyncio.to_thread(eventually, lambda: len(collected.named("generation")) == 2)
            await server.stop()
            lines = [json.loads(line) for line in server.process.log().splitlines() if line.startswith("{")]
    return lines, collected.spans, answers
