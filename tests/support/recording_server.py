"""An HTTP server that records the POSTs it receives, answers as a test says, or hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from aiohttp import web

Record = TypeVar("Record")
Server = TypeVar("Server", bound="RecordingServer[Any]")
# A connection that was accepted in the last turn gets its protocol in the next two; before that nobody would close it.
ACCEPTED_WITHIN_TURNS = 5


class RecordingServer(Generic[Record]):
    """``hangs`` keeps every request without an answer; ``most_open`` counts those open at the same time."""

    route = "/"

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Record] = []
        self.hangs = False
        self.open = self.most_open = 0
        self.arrived = asyncio.Event()

    def record(self, path: str, headers: dict[str, str], body: bytes) -> Record:
        """Make the record of a request; the names of its headers are in small letters."""
        raise NotImplementedError

    def answer(self, path: str) -> web.Response:
        raise NotImplementedError

    async def handle(self, request: web.Request) -> web.Response:
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            headers = {name.lower(): text for name, text in request.headers.items()}
            self.received.append(self.record(request.path, headers, await request.read()))
            self.arrived.set()
            while self.hangs:  # noqa: ASYNC110  # a test sets it
                await asyncio.sleep(0.05)
            return self.answer(request.path)
        finally:
            self.open -= 1

    async def has(self, count: int, within_s: float = 90.0) -> list[Record]:
        """Wait until so many requests have come, and return all."""
        async with asyncio.timeout(within_s):
            while len(self.received) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.received


@asynccontextmanager
async def serve(server: Server, port: int = 0) -> AsyncIterator[Server]:
    """Serve on this port of this machine, 0 for a free one; ``url`` is its origin."""
    app = web.Application()
    app.router.add_post(server.route, server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.hangs = False
        await site.stop()
        for _turn in range(ACCEPTED_WITHIN_TURNS):
            await asyncio.sleep(0)
        await runner.cleanup()
