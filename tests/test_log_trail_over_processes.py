"""From a request's id to its task's lines in the logs of every process that worked for it, without traces."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.chaos.world import SHORT_LEASES, Server, a_world
from tests.support.waiting import eventually
from tests.support.webhook_receiver import SECRET, serve_receiver

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENTS = f"00-{TRACE}-00f067aa0ba902b7-01"
DRAFT = "A menu for our café: 12 dishes."
CANCEL = "/api/v1/web-knowledge/generate-prompt-async/cancel/{}/"


def test_every_line_about_a_task_names_it_its_account_and_the_request_that_made_it_in_whatever_process() -> None:
    account, (lost, cancelled), logs = asyncio.run(scenario())
    first, second, third = logs
    told = [line for log in logs for line in log if line.get("task_id") == lost and not is_read(line)]
    known = {(line["request_id"], line["account_id"], line["trace_id"]) for line in told}
    assert known == {("mine-1", account, TRACE)}
    assert {"request", "stage"} <= events(first, lost)
    assert {"task_taken_over", "stage"} <= events(second, lost)
    assert {"task_interrupted", "webhook"} <= events(third, lost)
    of_cancelled = [line for line in second if line.get("task_id") == cancelled]
    assert {line["account_id"] for line in of_cancelled} == {account}
    requests = {line["request_id"]: line["route"] for line in of_cancelled if line.get("method") == "POST"}
    assert requests == {"mine-2": "generations", "cancels-2": "cancel"}
    others = {line["request_id"] for line in of_cancelled if line["event"] != "request"}
    assert others == {"mine-2"}
    assert "webhook" in events(second, cancelled)


def is_read(line: dict[str, Any]) -> bool:
    """Say whether it is a request of its own, with an id of its own."""
    return bool(line["event"] == "request" and line["method"] == "GET")


def events(log: list[dict[str, Any]], task_id: str) -> set[str]:
    return {line["event"] for line in log if line.get("task_id") == task_id}


def lines_of(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.process.log().splitlines() if line.startswith("{")]


async def scenario() -> tuple[str, list[str], list[list[dict[str, Any]]]]:
    """Let two processes die with a task, and cancel another one; return the account, both ids and the logs."""
    async with serve_receiver() as receiver:
        settings = {"tasks__attempts": 2, "webhooks__url": receiver.url, "webhooks__secrets": SECRET}
        async with a_world(settings={**SHORT_LEASES, **settings}) as world:
            await world.standin.behave(delay_s=300)
            client = await world.client()
            first = await world.serve()
            answer = await client.submit_once(DRAFT, headers={"X-Request-ID": "mine-1", "traceparent": CLIENTS})
            lost = str(answer.json["task_id"])
            await client.finished(lost, until=lambda document: document["progress"] >= 70)
            await first.kill()
            second = await world.serve()
            await client.finished(lost, until=lambda document: document["attempt"] == 2, within_s=60)
            answer = await client.submit_once(DRAFT, headers={"X-Request-ID": "mine-2"})
            cancelled = str(answer.json["task_id"])
            await client.ask("POST", CANCEL.format(cancelled), headers={"X-Request-ID": "cancels-2"})
            await receiver.has(1)
            assert await asyncio.to_thread(eventually, lambda: "webhook" in events(lines_of(second), cancelled))
            await second.kill()
            third = await world.serve()
            assert (await client.finished(lost, within_s=60))["error_code"] == "interrupted"
            await receiver.has(2)
            await third.stop()
            return client.account_id, [lost, cancelled], [lines_of(server) for server in (first, second, third)]
