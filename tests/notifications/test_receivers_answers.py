"""An answer that says that a webhook has arrived is believed, however odd the rest of it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from notifications import open_webhook_session
from runtime.settings import WebhookSettings

ANSWERS = {
    "a 204 with a body": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nOK",
    "a 204 in chunks": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
    "bytes after the end": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK\r\n\r\n",
    "a broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nOK",
    "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\nContent-Length: 2\r\n\r\nOK",
    "a body cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nOK",
    "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nOK",
    "another answer before it": b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.gen_test
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_an_answer_of_success_counts_whatever_follows_its_first_line(answer: bytes) -> None:
    connections = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # until the client closes
            while await reader.readuntil(b"{}"):
                writer.write(answer)
                await writer.drain()
                if answer == ANSWERS["a body cut short"]:
                    break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        async with open_webhook_session(WebhookSettings()) as session:
            for _ in range(2):  # what followed the first answer is not taken for the second's
                async with session.post(f"http://{host}:{port}/", data=b"{}", allow_redirects=False) as response:
                    assert response.ok
        await asyncio.gather(*filter(None, connections))
