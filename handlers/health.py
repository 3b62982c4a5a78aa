"""Health and metrics: whether the process is up, whether it may take traffic, and its numbers."""

from __future__ import annotations

import time
from collections.abc import Callable

from handlers.base import BaseHandler
from runtime.metrics import CONTENT_TYPE


class OncePerSecond:
    """Renders a page once a second at most, however many requests there are: it needs no key."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._page = b""
        self._good_until = 0.0

    def __call__(self) -> bytes:
        if (now := time.monotonic()) >= self._good_until:
            self._page, self._good_until = self._render(), now + 1.0
        return self._page


class LiveHandler(BaseHandler):
    """GET /health/live: the event loop turns."""

    async def get(self) -> None:
        self.write_json({"status": "ok"})


class ReadyHandler(BaseHandler):
    """GET /health/ready: Redis answers and the process is not about to stop."""

    async def get(self) -> None:
        reason = await self.services.not_ready()
        self.set_status(503 if reason else 200)
        if reason:
            self.set_header("Retry-After", "1")
        self.write_json({"status": reason or "ok"})


class MetricsHandler(BaseHandler):
    """GET /metrics, in Prometheus' text format."""

    async def get(self) -> None:
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(self.services.metrics_page())
