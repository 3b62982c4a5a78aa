"""How many event streams and waits an account may have open."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

from composition import Service
from tests.support.rate_limit_fields import limit_of
from tests.support.raw_http import connected, request
from tests.support.storage import OpenStorage
from tests.support.whole_server import START, Client, make_client

SLOW = "Write a menu. [[standin:delay=30]]"


@pytest.mark.gen_test
@pytest.mark.settings(limits={"streams_per_account": 2})
async def test_one_stream_too_many_is_429_and_a_closed_one_makes_room(
    client: Client, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    task_id = await client.start(SLOW)
    version = (await client.status(task_id, "?wait=20&after=4")).json["version"]
    described = (await client.ask("GET", "/openapi.json")).json["paths"]
    address = ("127.0.0.1", urlsplit(client.base_url).port or 0)
    events = request("GET", f"{START}events/{task_id}/", f"Bearer {client.api_key}")
    async with connected(address) as kept:
        async with connected(address) as closed:
            for wire in (kept, closed):
                wire.writer.write(events)
                assert b"200 OK" in await wire.reader.readline()
            for path in (f"events/{task_id}/", f"status/{task_id}/?wait=20&after={version}"):
                refused = await client.ask("GET", START + path)
                assert (refused.status, refused.json["error_code"]) == (429, "too_many_streams")
                assert int(refused.headers["Retry-After"]) > 0
                assert limit_of(refused.headers) == ("streams", {"q": 2, "qu": "concurrent-requests", "r": 0})
                assert "429" in described[START + path.split("/")[0] + "/{task_id}/"]["get"]["responses"]
            assert (await client.status(task_id)).status == 200  # a poll needs no place
            other = await make_client(storage, http_client, base_url, tokens=1_000)
            theirs = await other.start("Write a menu.")
            assert (await other.status(theirs, "?wait=1")).status == 200  # nobody else is limited by it

        async def has_room() -> bool:
            return (await client.status(task_id, f"?wait=1&after={version}")).status == 200

        async with asyncio.timeout(180):
            while not await has_room():  # noqa: ASYNC110  # the server hears of it when the kernel tells
                await asyncio.sleep(0.02)
    await client.ask("POST", f"{START}cancel/{task_id}/")


@pytest.mark.gen_test
async def test_the_drain_survives_clients_that_leave_while_it_ends_their_streams(
    client: Client, service: Service
) -> None:
    task_id = await client.start(SLOW)
    await client.status(task_id, "?wait=20&after=4")
    address = ("127.0.0.1", urlsplit(client.base_url).port or 0)
    events = request("GET", f"{START}events/{task_id}/", f"Bearer {client.api_key}")
    wires = [connected(address) for _ in range(15)]
    for each in wires:
        wire = await each.__aenter__()
        wire.writer.write(events)
        assert b"200 OK" in await wire.reader.readline()
    for each in wires:
        await each.__aexit__(None, None, None)  # they leave …
    for wait_scope in service.open_requests.waiting:
        wait_scope.end()  # … in the moment in which the process ends their wait
        wait_scope.end()
    assert await service.open_requests.drain(20)
    assert not service.open_requests.count
    await client.ask("POST", f"{START}cancel/{task_id}/")


@pytest.mark.gen_test
async def test_metrics_are_rendered_once_a_second_at_most(client: Client) -> None:
    pages = [(await client.ask("GET", "/metrics")).body for _ in range(3)]
    assert len(set(pages)) <= 2  # each request is counted, so a page of its own would differ
    async with asyncio.timeout(180):
        while (await client.ask("GET", "/metrics")).body in pages:  # noqa: ASYNC110  # a clock decides
            await asyncio.sleep(0.1)
