"""Composition root and command line: the only place that constructs services and wires them to each other.

Read ``compose`` for what exists and who owns what; everything it opens is closed in reverse.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import click
import structlog
from pydantic import SecretStr
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.web import Application

from accounts import Accounts, ApiKeys, Identity, PublicKeyUnusable, Unauthorized
from accounts.commands import accounts as accounts_commands
from generation import Generations, StatusCopy
from generation.events import TaskEvents
from generation.gemini import Gemini, open_session
from generation.pipeline import Pipeline
from generation.prompt_text import PromptText, TemplatesUnusable
from generation.reaper import Reaper
from generation.runner import Runner
from generation.tasks import Tasks
from generation.tracking import TrackingLink
from handlers.connections import Connections
from handlers.express_lane import ExpressLane
from handlers.generations import BASE
from handlers.open_requests import OpenRequests
from handlers.page_files import Page
from handlers.polls import Polls
from handlers.routes import make_app
from handlers.services import Services
from runtime.configuration import InvalidSettings, load_settings, shown
from runtime.descriptors import connections_within_limit
from runtime.garbage import settle_garbage_collector
from runtime.logs import configure_logging
from runtime.metrics import Metrics
from runtime.periodic import Periodic
from runtime.redis_server import NoRedisServer, RedisServer
from runtime.settings import GeminiSettings, Settings
from runtime.storage import Storage, connect, wait_until_ready, warn_when_not_durable
from runtime.storage_errors import StorageUnavailable
from standin import serve_standin
from standin.commands import gemini_standin

log = structlog.get_logger("main")
DATA = Path(__file__).parent / ".data"
UNBOUNDED = 1 << 40  # handlers refuse large bodies themselves, with an answer that a client can read


@dataclass(frozen=True, slots=True)
class Service:
    """What runs: the server for HTTP, and what has to be told that the end is near."""

    app: Application
    connections: Connections
    polls: Polls
    runner: Runner
    open_requests: OpenRequests


async def compose(settings: Settings, stack: AsyncExitStack, *, demo_api_key: str = "") -> Service:
    """Construct every service, the needed before the needing; ``stack`` closes them in reverse."""
    metrics = Metrics()
    storage = await _open_storage(settings, stack, metrics)
    copy = await stack.enter_async_context(
        StatusCopy(storage, TrackingLink(storage.redis), entries=settings.redis.copy_entries)
    )
    accounts, api_keys = Accounts(storage), ApiKeys(storage)
    gemini_session = await stack.enter_async_context(open_session(settings.gemini))
    jwks_session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=True))  # its host has its own proxy
    identity = Identity(api_keys, accounts, settings.identity, jwks_session)

    tasks = Tasks(
        storage,
        owner=secrets.token_hex(8),
        written=lambda account_id, task_id, body: copy.put(account_id, task_id, body, settings.tasks.status_ttl_s),
        metrics=metrics,
        tasks=settings.tasks,
        limits=settings.limits,
        money=settings.money,
    )
    gemini = Gemini(gemini_session, settings.gemini, attempted=metrics.gemini_attempted)
    prompt_text = read_templates(settings)
    pipeline = Pipeline(tasks, gemini, prompt_text, copy, metrics, gemini_deadline_s=settings.gemini.deadline_s)
    limits = settings.limits
    runner = Runner(tasks, pipeline, running=limits.running_tasks_per_process, waiting=limits.waiting_tasks_per_process)
    stack.push_async_callback(runner.drain, 0)  # nothing is left to hand back, unless the start or a drain failed
    metrics.read_tasks(lambda: runner.running, lambda: runner.waiting)
    metrics.read_breaker(lambda: gemini.breaker_state)

    open_requests = OpenRequests()
    polls = Polls(copy, per_second=limits.polls_per_second_per_account, memo_entries=settings.server.memo_entries)
    metrics.read_polls(lambda: polls.counts)
    services = Services(
        identity=identity,
        accounts=accounts,
        generations=Generations(
            tasks, runner, copy, TaskEvents(storage, copy), manual_prompt_characters=limits.manual_prompt_characters
        ),
        polls=polls,
        metrics=metrics,
        not_ready=_readiness(storage, open_requests),
        open_requests=open_requests,
        cors_origins=frozenset(settings.server.cors_allowed_origins),
        body_bytes=settings.server.body_bytes,
        minimum_tokens=settings.money.minimum_tokens,
        page=Page(demo_api_key),
    )
    app = make_app(services)
    lane = ExpressLane(copy, polls, identity) if settings.server.express_lane else None
    server = HTTPServer(
        app,
        xheaders=settings.server.trust_proxy_headers,
        idle_connection_timeout=settings.server.header_timeout_s,  # Tornado has them from a request's first byte on
        body_timeout=settings.server.body_timeout_s,
        max_body_size=UNBOUNDED,
    )
    connections = await stack.enter_async_context(Connections(server, lane, settings.server))
    await stack.enter_async_context(Periodic(runner.renew, settings.tasks.renew_every_s))
    await stack.enter_async_context(Reaper(tasks, runner, copy, metrics, every_s=settings.tasks.reap_every_s))
    return Service(app, connections, polls, runner, open_requests)


async def _open_storage(settings: Settings, stack: AsyncExitStack, metrics: Metrics) -> Storage:
    redis = connect(settings.redis)
    prefix = settings.redis.key_prefix
    storage = Storage(redis, prefix=prefix, observe=metrics.redis_answered, failed=metrics.redis_failed)
    stack.push_async_callback(storage.aclose)
    await wait_until_ready(redis, settings.redis.start_timeout_s)
    await warn_when_not_durable(redis)
    return storage


def _readiness(storage: Storage, open_requests: OpenRequests) -> Callable[[], Any]:
    async def not_ready() -> str:
        if open_requests.draining:
            return "draining"
        try:
            await storage.read("ping", storage.redis.ping)
        except StorageUnavailable:
            return "storage_unavailable"
        return ""

    return not_ready


async def run(settings: Settings, *, ready: Callable[[str], None], demo_api_key: str = "") -> None:
    """Serve until SIGTERM or SIGINT, then drain; ``ready`` is told the URL once requests are accepted."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    connections = connections_within_limit(settings.server.connections)
    server = settings.server.model_copy(update={"connections": connections})
    settings = settings.model_copy(update={"server": server})
    async with AsyncExitStack() as stack:
        service = await compose(settings, stack, demo_api_key=demo_api_key)
        if settings.server.unix_socket:
            sockets = [bind_unix_socket(settings.server.unix_socket, mode=0o660, backlog=4096)]
            address = f"unix:{settings.server.unix_socket}"
        else:
            sockets = bind_sockets(settings.server.port, settings.server.host, backlog=4096)
            address = f"http://{settings.server.host}:{sockets[0].getsockname()[1]}"
        service.connections.add_sockets(sockets)
        settle_garbage_collector()
        log.info("serving", address=address, pid=os.getpid())
        if not settings.gemini.api_key.get_secret_value() and settings.gemini.base_url == GeminiSettings().base_url:
            log.warning("gemini_api_key_missing", effect="only fallbacks are made", setting="GEMINI_API_KEY")
        ready(address)
        await stop.wait()
        await _drain(service, settings.server.drain_timeout_s)


async def _drain(service: Service, timeout_s: float) -> None:
    log.info("draining", running=service.runner.running, requests=service.open_requests.count)
    async with asyncio.TaskGroup() as group:
        group.create_task(service.runner.drain(timeout_s))
        group.create_task(service.open_requests.drain(timeout_s))
        group.create_task(service.connections.drain(timeout_s))
    log.info("drained")


@asynccontextmanager
async def open_accounts(settings: Settings) -> AsyncIterator[Any]:
    """Open what the accounts commands need, without a server around it."""
    async with AsyncExitStack() as stack:
        storage = await _open_storage(settings, stack, Metrics())
        yield AccountsAdministration(Accounts(storage), ApiKeys(storage), read_templates(settings).advice)


def administer_accounts(config: Path | None) -> AbstractAsyncContextManager[Any]:
    """Open what the accounts commands need in a process of their own; logs go to standard error, beside the answers."""
    settings = read_settings(config)
    require_redis_url(settings)
    configure_logging(settings.logs)
    return open_accounts(settings)


@dataclass(frozen=True, slots=True)
class AccountsAdministration:
    accounts: Accounts
    api_keys: ApiKeys
    advice: Callable[[str], str]


def write_ready_file(path: Path | None, facts: dict[str, Any]) -> None:
    """Write one JSON object; whoever waits for the file never sees half of it."""
    if path is None:
        return
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(json.dumps(facts) + "\n", "utf-8")
        partial.replace(path)
    except OSError as exc:
        raise click.ClickException(f"--ready-file: {path} cannot be written: {exc.strerror}") from exc


CONFIG = click.option("--config", type=click.Path(path_type=Path), help="Settings file instead of config.yaml.")
HOST = click.option("--host", help="Address to listen on (setting server.host).")
PORT = click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any free one.")
READY_FILE = click.option(
    "--ready-file", type=click.Path(path_type=Path), help="Write one JSON object there when requests are accepted."
)


def read_settings(config: Path | None, **sections: dict[str, Any]) -> Settings:
    """Load the settings, or end with one line per wrong one."""
    given = {
        name: {key: value for key, value in section.items() if value is not None} for name, section in sections.items()
    }
    try:
        return load_settings(config, given)
    except InvalidSettings as exc:
        raise click.ClickException("the settings cannot be used:\n  " + "\n  ".join(exc.problems)) from exc


def read_templates(settings: Settings) -> PromptText:
    """Read the templates, or end with one line about the one that cannot be used."""
    try:
        return PromptText(settings.prompt.templates_folder)
    except TemplatesUnusable as exc:
        raise click.ClickException(str(exc)) from exc


def require_redis_url(settings: Settings) -> None:
    """End with what to set, when nothing says where Redis is."""
    if not settings.redis.url.get_secret_value():
        raise click.ClickException("redis.url is not set: give PROMPT_REDIS__URL, for example redis://127.0.0.1:6379/0")


def start(settings: Settings, serving: Coroutine[Any, Any, None]) -> None:
    """Run until a signal; end with one clear line when the port or Redis cannot be had."""
    configure_logging(settings.logs)
    try:
        asyncio.run(serving)
    except StorageUnavailable as exc:
        raise click.ClickException(f"Redis at {shown(settings)['redis']['url']} cannot be used: {exc.reason}") from exc
    except OSError as exc:
        where = settings.server.unix_socket or f"{settings.server.host}:{settings.server.port}"
        raise click.ClickException(f"cannot listen on {where}: {exc.strerror}") from exc
    except PublicKeyUnusable as exc:
        raise click.ClickException(f"identity.jwt.public_key_file: {exc.path} {exc.reason}") from exc


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("1.0.0", prog_name="prompt-generation-server")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Turn manual prompts into better ones with Gemini, and show every stage while it happens."""
    ctx.obj = administer_accounts


@cli.command()
@CONFIG
@HOST
@PORT
@READY_FILE
def serve(config: Path | None, host: str | None, port: int | None, ready_file: Path | None) -> None:
    """Run the server in production. Needs redis.url and a Gemini API key."""
    settings = read_settings(config, server={"host": host, "port": port})
    require_redis_url(settings)

    def ready(address: str) -> None:
        write_ready_file(ready_file, {"url": address, "pid": os.getpid()})

    start(settings, run(settings, ready=ready))


@cli.command("check-config")
@CONFIG
def check_config(config: Path | None) -> None:
    """Show the settings that would be used, secrets masked; exit 1 when they are wrong."""
    click.echo(json.dumps(shown(read_settings(config)), indent=2))


@cli.command()
@CONFIG
@HOST
@PORT
@READY_FILE
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder for Redis' data and the demo key.")
@click.option(
    "--gemini-delay-s", type=float, default=6.0, show_default=True, help="Seconds the stand-in takes to answer."
)
def demo(
    config: Path | None, host: str | None, port: int | None, ready_file: Path | None, data: Path, gemini_delay_s: float
) -> None:
    """Run everything on this machine: Redis, an account, and a stand-in for Gemini unless GEMINI_API_KEY is set."""
    server = {"host": host, "port": port}
    try:
        with RedisServer(data / "redis") as redis:
            settings = read_settings(config, server=server, redis={"url": redis.url})
            start(settings, run_demo(settings, data / "demo.json", ready_file, gemini_delay_s))
    except NoRedisServer as exc:
        raise click.ClickException(str(exc)) from exc


STANDIN_KEY = "demo-key-of-the-stand-in"
DEMO_TEXT = """
  Page      {url}/
  API key   {api_key}
  Gemini    {gemini}

  Try it:
  curl -s -X POST {url}{base}/generate-prompt-async/ -H 'Authorization: Bearer {api_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"manual_prompt": "Answer questions about our bakery. Open 7-18, call 030 1234567."}}'
"""


async def demo_account(settings: Settings, remembered: Path) -> tuple[str, str]:
    """Return the demo account's id and API key; made at the first start, kept beside Redis' data."""
    async with open_accounts(settings) as administration:
        with contextlib.suppress(OSError, ValueError, KeyError, Unauthorized):
            known = json.loads(remembered.read_text("utf-8"))
            if await administration.api_keys.find(known["api_key"]) == known["account_id"]:
                return known["account_id"], known["api_key"]
        account = await administration.accounts.create(
            tokens=1_000_000, subscription_days=3_650, business_type="restaurant", name="Demo"
        )
        made = await administration.api_keys.create(account.account_id, "demo")
        remembered.touch(mode=0o600)
        remembered.write_text(json.dumps({"account_id": account.account_id, "api_key": made.key}), "utf-8")
        return account.account_id, made.key


async def run_demo(settings: Settings, remembered: Path, ready_file: Path | None, gemini_delay_s: float) -> None:
    """Serve with the demo account, and with the stand-in for Gemini when there is no key for the real one."""
    async with AsyncExitStack() as stack:
        if not settings.gemini.api_key.get_secret_value():
            standin = await stack.enter_async_context(serve_standin(api_key=STANDIN_KEY, delay_s=gemini_delay_s))
            gemini = settings.gemini.model_copy(update={"base_url": standin.url, "api_key": SecretStr(STANDIN_KEY)})
            settings = settings.model_copy(update={"gemini": gemini})
        account_id, api_key = await demo_account(settings, remembered)

        def ready(address: str) -> None:
            gemini_url, redis_url = settings.gemini.base_url, settings.redis.url.get_secret_value()
            click.echo(DEMO_TEXT.format(url=address, api_key=api_key, base=BASE, gemini=gemini_url))
            facts = {"api_key": api_key, "account_id": account_id, "redis_url": redis_url, "gemini_url": gemini_url}
            write_ready_file(ready_file, {"url": address, "pid": os.getpid()} | facts)

        await run(settings, ready=ready, demo_api_key=api_key)


cli.add_command(gemini_standin)
cli.add_command(accounts_commands)


if __name__ == "__main__":
    cli()
