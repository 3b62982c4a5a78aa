"""The overview of the admin API: what all living processes do, and what went wrong last."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest
import structlog
from click.testing import CliRunner
from tornado.httpclient import AsyncHTTPClient

from accounts import AdminKeys
from generation.failures import RecentFailure
from generation.last_hour import OUTCOMES, LastHour
from generation.processes import Processes, ProcessState, UnfinishedTask
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


@pytest.mark.gen_test
async def test_running_tasks_and_the_oldest_are_seen_and_gone_when_they_end(
    client: Client, storage: OpenStorage
) -> None:
    before = await seen(storage, client)
    assert (before["running"], before["waiting"], before["oldest_unfinished_at"]) == (0, 0, None)
    task_id = await client.start(DRAFT + " [[standin:delay=60]]")
    during = await seen(storage, client)
    assert (during["running"] + during["waiting"], during["oldest_unfinished_s"] >= 0) == (1, True)
    assert during["oldest_unfinished_at"] <= during["at"]
    [oldest] = during["oldest_unfinished"]
    assert (oldest["account_id"], oldest["task_id"]) == (client.account_id, task_id)
    assert oldest["state"] == ("running" if during["running"] else "waiting")
    assert oldest["created_at"] == during["oldest_unfinished_at"]
    await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")
    while (after := await seen(storage, client))["oldest_unfinished_at"] is not None:
        pass
    assert (after["running"], after["waiting"], after["oldest_unfinished"]) == (0, 0, [])
    assert after["failures"] == [], "who cancels has not failed"
    assert set(after["breakers"].values()) == {"closed"}


@pytest.mark.gen_test
async def test_failures_are_seen_by_their_codes_alone(
    client: Client, storage: OpenStorage, http_client: AsyncHTTPClient, base_url: str
) -> None:
    poor = await make_client(storage, http_client, base_url, tokens=5)
    await poor.finished(await poor.start("A secret draft."))
    [failure] = (await seen(storage, client))["failures"]
    assert set(failure) == {"at", "outcome", "error_code"}
    assert (failure["outcome"], failure["error_code"]) == ("failed", "insufficient_tokens")


@pytest.mark.gen_test
async def test_all_living_processes_are_summed_and_the_dead_are_left_out(client: Client, storage: OpenStorage) -> None:
    now_ms = int(time.time() * 1000)
    state = ProcessState("0.9.0", now_ms - 60_000, 3, 2, now_ms - 5_000, 4, 0.25, {"m": "open", "n": "probing"})
    failed = (RecentFailure(now_ms - 1_000, "fallback", "timeout"),)
    held = tuple(UnfinishedTask("acc", str(age), now_ms - age, running=True) for age in range(9_000, 0, -1_000))
    await Processes(storage, "other", lambda: replace(state, oldest=held)).say()
    third = ProcessState("1.0.0", now_ms, 1, 0, 0, 0, 0.0, {"m": "closed"}, failed, held[2:7])
    await Processes(storage, "third", lambda: third).say()
    dead = storage.shared_key("processes", "{00}")
    await storage.command("HSET", dead, "dead", f"{now_ms - 11_000} {{}}")
    found = await seen(storage, client)
    assert (found["running"], found["waiting"], found["takeovers"]) == (4, 2, 4)
    assert 4 < found["oldest_unfinished_s"] < 60
    assert (found["breakers"]["m"], found["breakers"]["n"]) == ("open", "probing")
    assert [failure["error_code"] for failure in found["failures"]] == ["timeout"]
    ages = [int(task["task_id"]) for task in found["oldest_unfinished"]]
    assert ages == sorted([*range(4_000, 10_000, 1_000), *range(4_000, 8_000, 1_000)], reverse=True)
    by_id = {process["id"]: process for process in found["processes"]}
    assert len(by_id) == 3, "this server, and the two that spoke"
    assert found["processes"][0] == by_id["other"]
    assert (by_id["other"]["version"], by_id["other"]["lag_s"]) == ("0.9.0", 0.25)
    assert all(0 <= process["said_s"] <= 60 for process in by_id.values())


class Clocks:
    """A monotonic clock and a wall clock, set by a test; the third second of a minute."""

    def __init__(self) -> None:
        self.monotonic, self.wall = 1_000.0, 1_800_000_003.0

    def hour(self) -> LastHour:
        return LastHour(lambda: self.monotonic, lambda: self.wall)


def idle() -> ProcessState:
    return ProcessState("1", 1, 0, 0, 0, 0, 0.0)


@pytest.mark.gen_test
async def test_the_last_hour_has_what_ended_and_how_long_it_took(client: Client, storage: OpenStorage) -> None:
    await client.finished(await client.start(DRAFT))
    task_id = await client.start(DRAFT + " [[standin:delay=60]]")
    await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")
    hour = (await seen(storage, client))["last_hour"]
    assert len(hour["minutes"]) == 60
    ended = {name: sum(minute[name] for minute in hour["minutes"]) for name in OUTCOMES}
    assert ended == {"completed": 1, "fallback": 0, "failed": 0, "cancelled": 1}
    assert [sum(hour[name].values()) for name in ("seconds_to_result", "seconds_to_first_text")] == [1, 1]
    assert list(hour["seconds_to_result"])[-1] == "more"
    assert sum(minute["slowest_s"] > 0 for minute in hour["minutes"]) <= 1


@pytest.mark.gen_test
async def test_the_last_hours_of_all_processes_are_summed_those_of_ended_ones_too(storage: OpenStorage) -> None:
    reader = Processes(storage, "reader", idle)
    clocks = Clocks()
    one, other = clocks.hour(), clocks.hour()
    async with Processes(storage, "ended", idle, other):
        other.task_ended("completed", 7.0)
        other.first_text(0.4)
    one.task_ended("completed", 300.0)
    one.task_ended("fallback", 0.1)
    one.task_ended("failed", 9.0)
    await Processes(storage, "living", idle, one).say()
    hour = await reader.last_hour()
    assert [process.id for process in (await reader.alive())[1]] == ["living"]
    taken = {bound: tasks for bound, tasks in hour["seconds_to_result"].items() if tasks}
    assert taken == {"0.1": 1, "10": 1, "more": 1}, "a failure is no result"
    assert hour["seconds_to_first_text"]["0.5"] == 1
    assert max(minute["slowest_s"] for minute in hour["minutes"]) == 300
    assert [sum(minute[name] for minute in hour["minutes"]) for name in OUTCOMES] == [2, 1, 1, 0]


def by_age(hour: dict[str, Any]) -> dict[int, int]:
    """Return the completed tasks by how many minutes ago they were."""
    return {59 - at: minute["completed"] for at, minute in enumerate(hour["minutes"]) if minute["completed"]}


@pytest.mark.gen_test
async def test_a_minute_stays_where_it_was_when_a_wall_clock_is_set_and_is_forgotten_after_an_hour(
    storage: OpenStorage,
) -> None:
    clocks = Clocks()
    hour = clocks.hour()
    process = Processes(storage, "one", idle, hour)
    hour.task_ended("completed", 1.0)
    clocks.wall -= 86_400
    clocks.monotonic += 10 * 60
    hour.task_ended("completed", 1.0)
    await process.say()
    ages = by_age(await process.last_hour())
    assert sum(ages.values()) == 2
    assert max(ages) - min(ages) == 10
    clocks.monotonic += 55 * 60
    hour.task_ended("completed", 1.0)
    assert sorted(minute["ago"] for minute in hour.told()["minutes"]) == [0, 55]
    clocks.monotonic += 86_400
    assert hour.told()["minutes"] == []
    for _ in range(200):
        clocks.monotonic += 60
        hour.task_ended("completed", 1.0)
    assert len(hour.told()["minutes"]) == 60, "bounded, however long the process runs"


@pytest.mark.gen_test
async def test_an_hour_is_counted_from_when_it_was_said_and_what_cannot_be_read_is_left_out(
    storage: OpenStorage,
) -> None:
    process = Processes(storage, "reader", idle)
    now_ms = (await process.alive())[0]
    key = storage.shared_key("hours_of_processes", "{00}")
    minute = {"ended": {"completed": 3}, "results": {}, "first_texts": {}, "slowest_s": 0}
    minutes = [minute | {"ago": 0}, minute | {"ago": 30}, minute | {"ago": 50}]
    told = json.dumps({"into_s": 0, "minutes": minutes})
    ago_ms = now_ms - now_ms % 60_000 - 20 * 60_000
    strange = [f"{now_ms} {text}" for text in ("[]", "{", "{}", '{"into_s":0,"minutes":[3]}')]
    for number, said in enumerate([f"{ago_ms} {told}", *strange]):
        await storage.command("HSET", key, f"process{number}", said)
    ages = by_age(await process.last_hour())
    assert sum(ages.values()) == 6, "what was fifty minutes ago twenty minutes ago is over an hour ago"
    assert sorted(ages)[1] - sorted(ages)[0] == 30
    assert min(ages) in {20, 21}


@pytest.mark.gen_test
async def test_an_hour_that_is_no_hash_is_set_aside(storage: OpenStorage) -> None:
    key = storage.shared_key("hours_of_processes", "{00}")
    await storage.command("SET", key, "other")
    hour = LastHour()
    hour.task_ended("completed", 1.0)
    process = Processes(storage, "one", idle, hour)
    with structlog.testing.capture_logs() as lines:
        await process.say()
        assert by_age(await process.last_hour()) == {0: 1}
        await process.say()
    assert [line["event"] for line in lines] == ["record_set_aside"]
    assert sum(by_age(await process.last_hour()).values()) == 1, "said again, as it was not said"


@pytest.mark.gen_test
async def test_a_process_that_ends_is_gone_at_once_and_one_of_another_version_is_read(storage: OpenStorage) -> None:
    reader = Processes(storage, "reader", lambda: ProcessState("1", 1, 0, 0, 0, 0, 0.0))
    async with Processes(storage, "leaving", lambda: ProcessState("1", 1, 0, 0, 0, 0, 0.0)):
        assert [process.id for process in (await reader.alive())[1]] == ["leaving"]
    assert (await reader.alive())[1] == []
    newer = '{"version":"2","started_ms":1,"running":7,"waiting":0,"oldest_ms":0,"takeovers":0,"lag_s":0,"more":[1]}'
    await storage.run("note_process", [storage.shared_key("processes", "{00}")], ["newer", newer, 60_000])
    assert [(process.id, process.state.running) for process in (await reader.alive())[1]] == [("newer", 7)]


@pytest.mark.gen_test
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
    shown = json.loads(as_json.stdout.splitlines()[-1])  # the server, which logs to the same, runs beside it
    assert [each["id"] for each in shown["processes"]] == [each["id"] for each in asked["processes"]]
    assert set(shown) == set(asked) - {"success"}
    table = await asyncio.to_thread(runner.invoke, cli, ["overview"], env=environment)
    assert shown["processes"][0]["id"] in table.stdout
    assert "running: " in table.stdout
    assert "last hour: 0 completed" in table.stdout
    await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")
