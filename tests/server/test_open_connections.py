"""The number of open connections, as a scrape sees it."""

from __future__ import annotations

import asyncio

import pytest
from tornado.netutil import bind_sockets

from composition import Service
from tests.support.whole_server import Client


async def counted(client: Client) -> float:
    text = (await client.ask("GET", "/metrics")).body.decode()
    return float(next(line for line in text.splitlines() if line.startswith("prompt_http_connections ")).split()[1])


async def until_counted(client: Client, number: int) -> None:
    while await counted(client) != number:  # noqa: ASYNC110  # the server decides
        await asyncio.sleep(0.05)


@pytest.mark.gen_test
async def test_the_metrics_count_connections_that_ask_nothing(client: Client, service: Service) -> None:
    """The client's own requests come another way, so that only these two are counted."""
    sockets = bind_sockets(0, "127.0.0.1")
    service.connections.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    await until_counted(client, 0)
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    await until_counted(client, 2)
    for _, writer in opened:
        writer.close()
    await until_counted(client, 0)
