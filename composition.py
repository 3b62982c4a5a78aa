"""Constructs the whole service and wires its parts; larger parts are constructed in ``wiring/``.

``compose`` shows what exists. Everything that it opens is closed in reverse. ``serving.py`` says when.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tornado.httpserver import HTTPServer
from tornado.web import Application

from accounts import Identity, UsageReport
from generation import StatusCopy
from generation.outcomes import ends
from generation.prompt_text import INSTRUCTION_VERSION
from generation.runner import Runner
from handlers.answers import HEAD_TOO_LARGE, HTTP_STATUSES, TOO_MANY_CONNECTIONS
from handlers.bounded_bodies import bytes_for
from handlers.generations import RETRY_AFTER_S
from handlers.health import OncePerSecond
from handlers.open_requests import OpenRequests
from handlers.open_streams import OpenStreams
from handlers.page_files import Page
from handlers.paths import STATUS
from handlers.reference_files import Reference
from handlers.routes import make_app
from handlers.services import Services
from handlers.status_errors import rendered, rendered_error
from runtime.logs import dropped_lines
from runtime.loop_lag import LoopLag, WorstLag
from runtime.metrics import Metrics
from runtime.periodic import Periodic
from runtime.settings import Settings
from runtime.trace_start import open_tracing
from runtime.tracing import Tracing
from server.bare_answers import BareErrors
from server.connections import Connections
from server.lane.express_lane import ExpressLane
from server.lane.polls import Polls
from server.lane.responses import ErrorAnswer
from storage.errors import StorageMisconfigured, StorageUnavailable
from storage.schema import SchemaGuard
from storage.storage import Storage
from wiring.identities import Identities, open_identities
from wiring.notifications import Seen, push_key
from wiring.storage import open_storage
from wiring.work import Work, open_work

BARE_ERRORS = BareErrors(
    too_many=ErrorAnswer(*rendered(TOO_MANY_CONNECTIONS)),
    malformed=ErrorAnswer(*rendered(HTTP_STATUSES[400])),
    head_too_large=ErrorAnswer(*rendered(HEAD_TOO_LARGE)),
)
UNBOUNDED = 1 << 40  # every route has a limit of its own: handlers/bounded_bodies.py


@dataclass(frozen=True, slots=True)
class Service:
    """What runs: the application, and what is drained at shutdown."""

    app: Application
    connections: Connections
    polls: Polls
    runner: Runner
    open_requests: OpenRequests


async def compose(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    demo_api_key: str = "",
    outdated: Callable[[StorageMisconfigured], None] = lambda _problem: None,
) -> Service:
    """Construct every service, each after the ones it needs; ``stack`` closes them in reverse.

    ``outdated`` is called when a newer version has taken the data over: from then on this process must not write.
    """
    metrics = _metrics()
    tracing = await stack.enter_async_context(open_tracing(settings.traces))
    storage = await open_storage(settings, stack, metrics)
    copy = await stack.enter_async_context(
        StatusCopy(
            storage,
            entries=settings.redis.copy_entries,
            max_bytes=settings.redis.copy_bytes,
            status_ttl_s=settings.tasks.status_ttl_s,
        )
    )
    await stack.enter_async_context(SchemaGuard(storage, copy, outdated))
    metrics.readings.lost_spans(lambda: tracing.lost_spans)
    metrics.readings.link_losses(lambda: copy.link_losses)
    identities = await open_identities(settings.identity, stack, storage, copy)
    lag = WorstLag(metrics.loop_was_late)
    work = await open_work(settings, stack, storage, copy, metrics, lag, tracing)
    identities.accounts.grants.taken_back = work.low_balances
    metrics.readings.periodic_work(lambda: {periodic.name: periodic.age_s for periodic in work.watched})

    polls = Polls(
        copy, per_second=settings.limits.polls_per_second_per_account, cache_entries=settings.server.memo_entries
    )
    metrics.readings.polls(lambda: polls.counts)
    services = _services(settings, storage, identities, work, metrics, tracing, polls, demo_api_key)
    app = make_app(services)
    connections = await stack.enter_async_context(
        _connections(settings, app, _lane(copy, polls, identities.identity, work.seen))
    )
    metrics.readings.connections(lambda: len(connections), settings.server.connections)
    await stack.enter_async_context(LoopLag(lag.note))
    await stack.enter_async_context(work.processes)
    await stack.enter_async_context(work.renewal)
    await stack.enter_async_context(work.reaper)
    return Service(app, connections, polls, work.runner, services.open_requests)


def _metrics() -> Metrics:
    metrics = Metrics()
    metrics.expect_ends(ends(), INSTRUCTION_VERSION)
    metrics.readings.dropped_lines(dropped_lines)
    return metrics


def _services(
    settings: Settings,
    storage: Storage,
    identities: Identities,
    work: Work,
    metrics: Metrics,
    tracing: Tracing,
    polls: Polls,
    demo_api_key: str,
) -> Services:
    """Gather the services of handlers, and construct those that only they use."""
    open_requests = OpenRequests()
    open_streams = OpenStreams(settings.limits.streams_per_account)
    metrics.readings.open_waits(lambda: open_streams.by_kind)
    return Services(
        identity=identities.identity,
        accounts=identities.accounts,
        api_keys=identities.api_keys,
        admin_keys=identities.admin_keys,
        watch_tokens=identities.watch_tokens,
        deliveries=work.deliveries,
        subscriptions=work.subscriptions,
        push_key=push_key(settings),
        seen=work.seen,
        usage=UsageReport(storage),
        admin_networks=settings.admin.networks,
        generations=work.generations,
        processes=work.processes,
        polls=polls,
        metrics=metrics,
        metrics_page=OncePerSecond(metrics.render),
        tracing=tracing,
        not_ready=_readiness(storage, open_requests, work.watched),
        open_requests=open_requests,
        open_streams=open_streams,
        cors_origins=frozenset(settings.server.cors_allowed_origins),
        cors_headers=settings.server.cors_allowed_headers,
        path_prefix=settings.server.path_prefix,
        trust_proxy=settings.server.trust_proxy_headers,
        body_bytes=bytes_for(settings.limits.manual_prompt_characters),
        minimum_tokens=settings.money.minimum_tokens,
        page=Page(demo_api_key),
        reference=Reference(),
    )


def _lane(copy: StatusCopy, polls: Polls, identity: Identity, seen: Seen) -> ExpressLane:
    return ExpressLane(
        copy,
        polls,
        identity,
        errors=lambda exc, progress: ErrorAnswer(*rendered_error(exc, progress)),
        status_path=STATUS,
        retry_after_s=RETRY_AFTER_S,
        seen=seen,
    )


def _connections(settings: Settings, app: Application, lane: ExpressLane) -> Connections:
    server = HTTPServer(
        app,
        xheaders=settings.server.trust_proxy_headers,
        idle_connection_timeout=settings.server.header_timeout_s,  # Tornado has them from a request's first byte on
        body_timeout=settings.server.body_timeout_s,
        max_body_size=UNBOUNDED,
    )
    return Connections(server, lane if settings.server.express_lane else None, settings.server, BARE_ERRORS)


def _readiness(
    storage: Storage, open_requests: OpenRequests, watched: Sequence[Periodic]
) -> Callable[[], Awaitable[str]]:
    async def not_ready() -> str:
        if open_requests.draining:
            return "draining"
        try:
            await storage.ping()
        except StorageUnavailable:
            return "storage_unavailable"
        return next((f"{work.name}_stands_still" for work in watched if work.stands_still), "")

    return not_ready
