"""What exists and who owns what: the only place that constructs services and wires them to each other.

Read ``compose`` for what exists; everything it opens is closed in reverse. ``serving.py`` says when.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from tornado.httpserver import HTTPServer
from tornado.web import Application

from accounts import Accounts, AdminKeys, ApiKeys, Identity, UsageReport, WatchTokens
from accounts.archiving import Archiving
from accounts.key_set import open_key_set_session
from generation import Generations, StatusCopy
from generation.account_tasks import AccountTasks
from generation.after_end import NothingAfter
from generation.events import TaskEvents
from generation.forecast import Forecast
from generation.gemini import Gemini, open_session, open_tokens
from generation.gemini.session import environment_proxy
from generation.healing import Healing
from generation.outcomes import ends
from generation.overview import overview
from generation.pipeline import Pipeline
from generation.processes import Processes, ProcessState
from generation.prompt_text import PromptText
from generation.readers import Readers
from generation.reaper import Reaper
from generation.runner import Runner
from generation.set_aside import SetAside
from generation.tasks import Tasks
from handlers.bounded_bodies import bytes_for
from handlers.errors import HEAD_TOO_LARGE, HTTP_STATUSES, TOO_MANY_CONNECTIONS
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
from notifications import (
    Deliverer,
    Deliveries,
    Notices,
    Pushes,
    PushSubscriptions,
    open_push_session,
    open_webhook_session,
)
from notifications.vapid import public_key
from runtime.debug_lines import debug_by_account
from runtime.logs import dropped_lines
from runtime.loop_lag import LoopLag, WorstLag
from runtime.metrics import Metrics
from runtime.periodic import Periodic
from runtime.settings import RedisSettings, Settings
from runtime.trace_start import open_tracing
from runtime.tracing import Tracing
from runtime.version import VERSION
from server.bare_answers import BareErrors
from server.connections import Connections
from server.lane.express_lane import ExpressLane
from server.lane.polls import Polls
from server.lane.responses import ErrorAnswer
from storage.errors import StorageMisconfigured, StorageUnavailable
from storage.schema import SchemaGuard, check_schema
from storage.scripts import load_scripts
from storage.start import wait_until_ready, warn_about_redis
from storage.storage import Storage, connect

log = structlog.get_logger("main")
ROOT = Path(__file__).parent
SCRIPT_FOLDERS = tuple(ROOT / room / "lua" for room in ("accounts", "generation", "notifications", "storage"))
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

    ``outdated`` is called when a newer version has taken the data over: nothing must be written any more.
    """
    metrics = _metrics()
    tracing = await stack.enter_async_context(open_tracing(settings.traces))
    storage = await _open_storage(settings, stack, metrics)
    copy = await stack.enter_async_context(
        StatusCopy(storage, entries=settings.redis.copy_entries, most_bytes=settings.redis.copy_bytes)
    )
    await stack.enter_async_context(SchemaGuard(storage, copy, outdated))
    metrics.readings.link_losses(lambda: copy.link_losses)
    accounts = Accounts(storage, SetAside(storage, metrics).note)
    api_keys, admin_keys = ApiKeys(storage), AdminKeys(storage)
    jwks_proxy = environment_proxy(settings.identity.jwt.jwks_url)  # its host has a proxy of its own
    jwks_session = await stack.enter_async_context(open_key_set_session(jwks_proxy))
    watch_tokens = WatchTokens(storage)
    identity = Identity(api_keys, accounts, settings.identity, jwks_session, admin_keys, watch_tokens)
    lag = WorstLag(metrics.loop_was_late)
    work = await _open_work(settings, stack, storage, copy, metrics, lag, tracing)
    metrics.readings.periodic_work(lambda: {periodic.name: periodic.age_s for periodic in work.watched})

    limits = settings.limits
    open_requests = OpenRequests()
    polls = Polls(copy, per_second=limits.polls_per_second_per_account, cache_entries=settings.server.memo_entries)
    metrics.readings.polls(lambda: polls.counts)
    open_streams = OpenStreams(limits.streams_per_account)
    metrics.readings.open_waits(lambda: open_streams.by_kind)
    services = Services(
        identity=identity,
        accounts=accounts,
        api_keys=api_keys,
        admin_keys=admin_keys,
        watch_tokens=watch_tokens,
        deliveries=work.deliveries,
        subscriptions=work.subscriptions,
        push_key=_push_key(settings),
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
        body_bytes=bytes_for(limits.manual_prompt_characters),
        minimum_tokens=settings.money.minimum_tokens,
        page=Page(demo_api_key),
        reference=Reference(),
    )
    app = make_app(services)
    connections = await stack.enter_async_context(_connections(settings, app, _lane(copy, polls, identity)))
    metrics.readings.connections(lambda: len(connections), settings.server.connections)
    await stack.enter_async_context(LoopLag(lag.note))
    await stack.enter_async_context(work.processes)
    await stack.enter_async_context(work.renewal)
    await stack.enter_async_context(work.reaper)
    return Service(app, connections, polls, work.runner, open_requests)


def _metrics() -> Metrics:
    metrics = Metrics()
    metrics.expect_ends(ends())
    metrics.readings.dropped_lines(dropped_lines)
    return metrics


@dataclass(frozen=True, slots=True)
class Work:
    """What generates; ``renewal`` and ``reaper`` are opened when everything else is there."""

    generations: Generations
    runner: Runner
    deliveries: Deliveries
    subscriptions: PushSubscriptions
    processes: Processes
    renewal: Periodic
    reaper: Reaper

    @property
    def watched(self) -> tuple[Periodic, Periodic]:
        """The periodic work that readiness and metrics look at."""
        return self.renewal, self.reaper.periodic


async def _open_work(
    settings: Settings,
    stack: AsyncExitStack,
    storage: Storage,
    copy: StatusCopy,
    metrics: Metrics,
    lag: WorstLag,
    tracing: Tracing,
) -> Work:
    """Construct tasks, pipeline, runner and reaper, and the Gemini client that they need."""
    gemini_session = await stack.enter_async_context(open_session(settings.gemini))
    subscriptions = PushSubscriptions(storage, allow_loopback=settings.web_push.allow_loopback)
    deliverer = await _open_deliverer(settings, stack, metrics, tracing, subscriptions)
    tasks = Tasks(
        storage,
        owner=secrets.token_hex(8),
        written=lambda account_id, task_id, body: copy.put(account_id, task_id, body, settings.tasks.status_ttl_s),
        metrics=metrics,
        tasks=settings.tasks,
        limits=settings.limits,
        money=settings.money,
        after_end=deliverer or NothingAfter(),
    )
    deliveries = Deliveries(storage, tasks.index)
    if deliverer is not None:
        deliverer.deliver(deliveries)
    gemini = Gemini(
        gemini_session,
        settings.gemini,
        tokens=await stack.enter_async_context(open_tokens(settings.gemini)),
        attempted=metrics.gemini_attempted,
        billed=lambda usage, model: metrics.gemini_billed(usage.by_kind(), model),
        answered=metrics.gemini_answered,
        tracing=tracing,
        trace_texts=settings.traces.texts,
    )
    prompt_text = PromptText(settings.prompt.templates_folder)
    readers = Readers(storage, copy)
    pipeline = Pipeline(tasks, gemini, prompt_text, copy, readers, metrics, Forecast(), tracing)
    limits = settings.limits
    runner = Runner(
        tasks,
        pipeline,
        running=limits.running_tasks_per_process,
        waiting=limits.waiting_tasks_per_process,
        tracing=tracing,
    )
    await stack.enter_async_context(Healing(storage.topology, tasks, runner.renew))
    stack.push_async_callback(runner.drain, 0)  # nothing is left to hand back, unless the start or a drain failed
    metrics.readings.tasks(
        lambda: runner.running,
        lambda: runner.waiting,
        most_running=limits.running_tasks_per_process,
        most_waiting=limits.waiting_tasks_per_process,
    )
    metrics.readings.gemini_requests(lambda: gemini.open_requests, settings.gemini.connections)
    metrics.readings.breakers(lambda: {model.name: model.breaker.state for model in gemini.models.all})
    metrics.readings.unavailable_models(lambda: {model.name: model.unavailable for model in gemini.models.all})
    metrics.readings.retirements(lambda: {model.name: model.retires_at for model in gemini.models.all})
    renewal = Periodic("renewal", runner.renew, settings.tasks.renew_every_s)
    reaper = Reaper(tasks, runner, copy, metrics, every_s=settings.tasks.reap_every_s)
    generations = Generations(
        tasks,
        runner,
        copy,
        TaskEvents(storage, copy, readers),
        manual_prompt_characters=limits.manual_prompt_characters,
        business_types=prompt_text.business_types(),
        tracing=tracing,
    )
    processes = _processes(storage, tasks, runner, reaper, gemini, lag)
    return Work(generations, runner, deliveries, subscriptions, processes, renewal, reaper)


def _processes(
    storage: Storage, tasks: Tasks, runner: Runner, reaper: Reaper, gemini: Gemini, lag: WorstLag
) -> Processes:
    started_ms = int(time.time() * 1000)
    return Processes(
        storage,
        tasks.owner,
        lambda: ProcessState(
            version=VERSION,
            started_ms=started_ms,
            running=runner.running,
            waiting=runner.waiting,
            oldest_ms=runner.oldest_ms,
            takeovers=reaper.taken_over,
            lag_s=lag.seconds,
            breakers={model.name: model.breaker.state for model in gemini.models.all},
            failures=tuple(tasks.endings.failures.latest()),
        ),
        tasks.endings.last_hour,
    )


def _lane(copy: StatusCopy, polls: Polls, identity: Identity) -> ExpressLane:
    return ExpressLane(
        copy,
        polls,
        identity,
        errors=lambda exc, progress: ErrorAnswer(*rendered_error(exc, progress)),
        status_path=STATUS,
        retry_after_s=RETRY_AFTER_S,
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


async def _open_deliverer(
    settings: Settings,
    stack: AsyncExitStack,
    metrics: Metrics,
    tracing: Tracing,
    subscriptions: PushSubscriptions,
) -> Deliverer | None:
    webhooks = settings.webhooks
    pushes = await _open_pushes(settings, stack, metrics, subscriptions)
    if not webhooks.url and pushes is None:
        return None
    local = not webhooks.url.startswith("https:")  # only to this host: no proxy can reach it for us
    proxy = None if local else environment_proxy(webhooks.url)
    session = await stack.enter_async_context(open_webhook_session(webhooks, proxy))
    return await stack.enter_async_context(Deliverer(session, webhooks, metrics.webhook_tried, tracing, pushes=pushes))


async def _open_pushes(
    settings: Settings, stack: AsyncExitStack, metrics: Metrics, subscriptions: PushSubscriptions
) -> Pushes | None:
    if not _push_key(settings):
        return None
    session = await stack.enter_async_context(open_push_session(settings.web_push))
    pushes = Pushes(
        session,
        settings.web_push,
        subscriptions,
        ttl_s=settings.tasks.status_ttl_s,
        proxy_of=lambda address: environment_proxy(address) if address.startswith("https:") else None,
        tried=metrics.push_tried,
    )
    return await stack.enter_async_context(pushes)


def _push_key(settings: Settings) -> str:
    private = settings.web_push.private_key.get_secret_value()
    return public_key(private) if private else ""


def _noted_in_the_log(observe: Callable[[str, float], None]) -> Callable[[str, float], None]:
    def note(operation: str, seconds: float) -> None:
        observe(operation, seconds)
        log.debug("redis", operation=operation, duration_ms=round(1000 * seconds, 1))

    return note


async def _open_storage(settings: Settings, stack: AsyncExitStack, metrics: Metrics) -> Storage:
    observe: Callable[[str, float], None] = metrics.redis_answered
    if settings.logs.level == "debug" or debug_by_account(settings.logs):
        observe = _noted_in_the_log(observe)
    storage = make_storage(settings.redis, observe=observe, failed=metrics.redis_failed)
    stack.push_async_callback(storage.aclose)
    metrics.readings.masters(lambda: _masters(storage))
    await wait_until_ready(storage, settings.redis.start_timeout_s)
    await check_schema(storage)
    await warn_about_redis(storage)
    return storage


def _masters(storage: Storage) -> tuple[int, int]:
    masters = storage.topology.all()
    return len(masters), sum(master.wire is not None for master in masters)


def make_storage(
    settings: RedisSettings,
    observe: Callable[[str, float], None] = lambda _operation, _seconds: None,
    failed: Callable[[str], None] = lambda _reason: None,
) -> Storage:
    """Make the storage with the scripts of every room; it connects when it is first used."""
    scripts = load_scripts(SCRIPT_FOLDERS)
    return Storage(connect(settings), scripts, prefix=settings.key_prefix, observe=observe, failed=failed)


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


@dataclass(frozen=True, slots=True)
class AccountsAdministration:
    accounts: Accounts
    api_keys: ApiKeys
    admin_keys: AdminKeys
    tasks: AccountTasks
    deliveries: Deliveries
    subscriptions: PushSubscriptions
    usage: UsageReport
    overview: Callable[[], Awaitable[dict[str, Any]]]
    advice: Callable[[str], str]
    archiving: Archiving
    ledger_days: int


def _says_nothing() -> ProcessState:
    raise AssertionError("the command line is none of the service's processes")


def administration(storage: Storage, settings: Settings, advice: Callable[[str], str]) -> AccountsAdministration:
    """Construct what the accounts commands need on a storage that is open."""
    tasks = Tasks(
        storage,
        owner="command line",
        written=lambda _account_id, _task_id, _body: None,
        metrics=Metrics(),
        tasks=settings.tasks,
        limits=settings.limits,
        money=settings.money,
        after_end=Notices(settings.webhooks, push=bool(_push_key(settings))),
    )
    accounts = Accounts(storage)
    reading = Processes(storage, tasks.owner, _says_nothing)
    return AccountsAdministration(
        accounts=accounts,
        api_keys=ApiKeys(storage),
        admin_keys=AdminKeys(storage),
        tasks=AccountTasks(tasks),
        deliveries=Deliveries(storage, tasks.index),
        subscriptions=PushSubscriptions(storage),
        usage=UsageReport(storage),
        overview=lambda: overview(reading),
        advice=advice,
        archiving=Archiving(storage, accounts.index),
        ledger_days=settings.money.ledger_days,
    )


@asynccontextmanager
async def open_accounts(settings: Settings, advice: Callable[[str], str]) -> AsyncIterator[AccountsAdministration]:
    """Open what the accounts commands need, without a server around it."""
    async with AsyncExitStack() as stack:
        storage = await _open_storage(settings, stack, Metrics())
        yield administration(storage, settings, advice)
