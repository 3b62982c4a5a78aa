"""Connections that cannot be made, that break, or that speak something else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from generation.gemini.errors import ConnectionFailed, MalformedAnswer, RateLimited, ServerFailed, TimedOut
from tests.generation.gemini.conftest import MakeGemini, ask
from tests.generation.gemini.served import Recorded, serve


@asynccontextmanager
async def _listening_without_accepting() -> AsyncIterator[str]:
    """A port whose queue of connections is full, so that connecting takes for ever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _filler in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.gen_test(timeout=60)
async def test_connecting_is_bounded_by_itself(make_gemini: MakeGemini) -> None:
    async with _listening_without_accepting() as url:
        gemini = await make_gemini(base_url=url, connect_timeout_s=0.1, tries=2)
        with pytest.raises(TimedOut) as caught:
            await ask(gemini)
    assert caught.value.facts == {"limit": "connect", "phase": "connecting"}


@pytest.mark.gen_test(timeout=60)
async def test_a_refused_connection_and_an_unknown_host_are_connections_that_failed(make_gemini: MakeGemini) -> None:
    for url in ("http://127.0.0.1:9", "http://no-such-host.invalid"):
        with pytest.raises(ConnectionFailed) as caught:
            await ask(await make_gemini(base_url=url, tries=1))
        assert caught.value.strikes


@pytest.mark.gen_test(timeout=60)
async def test_a_server_that_does_not_speak_tls_is_a_connection_that_failed(make_gemini: MakeGemini) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectionFailed):
            await ask(await make_gemini(base_url=url, tries=1))


@pytest.mark.gen_test(timeout=60)
async def test_what_is_not_http_is_malformed(make_gemini: MakeGemini) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(MalformedAnswer):
            await ask(await make_gemini(base_url=url, tries=1))


@pytest.mark.gen_test(timeout=60)
async def test_an_error_whose_body_breaks_off_is_named_by_its_status(make_gemini: MakeGemini) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 429 Too Many\r\nContent-Length: 1000\r\n\r\n{"error": {"code": 4')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(RateLimited):
            await ask(await make_gemini(base_url=url, tries=1))


@pytest.mark.gen_test(timeout=60)
async def test_an_error_of_any_size_is_read_within_bounds(make_gemini: MakeGemini) -> None:
    async with serve(Recorded(b"x" * 5_000_000, http_status=503, piece=65_536)) as recorded:
        with pytest.raises(ServerFailed):
            await ask(await make_gemini(base_url=recorded.url, tries=1))


@pytest.mark.gen_test(timeout=60)
async def test_a_connection_that_the_server_closed_meanwhile_costs_one_try_at_most(make_gemini: MakeGemini) -> None:
    answered = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        await reader.readuntil(b"\r\n\r\n")
        answered += 1
        body = b'{"candidates":[{"content":{"parts":[{"text":"Hi."}]},"finishReason":"STOP"}]}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        await reader.read(1)
        writer.transport.abort()  # the next request meets a connection that is gone

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        gemini = await make_gemini(base_url=url, stream=False)
        assert (await ask(gemini)).tries == 1
        assert (await ask(gemini)).tries <= 2
    assert answered == 2
