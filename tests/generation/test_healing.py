"""A server that forgot the last moments: what the process knows is put back, and the money is right."""

from __future__ import annotations

import asyncio
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
    """Everything of one account as it is now, to be put back later: what a replica had that lags behind."""

    def __init__(self, redis: aioredis.Redis, storage: OpenStorage, account_id: str) -> None:
        self._redis = redis
        self._pattern = storage.key(account_id, "").removesuffix(":") + ":*"
        self._keys: dict[bytes, bytes] = {}

    async def take(self) -> None:
        pattern = self._pattern.replace("{", "\\{").replace("}", "\\}")
        self._keys = {key: await self._redis.dump(key) async for key in self._redis.scan_iter(pattern)}  # type: ignore[misc]

    async def put_back(self) -> None:
        async for key in self._redis.scan_iter(self._pattern):
            await self._redis.delete(key)
        for key, dumped in self._keys.items():
            await self._redis.restore(key, 0, dumped)


@pytest.mark.gen_test(timeout=30)
@pytest.mark.settings(tasks={"renew_every_s": 0.2, "lease_s": 5})
async def test_a_task_whose_record_is_gone_runs_again_under_the_same_id(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    client = await client_of(storage, http_client, base_url)
    before = Snapshot(storage.redis, storage, client.account_id)
    await before.take()
    task_id = await client.start(f"{MANUAL} [[standin:delay=3]]")
    seen = await at_stage(client, task_id, 70)
    await before.put_back()  # no task, no hold
    assert await storage.redis.exists(storage.key(client.account_id, "task", task_id)) == 0
    while not await storage.redis.exists(storage.key(client.account_id, "task", task_id)):  # noqa: ASYNC110  # restored
        await asyncio.sleep(0.01)
    final = await client.finished(task_id)
    assert (final["status"], final["generated_by_ai"]) == ("completed", True)
    assert final["version"] > seen["version"]
    account = await Accounts(storage).show(client.account_id)
    assert (account.tokens_held, account.tokens_charged) == (0, final["tokens_used"])
    assert await Accounts(storage).audit(client.account_id) == []


@pytest.mark.gen_test(timeout=30)
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


@pytest.mark.gen_test(timeout=30)
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
    async with asyncio.timeout(10):
        while (await Accounts(storage).show(client.account_id)).tokens_charged == 0:  # noqa: ASYNC110  # the server's
            await asyncio.sleep(0.02)
    again = await client.finished(task_id)
    assert again["prompt"] == final["prompt"]
    account = await Accounts(storage).show(client.account_id)
    assert (account.tokens_held, account.tokens_charged) == (0, final["tokens_used"])
    assert await Accounts(storage).audit(client.account_id) == []


@pytest.mark.gen_test(timeout=30)
async def test_endings_that_nobody_forgot_change_nothing_when_they_are_repeated(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, service: Service
) -> None:
    client = await client_of(storage, http_client, base_url)
    final = await client.finished(await client.start(MANUAL))
    account = await Accounts(storage).show(client.account_id)
    assert await service.runner._tasks.restoration.repeat_endings() == 0
    assert await Accounts(storage).show(client.account_id) == account
    assert (await client.status(final["task_id"])).json == final
    assert (await client.ask("GET", f"{BASE}/generate-prompt-async/")).status == 200
