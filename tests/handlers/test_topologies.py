"""The whole server behind Sentinels and on a cluster: a generation, its events, money, and its cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.crc import key_slot
from tornado.httpclient import AsyncHTTPClient

from accounts import Accounts
from storage import transport
from tests.support.servers import each_server
from tests.support.storage import OpenStorage
from tests.support.topologies import ClusterWorld, cluster, sentinels
from tests.support.whole_server import BASE, Client, make_client

pytestmark = pytest.mark.slow

MANUAL = "You are the assistant of Bakery Sonne, Main Street 5. Open 7-18. Call +49 30 1234567."
ACCOUNTS = 6  # enough for all nodes


@pytest.fixture(params=["sentinel", "cluster"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=each_server())
def redis_server(request: pytest.FixtureRequest, kind: str, io_loop: Any) -> Iterator[Any]:
    """What the shared fixtures take for a server: something with a URL."""
    stack = AsyncExitStack()
    opening = (sentinels if kind == "sentinel" else cluster)(str(request.param))
    yield io_loop.run_sync(lambda: stack.enter_async_context(opening))
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def stack(redis_server: Any, stack: AsyncExitStack) -> AsyncExitStack:  # ends after the server process
    return stack


@pytest.mark.gen_test
async def test_accounts_on_every_node_generate_pay_and_cancel(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    clients = [await make_client(storage, http_client, base_url, tokens=10_000) for _ in range(ACCOUNTS)]

    async def generate(client: Client) -> None:
        final = await client.finished(await client.start(MANUAL))
        assert final["generated_by_ai"] is True
        account = await Accounts(storage).show(client.account_id)
        assert (account.tokens_charged, account.tokens_held) == (final["tokens_used"], 0)
        task_id = await client.start(f"{MANUAL} [[standin:delay=20]]")
        cancelled = await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")
        assert cancelled.json["error_code"] == "cancelled"
        events = await client.ask("GET", f"{BASE}/generate-prompt-async/events/{task_id}/")
        assert b"event: end" in events.body

    await asyncio.gather(*map(generate, clients))
    assert await Accounts(storage).audit() == []
    ready = await clients[0].ask("GET", "/health/ready")
    assert ready.status == 200


async def generate_until(done: asyncio.Event, client: Client) -> int:
    """Submit and poll one task after the other, return how many; an answer that is none of 202 and 200 raises."""
    generations = 0
    while not done.is_set():
        task_id = await client.start(f"{MANUAL} [[standin:delay=0.05]]")
        assert (await client.status(task_id)).status == 200
        assert (await client.finished(task_id))["generated_by_ai"] is True
        generations += 1
    return generations


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", ["cluster"], indirect=True)
@pytest.mark.settings(redis={"timeout_s": 60})
async def test_resharding_a_node_that_is_added_and_one_that_is_drained_refuse_no_submit_and_no_poll(
    http_client: AsyncHTTPClient,
    base_url: str,
    storage: OpenStorage,
    redis_server: ClusterWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slots move key by key, those of accounts that submit and poll among them."""
    monkeypatch.setattr(transport, "SLOT_MOVES_S", 120.0)
    world = redis_server
    clients = [await make_client(storage, http_client, base_url, tokens=1_000_000) for _ in range(3)]
    done = asyncio.Event()

    async def reshard() -> None:
        added = await world.add_node()
        for client in clients:
            slot = key_slot(storage.key(client.account_id, "account").encode())
            await world.move_slot(slot, await world.owner(slot), added)
        await world.drain(added, world.nodes[0])
        await world.remove(added)

    async def reshard_then_end() -> None:
        try:
            await reshard()
        finally:
            done.set()

    *generations, _ = await asyncio.gather(*(generate_until(done, client) for client in clients), reshard_then_end())
    assert all(generations)
    assert await Accounts(storage).audit() == []
