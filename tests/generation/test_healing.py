"""A server that forgot the last moments: what the process knows is put back, and the money is right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import asyncio as aioredis
from tornado.httpclient import AsyncHTTPClient

from accounts import Accounts
from composition import Service
from storage.redis_server import RedisServer
from tests.handlers.conftest import app, changes, service, settings, stack, standin
from tests.support.storage import OpenStorage
from tests.support.whole_server import BASE, Client, make_client

__all__ = ["app", "changes", "service", "settings", "stack", "standin"]

MANUAL = "You are the assistant of Bakery Sonne, Main Street 5. Open 7-18. Call +49 30 1234567."


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """One of the test's own, which it restarts."""
    with RedisServer(tmp_path / "redis") as server:
        yield server


async def client_of(storage: OpenStorage, http: AsyncHTTPClient, base_url: str) -> Client:
    return await make_client(storage, http, base_url, tokens=10_000)


async def at_stage(client: Client, task_id: str, progress: int) -> dict[str, Any]:
    version = 0
    while True:
        document = (await client.status(task_id, f"?wait=5&after={version}")).json
        if document["progress"] >= progress:
            return document
        version = document["version"]


class Snapshot:
    """All keys of one account as they are now. Restored later, they are the state of a replica that lags behind."""

    def __init__(self, redis: aioredis.Redis, storage: OpenStorage, account_id: str) -> None:
        self._redis = redis
        self._pattern = storage.key(account_id, "").removesuffix(":") + ":*"
        self._keys: dict[bytes, bytes] = {}

    async def take(self) -> None:
        pattern = self._pattern.replace("{", "\\{").replace("}", "\\}")
        keys = [key async for key in self._redis.scan_iter(pattern)]
        async with self._redis.pipeline(transaction=True) as at_once:  # no replica has half a step
            for key in keys:
                at_once.dump(key)
            dumped = await at_once.execute()
        self._keys = {key: value for key, value in zip(keys, dumped, strict=True) if value is not None}

    async def put_back(self) -> None:
        now = [key async for key in self._redis.scan_iter(self._pattern)]
        async with self._redis.pipeline(transaction=True) as at_once:  # nobody sees an account that is not there
            for key in now:
                at_once.delete(key)
            for key, dumped in self._keys.items():
                at_once.restore(key, 0, dumped)
            await at_once.execute()


@pytest.mark.gen_test
@pytest.mark.settings(tasks={"renew_every_s": 0.2, "lease_s": 5})
async def test_a_task_whose_record_is_gone_is_put_back_and_goes_on(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, standin: Any
) -> None:
    client = await client_of(storage, http_client, base_url)
    before = Snapshot(storage.redis, storage, client.account_id)
    await before.take()
    task_id = await client.start(f"{MANUAL} [[standin:delay=3]]")
    seen = await at_stage(client, task_id, 70)
    hints = storage.shared_key("task_account", "*")
    assert await storage.redis.delete(*[key async for key in storage.redis.scan_iter(hints)]) == 1
    await before.put_back()  # no task, no hold
    assert await storage.redis.exists(storage.key(client.account_id, "task", task_id)) == 0
    while not await storage.redis.exists(storage.key(client.account_id, "task", task_id)):  # noqa: ASYNC110  # restored
        await asyncio.sleep(0.01)
    assert len([key async for key in storage.redis.scan_iter(hints)]) == 1, "and whose it is"
    final = await client.finished(task_id)
    assert (final["status"], final["generated_by_ai"]) == ("completed", True)
    assert final["version"] > seen["version"]
    assert final["created_at"] == seen["created_at"]
    assert standin.counters.requests == 1  # nobody pays for a second one
    account = await Accounts(storage).show(client.account_id)
    assert (account.tokens_held, account.tokens_charged) == (0, final["tokens_used"])
    assert await Accounts(storage).audit(client.account_id) == []


@pytest.mark.gen_test
async def test_progress_never_goes_down_when_a_task_is_restored(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    client = await client_of(storage, http_client, base_url)
    before = Snapshot(storage.redis, storage, client.account_id)
    await before.take()
    task_id = await client.start(f"{MANUAL} [[standin:delay=1]]")
    await at_stage(client, task_id, 70)
    await before.put_back()
    progress, highest = 0, 70
    while progress < 100:
        answer = await client.status(task_id)
        if answer.status == 200:
            progress = answer.json["progress"]
            assert progress >= highest
            highest = progress
        await asyncio.sleep(0.02)


@pytest.mark.gen_test
@pytest.mark.parametrize("forgotten", ["all", "from 10 % on", "from 70 % on"])
async def test_an_ending_that_a_restarted_server_forgot_is_written_again(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, redis_server: RedisServer, forgotten: str
) -> None:
    client = await client_of(storage, http_client, base_url)
    before = Snapshot(storage.redis, storage, client.account_id)
    await before.take()
    task_id = await client.start(f"{MANUAL} [[standin:delay=1]]")
    if forgotten != "all":
        await at_stage(client, task_id, int(forgotten.split()[1]))
        await before.take()
    final = await client.finished(task_id)
    await before.put_back()
    assert (await Accounts(storage).show(client.account_id)).tokens_charged == 0
    await asyncio.to_thread(redis_server.stop)
    await asyncio.to_thread(redis_server.start)
    while (await client.ask("GET", "/health/ready")).status != 200:  # noqa: ASYNC110  # the server's
        await asyncio.sleep(0.05)
    async with asyncio.timeout(180):
        while (await Accounts(storage).show(client.account_id)).tokens_charged == 0:  # noqa: ASYNC110  # the server's
            await asyncio.sleep(0.02)
    assert await client.finished(task_id) == final
    stored = await storage.command("GET", storage.key(client.account_id, "status", task_id))
    assert json.loads(stored) == final
    account = await Accounts(storage).show(client.account_id)
    assert (account.tokens_held, account.tokens_charged) == (0, final["tokens_used"])
    assert await Accounts(storage).audit(client.account_id) == []


@pytest.mark.gen_test
async def test_endings_that_nobody_forgot_change_nothing_when_they_are_repeated(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, service: Service
) -> None:
    client = await client_of(storage, http_client, base_url)
    final = await client.finished(await client.start(MANUAL))
    account = await Accounts(storage).show(client.account_id)
    assert await service.runner._tasks.endings.repeat() == 0
    assert await Accounts(storage).show(client.account_id) == account
    assert (await client.status(final["task_id"])).json == final
    assert (await client.ask("GET", f"{BASE}/generate-prompt-async/")).status == 200


@pytest.mark.gen_test
@pytest.mark.settings(tasks={"renew_every_s": 60, "lease_s": 120, "deadline_s": 300})
@pytest.mark.parametrize("forgotten", ["all", "from 10 % on", "from 50 % on"])
async def test_a_result_is_written_also_when_the_server_forgot_how_far_the_task_had_got(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, standin: Any, forgotten: str
) -> None:
    client = await client_of(storage, http_client, base_url)
    before = Snapshot(storage.redis, storage, client.account_id)
    await before.take()
    task_id = await client.start(f"{MANUAL} [[standin:delay=2]]")
    if forgotten != "all":
        await at_stage(client, task_id, int(forgotten.split()[1]))
        await before.take()
    seen = await at_stage(client, task_id, 70)
    await before.put_back()
    status = storage.key(client.account_id, "status", task_id)
    while not await storage.redis.exists(status):  # noqa: ASYNC110  # it is gone until the next step
        await asyncio.sleep(0.02)
    final = await client.finished(task_id)
    assert (final["status"], final["generated_by_ai"]) == ("completed", True)
    assert final["version"] > seen["version"]
    assert standin.counters.requests == 1
    account = await Accounts(storage).show(client.account_id)
    assert (account.tokens_held, account.tokens_charged) == (0, final["tokens_used"])
    assert await Accounts(storage).audit(client.account_id) == []


@pytest.mark.gen_test
async def test_a_restored_task_keeps_its_key_and_its_users_steering(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, service: Service
) -> None:
    client = await client_of(storage, http_client, base_url)
    before = Snapshot(storage.redis, storage, client.account_id)
    await before.take()
    body = {"manual_prompt": f"{MANUAL} [[standin:delay=2]]", "feedback": "Shorter."}
    key = {"Idempotency-Key": "one-key"}
    task_id = (await client.ask("POST", f"{BASE}/generate-prompt-async/", body, headers=key)).json["task_id"]
    await at_stage(client, task_id, 70)
    record = storage.key(client.account_id, "task", task_id)
    stored = await storage.redis.hgetall(record)
    await before.put_back()
    await service.runner.renew()
    put_back = await storage.redis.hgetall(record)
    changing = (b"lease_ms", b"version", b"deadline_ms", b"expected_at")
    assert {n: v for n, v in put_back.items() if n not in changing} == {
        n: v for n, v in stored.items() if n not in changing
    }
    again = await client.ask("POST", f"{BASE}/generate-prompt-async/", body, headers=key)
    assert (again.status, again.json["task_id"]) == (202, task_id)
    await client.finished(task_id)


@pytest.mark.gen_test
@pytest.mark.parametrize("forgotten", ["all", "the end"])
async def test_a_cancellation_that_the_server_forgot_stays_one(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, service: Service, forgotten: str
) -> None:
    client = await client_of(storage, http_client, base_url)
    before = Snapshot(storage.redis, storage, client.account_id)
    await before.take()
    task_id = await client.start(f"{MANUAL} [[standin:delay=3]]")
    await at_stage(client, task_id, 70)
    if forgotten == "the end":
        await before.take()
    cancelled = await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")
    assert cancelled.json["error_code"] == "cancelled"
    await before.put_back()
    await service.runner._tasks.endings.repeat()
    stored = await storage.command("GET", storage.key(client.account_id, "status", task_id))
    assert json.loads(stored) == cancelled.json
    account = await Accounts(storage).show(client.account_id)
    charged = cancelled.json["tokens_used"] if forgotten == "the end" else 0  # with the record, its charge is lost
    assert (account.tokens_held, account.tokens_charged) == (0, charged)
    assert await Accounts(storage).audit(client.account_id) == []
