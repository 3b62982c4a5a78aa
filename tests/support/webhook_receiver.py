"""A backend that takes webhooks: real HTTP, told how to answer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + "c2VjcmV0LXRoYXQtaXMtbmV3ZXItYW5kLWxvbmdlcg=="


@dataclass(frozen=True)
class Received:
    """One try, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """``answers`` are the statuses of the next tries, then 204; ``hangs`` keeps every try without an answer."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.hangs = False
        self.open = self.most_open = 0
        self.news = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            body = await request.read()
            self.received.append(Received({name.lower(): text for name, text in request.headers.items()}, body))
            self.news.set()
            while self.hangs:  # noqa: ASYNC110  # a test sets it
                await asyncio.sleep(0.05)
            status, headers = self.answers.pop(0) if self.answers else (204, {})
            return web.Response(status=status, headers=headers)
        finally:
            self.open -= 1

    async def has(self, count: int, within_s: float = 90.0) -> list[Received]:
        """Wait until so many tries have come, and return all."""
        async with asyncio.timeout(within_s):
            while len(self.received) < count:
                self.news.clear()
                await self.news.wait()
        return self.received

    def tries(self) -> Counter[str]:
        """Count the tries by webhook-id."""
        return Counter(received.id for received in self.received)


@asynccontextmanager
async def serve_receiver() -> AsyncIterator[Receiver]:
    """Serve on a free port of this machine."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hooks/", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/"
    try:
        yield receiver
    finally:
        receiver.hangs = False
        await runner.cleanup()
