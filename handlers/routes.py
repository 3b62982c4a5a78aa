"""Every URL of the server, and the services that stand behind it."""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog
from tornado.web import Application, RequestHandler, url

from handlers.account import AccountView, LedgerView
from handlers.api import JsonHandler, NotFound
from handlers.events import EventsHandler
from handlers.generations import BASE, CancelHandler, StartHandler, StatusHandler, SynchronousHandler
from handlers.health import LiveHandler, MetricsHandler, ReadyHandler
from handlers.page import FileHandler, PageHandler
from handlers.services import Services
from runtime.metrics import Metrics

log = structlog.get_logger("request")


SUBMITTING = ("generations", "synchronous")


def make_app(services: Services) -> Application:
    """Build the application; every path answers with and without its trailing slash."""
    handlers: dict[str, tuple[str, type[JsonHandler]]] = {
        "page": (r"/", PageHandler),
        "static": (r"/static/(.+)", FileHandler),
        "generations": (rf"{BASE}/generate-prompt-async/?", StartHandler),
        "status": (rf"{BASE}/generate-prompt-async/status/([^/]+)/?", StatusHandler),
        "events": (rf"{BASE}/generate-prompt-async/events/([^/]+)/?", EventsHandler),
        "cancel": (rf"{BASE}/generate-prompt-async/cancel/([^/]+)/?", CancelHandler),
        "synchronous": (rf"{BASE}/generate-prompt/?", SynchronousHandler),
        "account": (r"/api/v1/account/?", AccountView),
        "ledger": (r"/api/v1/account/ledger/?", LedgerView),
        "live": (r"/health/live/?", LiveHandler),
        "ready": (r"/health/ready/?", ReadyHandler),
        "metrics": (r"/metrics/?", MetricsHandler),
    }
    given = {"services": services}
    return Application(
        [url(pattern, handler, given, name) for name, (pattern, handler) in handlers.items()],
        default_handler_class=NotFound,
        default_handler_args=given,
        log_function=_RequestLog(services.metrics, {handler: name for name, (_, handler) in handlers.items()}),
    )


class _RequestLog:
    """One line and one count a request, when it is over."""

    def __init__(self, metrics: Metrics, names: Mapping[type[RequestHandler], str]) -> None:
        self._metrics = metrics
        self._names = names

    def __call__(self, handler: RequestHandler) -> None:
        request, status = handler.request, handler.get_status()
        route = self._names.get(type(handler), "unknown")
        duration_s = time.monotonic() - handler.began_at if isinstance(handler, JsonHandler) else 0.0
        if route in SUBMITTING and request.method == "POST" and isinstance(handler, JsonHandler):
            self._metrics.submit_answered(handler.outcome)
        self._metrics.request_answered(route, request.method or "", status, duration_s)
        write = log.warning if status >= 500 else log.info
        write(
            "request",
            method=request.method,
            path=request.path,
            status=status,
            duration_ms=round(1000 * duration_s, 1),
            request_id=handler.request_id if isinstance(handler, JsonHandler) else "",
        )
