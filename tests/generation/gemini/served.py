"""A server that answers with the very bytes it was given, and an observer that writes down what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from generation.gemini import Usage


@dataclass
class Recorder:
    """An observer of ``Gemini.generate``."""

    happened: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    first_text: asyncio.Event = field(default_factory=asyncio.Event)
    followed: bool = False

    async def request_sent(self) -> None:
        self.happened.append("sent")
        self.sent.set()

    async def text(self, piece: str) -> bool:
        self.happened.append("text")
        self.pieces.append(piece)
        self.first_text.set()
        return not self.said.isspace()

    def restart(self) -> None:
        self.pieces.clear()

    def usage(self, usage: Usage) -> None:
        self.usages.append(usage)

    @property
    def totals(self) -> list[int]:
        return [usage.total for usage in self.usages]

    @property
    def said(self) -> str:
        return "".join(self.pieces)


@dataclass
class Recorded:
    """One recorded answer, and the expectations of it. ``piece``: bytes per chunk; 0: all at once, with a length."""

    body: bytes
    http_status: int = 200
    content_type: str = "application/json; charset=UTF-8"
    piece: int = 0
    url: str = ""
    requests: list[bytes] = field(default_factory=list)

    def bytes_on_the_wire(self) -> bytes:
        head = f"HTTP/1.1 {self.http_status} Recorded\r\nContent-Type: {self.content_type}\r\n"
        if not self.piece:
            return f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body
        pieces = [self.body[at : at + self.piece] for at in range(0, len(self.body), self.piece)]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"


@asynccontextmanager
async def serve(recorded: Recorded) -> AsyncIterator[Recorded]:
    """Serve it on loopback; its ``url`` says where."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                recorded.requests.append(head + await reader.readexactly(length))
                writer.write(recorded.bytes_on_the_wire())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    recorded.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield recorded
