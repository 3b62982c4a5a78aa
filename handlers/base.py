"""The base of every handler: request ids, CORS, authentication, and errors in one shape.

Refuses to know any single endpoint.
"""

from __future__ import annotations

import json
import time
from asyncio import Future
from collections.abc import Iterable
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel, ValidationError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from accounts import Caller, ForbiddenForWatchToken
from generation import TASK_ID
from handlers.answers import HTTP_STATUSES, INTERNAL, Answer, error_body
from handlers.bounded_bodies import too_large
from handlers.errors import BadRequest, answer_for, origin_not_allowed
from handlers.services import Services
from runtime.request_ids import sane_request_id
from runtime.tracing import NO_SPAN, trace_context, trace_id_of

EXPOSED_HEADERS = "Location, Retry-After, X-Request-ID, Idempotent-Replayed, RateLimit, RateLimit-Policy"
ALLOWED_HEADERS = (
    *("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-ID"),
    *("traceparent", "tracestate", "baggage", "sentry-trace"),  # added by tracing to every call of a page
)

CHANGING = ("POST", "PATCH", "DELETE")

Body = TypeVar("Body", bound=BaseModel)
log = structlog.get_logger(__name__)


def name_task(task_id: str) -> None:
    """Let every line of the log about this request name a task, if that is an id."""
    if TASK_ID.fullmatch(task_id):
        structlog.contextvars.bind_contextvars(task_id=task_id)


class BaseHandler(RequestHandler):
    """A handler that answers in JSON, whatever happens."""

    services: Services
    request_id: str
    outcome = "accepted"  # for the metrics: an error's code takes its place
    takes_body = False  # a body of more than a few bytes is refused
    traced_as = ""  # the route's name in traces of what changes something; polls and other reads are not traced
    span = NO_SPAN
    trace = ""  # the trace context of the request: that of its span, or the client's where it has none

    def initialize(self, services: Services) -> None:
        self.services = services
        self.began_at = time.monotonic()  # Tornado's own request_time follows the wall clock
        services.open_requests.begin(self)  # not in prepare: Tornado refuses some requests before it calls that

    def set_default_headers(self) -> None:
        if not hasattr(self, "request_id"):  # Tornado calls this again for an error, whose line keeps account and trace
            self.request_id = sane_request_id(self.request.headers.get("X-Request-ID", ""))
            structlog.contextvars.clear_contextvars()
            structlog.contextvars.bind_contextvars(request_id=self.request_id)
        self.clear_header("Server")
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def allow_origin(self) -> None:
        origin = self.request.headers.get("Origin", "")
        if self.services.cors_origins:
            self.set_header("Vary", "Origin")
        if origin in self.services.cors_origins:
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)

    def flush(self, include_footers: bool = False) -> Future[None]:
        """Send what was written; the head says so when the connection ends with this answer.

        It ends when the body has not arrived whole (``lingers``): Tornado reads none of it after the answer.
        """
        stream = getattr(self.request.connection, "stream", None)
        ends = getattr(stream, "last", False) or getattr(stream, "lingers", False)
        if self.services.open_requests.draining or ends:
            self.set_header("Connection", "close")
            self.request.headers["Connection"] = "close"  # or Tornado would promise HTTP/1.0 clients Keep-Alive
        return super().flush(include_footers)

    async def prepare(self) -> None:
        headers = self.request.headers
        self.follow_trace(trace_context(headers.get("traceparent", ""), headers.get("tracestate", "")))
        self.allow_origin()

    def follow_trace(self, context: str) -> None:
        """Belong to this trace, if it is one, and bind its id to every line of the log."""
        self.trace = context
        if trace_id := trace_id_of(context):
            structlog.contextvars.bind_contextvars(trace_id=trace_id)

    def on_finish(self) -> None:
        self.services.open_requests.end(self)
        status = self.get_status()
        self.span.set({"http.response.status_code": status, "prompt.request_id": self.request_id})
        if status >= 500:
            self.span.fail(str(status))
        self.span.end()

    async def options(self, *_path: str) -> None:
        """Answer a browser's preflight; from another origin it is refused with the reason."""
        asked = "Access-Control-Request-Method" in self.request.headers
        origin = self.request.headers.get("Origin", "")
        if asked and origin and origin not in self.services.cors_origins:
            raise origin_not_allowed(origin)
        if origin in self.services.cors_origins:
            self.set_header("Access-Control-Allow-Methods", ", ".join(self.methods()))
            allowed = (*ALLOWED_HEADERS, *self.services.cors_headers)
            self.set_header("Access-Control-Allow-Headers", ", ".join(allowed))
            self.set_header("Access-Control-Max-Age", "600")
        self.set_header("Allow", ", ".join(self.methods()))
        self.set_status(204)

    def methods(self) -> Iterable[str]:
        """Name the methods that this handler answers."""
        return [name for name in ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS") if self._answers(name.lower())]

    def _answers(self, method: str) -> bool:
        method = "get" if method == "head" else method
        return getattr(type(self), method) is not getattr(RequestHandler, method)

    async def head(self, *path: str) -> None:
        """Answer as GET; Tornado leaves the body out."""
        if (answered := self.get(*path)) is not None:
            await answered

    def write_json(self, members: dict[str, Any]) -> None:
        self.write(json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        exc = kwargs.get("exc_info", (None, None, None))[1]
        answer = HTTP_STATUSES.get(status_code, INTERNAL) if isinstance(exc, HTTPError) else self.answer_for(exc)
        self.write_answer(answer)

    def answer_for(self, exc: BaseException | None) -> Answer:
        """Return what a client of this handler sees of an error."""
        return answer_for(exc)

    def write_answer(self, answer: Answer) -> None:
        self.allow_origin()
        self.outcome = answer.error_code
        self.set_status(answer.status)
        for name, value in (answer.headers or {}).items():
            self.set_header(name, value)
        if answer.status == 405:
            self.set_header("Allow", ", ".join(self.methods()))
        self.finish(error_body(answer, self.request_id, self.members_of_error(answer.status)))

    def members_of_error(self, _status: int) -> dict[str, Any]:
        """Return what this endpoint's errors carry beside the members that all of them have."""
        return {}

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if isinstance(value, HTTPError) or self.answer_for(value) is not INTERNAL:
            return  # a client's mistake or a known outage: the request's own line says it
        log.error("request_crashed", exc_info=(typ, value, tb))

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        exc = kwargs.get("exc_info", (None, None, None))[1]
        known = isinstance(exc, HTTPError) or exc is None
        super().send_error(status_code if known else self.answer_for(exc).status, **kwargs)

    def compute_etag(self) -> None:
        return None  # documents are never revalidated: Cache-Control says no-store


class NotFound(BaseHandler):
    """Answers every path without a route."""

    async def prepare(self) -> None:
        await super().prepare()
        raise HTTPError(404)


class AuthenticatedHandler(BaseHandler):
    """A handler for the account that the request's credential names."""

    caller: Caller

    async def prepare(self) -> None:
        await super().prepare()
        if self.request.method != "OPTIONS":  # browsers send no credentials with a preflight
            await self.authenticate()
            self._begin_span()
            self.check_reach()

    def _begin_span(self) -> None:
        """Continue the client's trace, or begin one, where the request may change something.

        Only now, with the time at which the request began: what anybody may send makes no span, and decides of no
        sampling. The path is the route's: its parts may be an account's id, or a key that was pasted for one.
        """
        method, route = self.request.method, self.traced_as
        if route and method in CHANGING:
            began_ns = time.time_ns() - int((time.monotonic() - self.began_at) * 1e9)
            facts = {"http.request.method": method, "http.route": route, "url.path": route}
            self.span = self.services.tracing.begin(f"{method} {route}", "server", self.trace, facts, began_ns)
            self.follow_trace(self.span.context or self.trace)

    def check_reach(self) -> None:
        """Refuse a caller whose credential is for one task; handlers of one task override this.

        Raises:
            ForbiddenForWatchToken
        """
        if self.caller.task_id:
            raise ForbiddenForWatchToken

    async def authenticate(self) -> None:
        """Establish the caller; called again, check that the credential still holds: a key may have been revoked.

        Raises:
            Unauthorized, UnknownAccount, IdentityUnavailable, StorageUnavailable
        """
        self.caller = await self.services.identity.authenticate(self.request.headers.get("Authorization"))
        structlog.contextvars.bind_contextvars(account_id=self.caller.account_id)

    def whole_number(self, name: str, default: int, most: int) -> int:
        """Parse a query parameter; ``default`` when there is none.

        Raises:
            BadRequest: not a whole number from 0 to ``most``.
        """
        if name not in self.request.query_arguments:
            return default
        text = self.get_query_argument(name)
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most):
            raise BadRequest(
                400, "invalid_parameter", f"{name} is not valid", f"Send {name} as a whole number from 0 to {most}."
            )
        return int(text)


@stream_request_body
class BodyHandler(AuthenticatedHandler):
    """An AuthenticatedHandler that takes a body: the caller is established before any of it is read."""

    takes_body = True

    def initialize(self, services: Services) -> None:
        super().initialize(services)
        self._body = bytearray()
        self._whole = False

    def on_connection_close(self) -> None:
        super().on_connection_close()  # ends Tornado's wait for the rest of the body
        if not self._whole:
            self.services.open_requests.end(self)  # Tornado leaves such a request without on_finish

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk  # bounded before it comes here

    def body(self) -> bytes:
        """Return the whole body."""
        self._whole = True
        return bytes(self._body)

    def parsed(self, model: type[Body]) -> Body:
        """Return the body as ``model``.

        Raises:
            BadRequest: names the wrong member and the reason.
        """
        try:
            return model.model_validate_json(self.body() or b"{}")
        except ValidationError as exc:
            problem = exc.errors(include_url=False, include_input=False)[0]
            if problem["type"] == "json_invalid":
                raise BadRequest(
                    400, "invalid_json", "Body is not valid JSON", "Send one JSON object in UTF-8."
                ) from exc
            where = ".".join(map(str, problem["loc"])) or "the body"
            sentence = f"{where}: {problem['msg'].removeprefix('Value error, ')}."
            raise BadRequest(400, "invalid_body", "Body is not valid", sentence) from exc


@stream_request_body
class BodyRefused(BaseHandler):
    """Answers a request whose body is too large, in place of the handler ``stands_for``."""

    def initialize(self, services: Services, *, stands_for: type[BaseHandler], limit: int) -> None:  # type: ignore[override]  # of each route its own
        super().initialize(services)
        self.stands_for = stands_for
        self._limit = limit

    def data_received(self, chunk: bytes) -> None:
        """Ignore the body: the answer has been sent."""

    async def prepare(self) -> None:
        await super().prepare()
        raise too_large(self._limit)
