"""Load while a master is replaced behind Sentinels: what was accepted ends, and the money is right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from accounts import Accounts
from storage.redis_server import find_redis_server
from tests.support.storage import OpenStorage
from tests.support.topologies import Node, SentinelWorld, sentinels, until_true
from tests.support.whole_server import BASE, Client, app, changes, make_client, service, settings, stack, standin

__all__ = ["app", "changes", "service", "settings", "stack", "standin"]

pytestmark = pytest.mark.slow

MANUAL = "You are the assistant of Bakery Sonne, Main Street 5. Open 7-18. [[standin:delay=0.5]]"
SUBMITS_PER_S = 20
ACCOUNTS = 20
BEFORE_S, AFTER_S = 2.0, 3.0
WHOLE_LEDGER = 1_000_000  # entries


@pytest.fixture
def redis_server(io_loop: Any) -> Iterator[SentinelWorld]:
    opened = AsyncExitStack()
    yield io_loop.run_sync(lambda: opened.enter_async_context(sentinels(find_redis_server())))
    io_loop.run_sync(opened.aclose)


class Load:
    """Submits at a steady rate until it is stopped; ``accepted`` and ``refused`` are moments."""

    def __init__(self, clients: list[Client]) -> None:
        self._clients = clients
        self._waiting: list[asyncio.Task[dict[str, Any]]] = []
        self.accepted: list[float] = []
        self.refused: list[float] = []
        self._stop = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            number = 0
            while not self._stop.is_set():
                group.create_task(self._submit(self._clients[number % len(self._clients)]))
                number += 1
                await asyncio.sleep(1 / SUBMITS_PER_S)

    def stop(self) -> None:
        self._stop.set()

    async def _submit(self, client: Client) -> None:
        answer = await client.ask("POST", f"{BASE}/generate-prompt-async/", {"manual_prompt": MANUAL})
        if answer.status == 202:
            self.accepted.append(time.monotonic())
            self._waiting.append(asyncio.create_task(self._end(client, answer.json["task_id"])))
        else:
            assert answer.status == 503, answer.body
            self.refused.append(time.monotonic())

    @staticmethod
    async def _end(client: Client, task_id: str) -> dict[str, Any]:
        """Poll to the end; a 404 or 503 while the master changes is asked again, one that lasts is an end."""
        missing_since = None
        while True:
            answer = await client.status(task_id)
            if answer.status == 200 and answer.json["status"] in ("completed", "failed"):
                return {**answer.json, "account_id": client.account_id}
            if answer.status == 404:
                missing_since = missing_since or time.monotonic()
                if time.monotonic() - missing_since > 60:
                    return {"status": "missing"}
            else:
                missing_since = None
            await asyncio.sleep(0.2)

    async def ends(self) -> list[dict[str, Any]]:
        return await asyncio.gather(*self._waiting)


async def under_load(
    world: SentinelWorld,
    storage: OpenStorage,
    http: AsyncHTTPClient,
    base_url: str,
    replace_master: Callable[[Node], Awaitable[None]],
) -> tuple[Load, float, list[dict[str, Any]]]:
    """Replace the master under load; return the load, when the switch was seen, and how all tasks ended."""
    clients = [await make_client(storage, http, base_url, tokens=1_000_000) for _ in range(ACCOUNTS)]
    load = Load(clients)
    running = asyncio.create_task(load.run())
    await asyncio.sleep(BEFORE_S)
    old = await world.master()
    await replace_master(old)

    async def switched() -> bool:
        return await world.master() is not old

    await until_true(switched)
    seen = time.monotonic()
    await asyncio.sleep(AFTER_S)
    served = len(load.accepted)
    async with asyncio.timeout(180):
        while len(load.accepted) < served + SUBMITS_PER_S:  # noqa: ASYNC110  # the load's own
            await asyncio.sleep(0.05)
    load.stop()
    await running
    ends = await load.ends()
    assert await Accounts(storage).audit() == []
    return load, seen, ends


@pytest.mark.settings(limits={"unfinished_tasks_per_account": 100}, redis={"timeout_s": 2.0})
@pytest.mark.gen_test(timeout=240)
async def test_a_planned_failover_under_load_loses_nothing(
    redis_server: SentinelWorld, storage: OpenStorage, http_client: AsyncHTTPClient, base_url: str, standin: Any
) -> None:
    async def fail_over(_old: Node) -> None:
        await redis_server.sentinel("FAILOVER", "mymaster")

    load, switched, ends = await under_load(redis_server, storage, http_client, base_url, fail_over)
    assert {end["status"] for end in ends} == {"completed"}
    assert max(load.accepted) > max([switched, *load.refused]), "and in the end everybody is served"
    assert await wrongly_charged(storage, ends) == []


@pytest.mark.settings(limits={"unfinished_tasks_per_account": 100}, redis={"timeout_s": 2.0})
@pytest.mark.gen_test(timeout=240)
async def test_a_master_that_is_killed_under_load_loses_nothing(
    redis_server: SentinelWorld, storage: OpenStorage, http_client: AsyncHTTPClient, base_url: str, standin: Any
) -> None:
    async def kill(old: Node) -> None:
        old.stop_hard()

    load, switched, ends = await under_load(redis_server, storage, http_client, base_url, kill)
    assert {end["status"] for end in ends} == {"completed"}
    assert max(load.accepted) > max([switched, *load.refused]), "and in the end everybody is served"
    assert await wrongly_charged(storage, ends) == []


async def wrongly_charged(storage: OpenStorage, ends: list[dict[str, Any]]) -> list[str]:
    """Name the tasks whose charge is not in the ledger exactly once, and the charges that no document reports."""
    told = {(end["account_id"], end["task_id"]): end["tokens_used"] for end in ends}
    charges: dict[tuple[str, str], list[int]] = {task: [] for task in told}
    async for account_id in Accounts(storage).ids():
        entries, _ = await Accounts(storage).ledger(account_id, limit=WHOLE_LEDGER)
        for entry in entries:
            if entry.kind == "settle":
                charges.setdefault((account_id, entry.task_id), []).append(entry.tokens)
    return [
        f"{task_id}: told {told.get((account_id, task_id))}, charged {charged}"
        for (account_id, task_id), charged in charges.items()
        if charged != [told.get((account_id, task_id))]
    ]
