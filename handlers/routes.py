"""Every URL of the server, and the services that stand behind it."""

from __future__ import annotations

from typing import Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.web import Application, url

from handlers.account import OwnAccountHandler, OwnLedgerHandler
from handlers.admin.routes import ADMIN_ROUTES
from handlers.base import BaseHandler, BodyRefused, NotFound
from handlers.bounded_bodies import WITHOUT_BODY, BoundedBody
from handlers.events import EventsHandler
from handlers.generations import CancelHandler, StartHandler, StatusHandler, SynchronousHandler
from handlers.health import LiveHandler, MetricsHandler, ReadyHandler
from handlers.operate import OperatePage
from handlers.page import FileHandler, PageHandler, ServiceWorker
from handlers.paths import ACCOUNT, CANCEL, EVENTS, GENERATIONS, HEALTH, METRICS, STATUS, SYNCHRONOUS, origin_form
from handlers.push_subscriptions import PushSubscriptionsHandler
from handlers.reference import AdminReferencePage, LlmsTxt, OpenApiJson, OpenApiYaml, ReferenceFile, ReferencePage
from handlers.request_log import RequestLog
from handlers.services import Services

ROUTES: dict[str, tuple[str, type[BaseHandler]]] = {
    "page": (r"/", PageHandler),
    "service_worker": (r"/service-worker\.js/?", ServiceWorker),
    "static": (r"/static/(.+)", FileHandler),
    "operate": (r"/operate/?", OperatePage),
    "reference": (r"/docs/?", ReferencePage),
    "admin_reference": (r"/docs/admin/?", AdminReferencePage),
    "reference_file": (r"/docs/([^/]+)", ReferenceFile),
    "openapi_json": (r"/(openapi|openapi-admin)\.json/?", OpenApiJson),
    "openapi_yaml": (r"/(openapi|openapi-admin)\.yaml/?", OpenApiYaml),
    "llms": (r"/llms\.txt/?", LlmsTxt),
    "generations": (rf"{GENERATIONS}/?", StartHandler),
    "status": (rf"{STATUS}([^/]+)/?", StatusHandler),
    "events": (rf"{EVENTS}([^/]+)/?", EventsHandler),
    "cancel": (rf"{CANCEL}([^/]+)/?", CancelHandler),
    "synchronous": (rf"{SYNCHRONOUS}/?", SynchronousHandler),
    "account": (rf"{ACCOUNT}/?", OwnAccountHandler),
    "ledger": (rf"{ACCOUNT}/ledger/?", OwnLedgerHandler),
    "push_subscriptions": (rf"{ACCOUNT}/push-subscriptions/?", PushSubscriptionsHandler),
    **ADMIN_ROUTES,
    "live": (rf"{HEALTH}/live/?", LiveHandler),
    "ready": (rf"{HEALTH}/ready/?", ReadyHandler),
    "metrics": (rf"{METRICS}/?", MetricsHandler),
}


def make_app(services: Services) -> Application:
    """Build the application; every path answers with and without its trailing slash."""
    given = {"services": services}
    return _BoundedApplication(
        services,
        [url(pattern, handler, given, name) for name, (pattern, handler) in ROUTES.items()],
        default_handler_class=NotFound,
        default_handler_args=given,
        log_function=RequestLog(services.metrics, {handler: name for name, (_, handler) in ROUTES.items()}),
    )


class _BoundedApplication(Application):
    """An Application whose every request has a bounded body and a path, however its target is written."""

    def __init__(self, services: Services, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._services = services

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:  # type: ignore[override]  # as Tornado's documentation has it
        origin_form(request)
        return super().find_handler(request, **kwargs)

    def get_handler_delegate(  # type: ignore[override]  # as Tornado's documentation has it
        self, request: HTTPServerRequest, target_class: type[BaseHandler], *args: Any, **kwargs: Any
    ) -> HTTPMessageDelegate:
        limit = self._services.body_bytes if target_class.takes_body else WITHOUT_BODY
        of_handler = super().get_handler_delegate
        refusal = {"services": self._services, "stands_for": target_class, "limit": limit}
        return BoundedBody(
            of_handler(request, target_class, *args, **kwargs),
            request,
            limit,
            lambda: of_handler(request, BodyRefused, refusal),
        )
