"""Is the process up, may it take traffic, and what its metrics say."""

from __future__ import annotations

from handlers.api import JsonHandler
from runtime.metrics import CONTENT_TYPE


class LiveHandler(JsonHandler):
    """GET /health/live: the event loop turns."""

    async def get(self) -> None:
        self.write_json({"status": "ok"})


class ReadyHandler(JsonHandler):
    """GET /health/ready: Redis answers and the process is not about to stop."""

    async def get(self) -> None:
        reason = await self.services.not_ready()
        self.set_status(503 if reason else 200)
        if reason:
            self.set_header("Retry-After", "1")
        self.write_json({"status": reason or "ok"})


class MetricsHandler(JsonHandler):
    """GET /metrics, in Prometheus' text format."""

    async def get(self) -> None:
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(self.services.metrics.render())
