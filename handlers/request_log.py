"""One line of the log and one count for each request that Tornado has answered.

Of refusals (4xx) a second has a bounded number of lines, so that a flood of them costs little and drowns nothing; the
rest are counted in one line a second. Refuses to know what a request was for.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from contextvars import Context

import structlog
from tornado.web import RequestHandler

from handlers.base import BaseHandler
from runtime.logs import logged_path
from runtime.metrics import SUBMIT_ROUTES, Metrics

log = structlog.get_logger("request")

REFUSALS_A_SECOND = 20  # that have a line of their own


class RequestLog:
    """Tornado's ``log_function``; ``names`` are the routes' names by handler."""

    def __init__(self, metrics: Metrics, names: Mapping[type[RequestHandler], str]) -> None:
        self._metrics = metrics
        self._names = names
        self._second_ends = 0.0
        self._lines_left = 0
        self._counted: Counter[tuple[str, int]] = Counter()  # refusals without a line, by route and status

    def __call__(self, handler: RequestHandler) -> None:
        request, status = handler.request, handler.get_status()
        route = self._names.get(getattr(handler, "stands_for", type(handler)), "unknown")
        now = time.monotonic()
        duration_s = now - handler.began_at if isinstance(handler, BaseHandler) else 0.0
        if route in SUBMIT_ROUTES and request.method == "POST" and isinstance(handler, BaseHandler):
            self._metrics.submit_answered(handler.outcome)
        self._metrics.request_answered(route, request.method or "", status, duration_s)
        if 400 <= status < 500 and not self._has_line(route, status, now):
            return
        write = log.warning if status >= 500 else log.info
        write(
            "request",
            method=request.method,
            route=route,
            path=logged_path(request.path),
            status=status,
            duration_ms=round(1000 * duration_s, 1),
            request_id=handler.request_id if isinstance(handler, BaseHandler) else "",
        )

    def _has_line(self, route: str, status: int, now: float) -> bool:
        """Say whether one more refusal is logged; if not, it is counted."""
        if now >= self._second_ends:
            self._second_ends, self._lines_left = now + 1.0, REFUSALS_A_SECOND
        if self._lines_left:
            self._lines_left -= 1
            return True
        if not self._counted:
            asyncio.get_running_loop().call_later(1.0, self._report, context=Context())  # of no request
        self._counted[route, status] += 1
        return False

    def _report(self) -> None:
        by = {f"{route} {status}": count for (route, status), count in self._counted.most_common()}
        log.info("requests_refused", count=self._counted.total(), by=by)
        self._counted.clear()
