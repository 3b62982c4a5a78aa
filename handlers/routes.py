"""Every URL of the server, and the services that stand behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from tornado.web import Application, RequestHandler, url

from accounts import Accounts, Identity
from generation import Generations
from handlers.account import AccountView, LedgerView
from handlers.api import HttpRules, JsonHandler, NotFound
from handlers.events import EventsHandler
from handlers.generations import BASE, CancelHandler, StartHandler, StatusHandler, SynchronousHandler
from handlers.health import LiveHandler, MetricsHandler, ReadyHandler
from handlers.page import FileHandler, Page, PageHandler
from handlers.polls import Polls
from runtime.metrics import Metrics

log = structlog.get_logger("request")


SUBMITTING = ("generations", "synchronous")


@dataclass(frozen=True, slots=True)
class Services:
    """What main has constructed and the routes hand on. ``not_ready`` returns a reason, or '' when all is well."""

    rules: HttpRules
    identity: Identity
    accounts: Accounts
    generations: Generations
    polls: Polls
    metrics: Metrics
    not_ready: Callable[[], Awaitable[str]]
    minimum_tokens: int
    page: Page


def make_app(services: Services) -> Application:
    """Build the application; every path answers with and without its trailing slash."""
    rules = {"rules": services.rules}
    caller = rules | {"identity": services.identity}
    generations = caller | {"generations": services.generations}
    polls = generations | {"polls": services.polls}
    accounts = caller | {"accounts": services.accounts}
    page = rules | {"page": services.page}
    routes = [
        url(r"/", PageHandler, page, name="page"),
        url(r"/static/(.+)", FileHandler, page, name="static"),
        url(rf"{BASE}/generate-prompt-async/?", StartHandler, generations, name="generations"),
        url(rf"{BASE}/generate-prompt-async/status/([^/]+)/?", StatusHandler, polls, name="status"),
        url(rf"{BASE}/generate-prompt-async/events/([^/]+)/?", EventsHandler, generations, name="events"),
        url(rf"{BASE}/generate-prompt-async/cancel/([^/]+)/?", CancelHandler, generations, name="cancel"),
        url(rf"{BASE}/generate-prompt/?", SynchronousHandler, generations, name="synchronous"),
        url(r"/api/v1/account/?", AccountView, accounts | {"minimum_tokens": services.minimum_tokens}, name="account"),
        url(r"/api/v1/account/ledger/?", LedgerView, accounts, name="ledger"),
        url(r"/health/live/?", LiveHandler, rules, name="live"),
        url(r"/health/ready/?", ReadyHandler, rules | {"not_ready": services.not_ready}, name="ready"),
        url(r"/metrics/?", MetricsHandler, rules | {"metrics": services.metrics}, name="metrics"),
    ]
    return Application(
        routes,  # type: ignore[arg-type]  # Tornado's stubs do not know that url() makes rules
        default_handler_class=NotFound,
        default_handler_args=rules,
        log_function=_RequestLog(services.metrics, {route.handler_class: route.name or "" for route in routes}),
    )


class _RequestLog:
    """One line and one count a request, when it is over."""

    def __init__(self, metrics: Metrics, names: dict[type[RequestHandler], str]) -> None:
        self._metrics = metrics
        self._names = names

    def __call__(self, handler: RequestHandler) -> None:
        request, status = handler.request, handler.get_status()
        route = self._names.get(type(handler), "unknown")
        duration_s = request.request_time()
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
