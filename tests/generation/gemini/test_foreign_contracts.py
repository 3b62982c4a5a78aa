"""What Gemini's client relies on of aiohttp beyond its documentation: a version that breaks it fails here."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp
import pytest


@pytest.mark.gen_test
async def test_a_chunk_is_reported_as_sent_before_it_is_written() -> None:
    """So a request that is lost on its way counts as sent: Google may have billed it."""
    received: list[bytes] = []
    seen_at_report: list[int] = []
    reported = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            received.append(await reader.readuntil(b"the body"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def sent(_session: Any, _context: Any, _parameters: Any) -> None:
        await asyncio.sleep(0.05)  # time in which a server would have read what was written
        seen_at_report.append(len(received))
        reported.set()

    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(sent)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with (
        server,
        aiohttp.ClientSession(trace_configs=[trace]) as session,
        session.post(url, data=b"the body") as answer,
    ):
        assert answer.status == 200
    assert reported.is_set()
    assert seen_at_report[0] == 0
    assert received[0].endswith(b"the body")


@pytest.mark.gen_test
async def test_what_came_before_a_reset_is_raised_over_and_can_still_be_taken() -> None:
    """So an answer that was whole when its connection broke is used: Google has billed it."""
    everything_arrived = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe beginning")
        await writer.drain()
        await everything_arrived.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, aiohttp.ClientSession() as session, session.get(url) as answer:
        while answer.content.total_bytes < len(b"the beginning"):  # noqa: ASYNC110  # the kernel decides
            await asyncio.sleep(0)
        everything_arrived.set()
        while answer.content.exception() is None:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0)
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.readany()
        assert answer.content._read_nowait(-1) == b"the beginning"
        assert answer.content._read_nowait(-1) == b""
