"""A backend that receives webhooks, over real HTTP."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.support.recording_server import RecordingServer, serve

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


class Receiver(RecordingServer[Received]):
    """``answers`` are the statuses and headers of the next answers, then 204."""

    route = "/hooks/"

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[int, dict[str, str]]] = []

    def record(self, path: str, headers: dict[str, str], body: bytes) -> Received:
        return Received(headers, body)

    def answer(self, path: str) -> web.Response:
        status, headers = self.answers.pop(0) if self.answers else (204, {})
        return web.Response(status=status, headers=headers)

    def tries(self) -> Counter[str]:
        """Count the tries by webhook-id."""
        return Counter(received.id for received in self.received)


@asynccontextmanager
async def serve_receiver(port: int = 0) -> AsyncIterator[Receiver]:
    """Serve on this port of this machine, 0 for a free one; ``url`` is the one for the webhooks."""
    async with serve(Receiver(), port) as receiver:
        receiver.url += receiver.route
        yield receiver
