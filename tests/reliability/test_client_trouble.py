"""Clients that are slow, silent, many, or gone: bounded, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.chaos.world import World
from tests.support.judged_world import in_a_world, slow_prompt

pytestmark = pytest.mark.slow

MANY = 5_000


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def closed_within(reader: asyncio.StreamReader, seconds: float) -> bytes:
    """Read until the server closes; a server that never does is an error."""
    async with asyncio.timeout(seconds):
        with contextlib.suppress(ConnectionResetError):
            return await reader.read()
    return b""


def test_slow_heads_and_half_bodies_are_ended() -> None:
    async def scenario(world: World) -> None:
        server = await world.serve(server__header_timeout_s=1, server__body_timeout_s=1)
        client = await world.client()
        slow_head, one = await open_with(server.url, b"GET /health/live HT")
        half_body, other = await open_with(
            server.url,
            b"POST /api/v1/web-knowledge/generate-prompt-async/ HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nAuthorization: Bearer "
            + client.api_key.encode()
            + b"\r\nContent-Length: 1000\r\n\r\n{",
        )
        await closed_within(slow_head, 60)
        await closed_within(half_body, 60)
        for writer in (one, other):
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        assert (await client.finished(await client.submit(slow_prompt(0))))["status"] == "completed"

    in_a_world(scenario)


async def open_with(url: str, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await connect(url)
    writer.write(data)
    await writer.drain()
    return reader, writer


def test_five_thousand_silent_connections_cost_little_and_disturb_nobody() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * MANY:
        pytest.skip(f"{hard} file descriptors are not enough")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    async def scenario(world: World) -> None:
        server = await world.serve()
        client = await world.client()
        await client.finished(await client.submit(slow_prompt(0)))
        before = resident_bytes(server.process.pid)
        silent = [await connect(server.url) for _ in range(MANY)]
        final = await client.finished(await client.submit(slow_prompt(0)))
        assert final["status"] == "completed"
        assert resident_bytes(server.process.pid) - before < MANY * 4_096
        for _reader, writer in silent:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _reader, writer in silent), return_exceptions=True)

    try:
        in_a_world(scenario)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_out_of_file_descriptors_newcomers_wait_and_are_served_later() -> None:
    async def scenario(world: World) -> None:
        server = await world.serve()
        client = await world.client()
        task_id = await client.submit(slow_prompt(3))
        while (await client.poll(task_id) or {}).get("progress", 0) < 70:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)  # from there on it needs no new descriptor
        pid = server.process.pid
        few = len(list(Path(f"/proc/{pid}/fd").iterdir())) + 5
        _soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, hard))
        silent = [await connect(server.url) for _ in range(10)]
        newcomer, asked = await open_with(
            server.url, b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        final = await client.finished(task_id)
        assert final["status"] == "completed", f"who was connected goes on: {final}"
        assert "no_file_descriptors" in server.process.log()
        for _reader, writer in silent:
            writer.close()
        assert (await closed_within(newcomer, 60)).startswith(b"HTTP/1.1 200 OK")
        asked.close()

    in_a_world(scenario)


def test_clients_that_disappear_do_not_end_their_tasks() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client()
        tasks = [await client.submit(slow_prompt(0.5)) for _ in range(5)]
        for task_id in tasks:
            with contextlib.suppress(TimeoutError):
                path = f"/api/v1/web-knowledge/generate-prompt-async/status/{task_id}/?wait=20&after=90"
                await client.ask("GET", path, timeout_s=0.05)
        for task_id in tasks:
            assert (await client.finished(task_id))["status"] == "completed"

    in_a_world(scenario)
