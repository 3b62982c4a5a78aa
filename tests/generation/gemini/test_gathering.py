"""Bytes that nobody waits for gather in the kernel, and come out whole and at once when they are wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from generation.gemini.gathering import BYTES, Gathering

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG_S = 3_600.0  # a pause that only something else than its time ends


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Streaming:
    """An answer whose bytes the test sends, and the pauses of its reader."""

    def __init__(self, response: aiohttp.ClientResponse, writer: asyncio.StreamWriter) -> None:
        self.response = response
        self._writer = writer
        self.hurried = False
        began_at = asyncio.get_running_loop().time() - 100 * LONG_S
        self.gathering = Gathering(response, began_at, lambda: self.hurried, longest_s=LONG_S)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def paused(self) -> asyncio.Task[None]:
        pause = asyncio.create_task(self.gathering.pause())
        await asyncio.sleep(0)
        return pause

    @property
    def taken(self) -> int:
        return self.response.content.total_bytes


@asynccontextmanager
async def streaming() -> AsyncIterator[Streaming]:
    writers: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + chunk(b"first"))
        await writers.put(writer)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = "http://{}:{}/".format(*server.sockets[0].getsockname())
    async with server, aiohttp.ClientSession() as session, session.get(url) as response:
        writer = await writers.get()
        assert await response.content.readexactly(5) == b"first"
        yield Streaming(response, writer)
        writer.close()


async def another_exchange() -> None:
    """Send a byte over another connection and read it: what was sent before has arrived, and the loop has had turns."""
    async with streaming():
        pass


@pytest.mark.gen_test
async def test_a_piece_does_not_wake_a_paused_reader_and_is_there_when_the_pause_ends() -> None:
    async with streaming() as stream:
        pause = await stream.paused()
        await stream.send(chunk(b"second"))
        await another_exchange()
        assert (stream.taken, pause.done()) == (5, False)
        pause.cancel()
        await asyncio.gather(pause, return_exceptions=True)
        assert await stream.response.content.readany() == b"second"
        await stream.send(chunk(b"third"))
        assert await stream.response.content.readany() == b"third"


@pytest.mark.gen_test
async def test_much_at_once_is_taken_from_the_kernel_before_its_buffer_is_full() -> None:
    async with streaming() as stream:
        pause = await stream.paused()
        await stream.send(chunk(b"x" * 2 * BYTES))
        assert await stream.response.content.readany()
        pause.cancel()


@pytest.mark.gen_test
async def test_nothing_gathers_while_somebody_waits_or_after_the_end() -> None:
    async with streaming() as stream:
        stream.hurried = True
        await stream.gathering.pause()
        stream.hurried = False
        await stream.send(chunk(b""))
        assert await stream.response.content.read() == b""
        await stream.gathering.pause()


@pytest.mark.gen_test
async def test_the_end_of_a_connection_in_a_pause_is_seen_after_it() -> None:
    async with streaming() as stream:
        pause = await stream.paused()
        await stream.send(chunk(b"second") + b"0\r\n\r\n")
        await another_exchange()
        assert stream.taken == 5
        pause.cancel()
        await asyncio.gather(pause, return_exceptions=True)
        assert await stream.response.content.read() == b"second"
