"""A body that is larger than its route takes: 413 at once, in words, and the end of the connection."""

from __future__ import annotations

import asyncio
import json
import time
import uuid

import pytest

from composition import Service
from tests.support.own_connections import head, served
from tests.support.raw_http import connected
from tests.support.whole_server import START, SYNCHRONOUS, Client

ROUTES = ["/", "/health/live", "/metrics", "/nothing", f"{START}cancel/{uuid.UUID(int=7)}/", START, SYNCHRONOUS]


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ROUTES)
async def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(
    client: Client, service: Service, path: str
) -> None:
    for method in ("POST", "GET"):
        async with connected(served(service)) as wire:
            answer = await wire.ask(head(client, path, "Content-Length: 400000000", method=method))
            assert (answer.status, json.loads(answer.body)["error_code"]) == (413, "body_too_large")
            assert await wire.ended() == b""


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ROUTES)
async def test_a_body_without_end_is_refused_as_soon_as_it_is_too_large(
    client: Client, service: Service, path: str
) -> None:
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    async with connected(served(service)) as wire:
        wire.writer.write(head(client, path, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        answering = asyncio.create_task(wire.answer())
        sent = 0
        while not answering.done() and sent < 40_000_000:
            wire.writer.write(chunk)
            await wire.writer.drain()
            await asyncio.sleep(0)
            sent += len(chunk)
        answer = await answering
        assert (answer.status, json.loads(answer.body)["error_code"]) == (413, "body_too_large")
        assert sent < 20_000_000  # the limit, and what the kernel holds


@pytest.mark.gen_test
async def test_a_small_body_where_none_is_expected_does_no_harm(client: Client, service: Service) -> None:
    async with connected(served(service)) as wire:
        for path in ("/health/live", "/nothing", START):
            answer = await wire.ask(head(client, path, "Content-Length: 2", method="GET") + b"{}")
            assert answer.status == (404 if path == "/nothing" else 200)


@pytest.mark.gen_test
@pytest.mark.settings(server={"body_timeout_s": 0.5})
async def test_who_does_not_finish_a_body_is_cut_off(client: Client, service: Service) -> None:
    async with connected(served(service)) as wire:
        began = time.monotonic()
        wire.writer.write(head(client, START, "Content-Type: application/json", "Content-Length: 1000") + b"{")

        async def drip() -> None:
            while True:
                await asyncio.sleep(0.05)
                wire.writer.write(b" ")

        dripping = asyncio.create_task(drip())
        await wire.ended(within_s=60)
        dripping.cancel()
        assert time.monotonic() - began >= 0.4
