"""A TCP proxy that misbehaves on demand, for faults that a real server cannot be asked to make."""

from __future__ import annotations

import asyncio
import socket
import struct
from types import TracebackType


class Proxy:
    """Passes bytes to ``target_port`` on loopback; an async context manager whose ``port`` stands for the server.

    ``delay_s`` holds back each piece of an answer, and no connection gets more than ``bytes_per_s``. While it is
    ``silent``, a connection that should have an answer gets none any more, for good; it falls silent by itself before
    it passes on ``falls_silent_at``, once. ``resets`` is how many times an answer is cut after its first byte by a
    reset connection. While it ``ends_after_hello``, a connection ends when its first answer, the one to HELLO, has been
    passed on.
    ``target_port`` may change; connections stay as they are.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.delay_s = 0.0
        self.bytes_per_s = float("inf")
        self.silent = False
        self.falls_silent_at = b""
        self.resets = 0
        self.ends_after_hello = False
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _connected(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        writers = {client_out}
        try:
            server_in, server_out = await asyncio.open_connection("127.0.0.1", self.target_port)
            writers.add(server_out)
            self._writers |= writers
            await asyncio.gather(
                self._ask(client_in, server_out), self._answer(server_in, client_out), return_exceptions=True
            )
        except OSError:
            client_out.transport.abort()  # the server is away, and so are we
        finally:
            for writer in writers:
                writer.close()
            self._writers -= writers
            self._tasks.discard(task)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self.falls_silent_at and self.falls_silent_at in data:
                self.falls_silent_at, self.silent = b"", True
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silenced = False  # for good: a stream goes on where it stopped or not at all
        while data := await reader.read(65_536):
            silenced = silenced or self.silent
            if silenced:
                continue
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await asyncio.sleep(len(data) / self.bytes_per_s)
            if self.resets:
                self.resets -= 1
                writer.write(data[:1])
                await writer.drain()
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() sends RST
                writer.transport.abort()
                return
            writer.write(data)
            await writer.drain()
            if self.ends_after_hello:
                break
        writer.close()
