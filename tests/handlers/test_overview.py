"""The overview of the admin API: what all living processes do, and what went wrong last."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from click.testing import CliRunner
from tornado.httpclient import AsyncHTTPClient

from accounts import AdminKeys
from generation.failures import RecentFailure
from generation.processes import Processes, ProcessState
from main import cli
from runtime.settings import Settings
from tests.support.http_reply import HttpReply
from tests.support.storage import OpenStorage
from tests.support.whole_server import BASE, Client, make_client

DRAFT = "Answer for our bakery."


async def seen(storage: OpenStorage, client: Client) -> Any:
    key = await AdminKeys(storage).create("operator")
    answer: HttpReply = await Client(client.base_url, client.http, "", key.key).ask("GET", "/api/v1/admin/overview/")
    assert answer.status == 200, answer.body
    return answer.json


@pytest.mark.gen_test(timeout=60)
async def test_running_tasks_and_the_oldest_are_seen_and_gone_when_they_end(
    client: Client, storage: OpenStorage
) -> None:
    before = await seen(storage, client)
    assert (before["running"], before["waiting"], before["oldest_unfinished_at"]) == (0, 0, None)
    task_id = await client.start(DRAFT + " [[standin:delay=60]]")
    during = await seen(storage, client)
    assert (during["running"] + during["waiting"], during["oldest_unfinished_s"] >= 0) == (1, True)
    assert during["oldest_unfinished_at"] <= during["at"]
    await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")
    while (after := await seen(storage, client))["oldest_unfinished_at"] is not None:
        pass
    assert (after["running"], after["waiting"]) == (0, 0)
    assert after["failures"] == [], "who cancels has not failed"
    assert set(after["breakers"].values()) == {"closed"}


@pytest.mark.gen_test(timeout=60)
async def test_failures_are_seen_by_their_codes_alone(
    client: Client, storage: OpenStorage, http_client: AsyncHTTPClient, base_url: str
) -> None:
    poor = await make_client(storage, http_client, base_url, tokens=5)
    await poor.finished(await poor.start("A secret draft."))
    [failure] = (await seen(storage, client))["failures"]
    assert set(failure) == {"at", "outcome", "error_code"}
    assert (failure["outcome"], failure["error_code"]) == ("failed", "insufficient_tokens")


@pytest.mark.gen_test(timeout=60)
async def test_all_living_processes_are_summed_and_the_dead_are_left_out(client: Client, storage: OpenStorage) -> None:
    now_ms = int(time.time() * 1000)
    state = ProcessState("0.9.0", now_ms - 60_000, 3, 2, now_ms - 5_000, 4, 0.25, {"m": "open", "n": "probing"})
    failed = (RecentFailure(now_ms - 1_000, "fallback", "timeout"),)
    await Processes(storage, "other", lambda: state).say()
    await Processes(
        storage, "third", lambda: ProcessState("1.0.0", now_ms, 1, 0, 0, 0, 0.0, {"m": "closed"}, failed)
    ).say()
    dead = storage.shared_key("processes", "{00}")
    await storage.command("HSET", dead, "dead", f"{now_ms - 11_000} {{}}")
    found = await seen(storage, client)
    assert (found["running"], found["waiting"], found["takeovers"]) == (4, 2, 4)
    assert 4 < found["oldest_unfinished_s"] < 60
    assert (found["breakers"]["m"], found["breakers"]["n"]) == ("open", "probing")
    assert [failure["error_code"] for failure in found["failures"]] == ["timeout"]
    by_id = {process["id"]: process for process in found["processes"]}
    assert len(by_id) == 3, "this server, and the two that spoke"
    assert found["processes"][0] == by_id["other"]
    assert (by_id["other"]["version"], by_id["other"]["lag_s"]) == ("0.9.0", 0.25)
    assert all(0 <= process["said_s"] <= 60 for process in by_id.values())


@pytest.mark.gen_test
async def test_a_process_that_ends_is_gone_at_once_and_one_of_another_version_is_read(storage: OpenStorage) -> None:
    reader = Processes(storage, "reader", lambda: ProcessState("1", 1, 0, 0, 0, 0, 0.0))
    async with Processes(storage, "leaving", lambda: ProcessState("1", 1, 0, 0, 0, 0, 0.0)):
        assert [process.id for process in (await reader.alive())[1]] == ["leaving"]
    assert (await reader.alive())[1] == []
    newer = '{"version":"2","started_ms":1,"running":7,"waiting":0,"oldest_ms":0,"takeovers":0,"lag_s":0,"more":[1]}'
    await storage.run("note_process", [storage.shared_key("processes", "{00}")], ["newer", newer, 60_000])
    assert [(process.id, process.state.running) for process in (await reader.alive())[1]] == [("newer", 7)]


@pytest.mark.gen_test(timeout=60)
async def test_the_command_shows_what_the_admin_api_shows_without_being_a_process_itself(
    client: Client, storage: OpenStorage, settings: Settings
) -> None:
    task_id = await client.start(DRAFT + " [[standin:delay=60]]")
    asked = await seen(storage, client)
    environment = {"PROMPT_REDIS__URL": settings.redis.url.get_secret_value()}
    environment["PROMPT_REDIS__KEY_PREFIX"] = settings.redis.key_prefix
    runner = CliRunner()
    as_json = await asyncio.to_thread(runner.invoke, cli, ["overview", "--json"], env=environment)
    assert as_json.exit_code == 0, as_json.output
    shown = json.loads(as_json.stdout)
    assert [each["id"] for each in shown["processes"]] == [each["id"] for each in asked["processes"]]
    assert set(shown) == set(asked) - {"success"}
    table = await asyncio.to_thread(runner.invoke, cli, ["overview"], env=environment)
    assert shown["processes"][0]["id"] in table.stdout
    assert "running: " in table.stdout
    await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")
