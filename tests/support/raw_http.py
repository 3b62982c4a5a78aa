"""A client that sends bytes as it is told, for what no HTTP library would send; and documents to poll for."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.whole_server import BASE

BROWSER = (
    ("Connection", "keep-alive"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"),
    ("Accept", "application/json, text/plain, */*"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-US,en;q=0.9"),
)


@dataclass(frozen=True)
class RawAnswer:
    """An answer as it came; ``lines`` are the header lines in their order."""

    status: int
    lines: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return next(value for given, value in self.lines if given.lower() == name.lower())

    def __contains__(self, name: str) -> bool:
        return any(given.lower() == name.lower() for given, _ in self.lines)

    @property
    def constant(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """What equal requests are answered with alike: all but the date and the request id."""
        lines = [(name, "…" if name in ("Date", "X-Request-Id") else value) for name, value in self.lines]
        return self.status, lines, re.sub(rb'"request_id":"[0-9a-f]{16}"', b"", self.body)


class RawConnection:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, *parts: bytes) -> RawAnswer:
        """Send the parts, each in a segment of its own if the kernel allows, and read one answer."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)
        return await self.answer()

    async def answer(self) -> RawAnswer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        lines = tuple((line.partition(": ")[0], line.partition(": ")[2]) for line in head[1:-2])
        length = next((int(value) for name, value in lines if name == "Content-Length"), 0)
        return RawAnswer(int(head[0].split()[1]), lines, await self.reader.readexactly(length))

    async def ended(self, within_s: float = 90.0) -> bytes:
        """Read until the server closes; return what came before."""
        async with asyncio.timeout(within_s):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def connected(address: tuple[str, int] | str) -> AsyncIterator[RawConnection]:
    """Connect to a TCP address or a Unix socket's path."""
    opening = asyncio.open_unix_connection(address) if isinstance(address, str) else asyncio.open_connection(*address)
    reader, writer = await opening
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.close()


def request(method: str, path: str, authorization: str, *extra: tuple[str, str]) -> bytes:
    """Render a request with a browser's headers."""
    headers = (("Host", "app.example"), *BROWSER, ("Authorization", authorization), *extra)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def poll(task_id: str, authorization: str, *extra: tuple[str, str]) -> bytes:
    return request("GET", f"{BASE}/generate-prompt-async/status/{task_id}/", authorization, *extra)


def new_task_id() -> str:
    return str(uuid.uuid4())


def document(version: int = 1, status: str = "processing", text: str = "") -> bytes:
    return f'{{"status":"{status}","progress":50,"message":"…","prompt":"{text}","version":{version}}}'.encode()
