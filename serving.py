"""Serves until a signal, then drains. Refuses to know what is served: ``composition`` does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from composition import Service, compose
from runtime.descriptors import connections_within_limit
from runtime.garbage import settle_garbage_collector
from runtime.settings import GeminiSettings, Settings
from runtime.systemd import Systemd
from server.binding import bind
from storage.errors import StorageMisconfigured

log = structlog.get_logger("main")
ANSWERED_WITHIN_S = 1.0  # requests in progress, when the data turns out to be newer than this program


async def run(settings: Settings, *, ready: Callable[[str], None], demo_api_key: str = "") -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, then drain; ``ready`` is called with the URL once requests are accepted.

    Raises:
        StorageMisconfigured: also when a newer version takes the data over while this one runs.
    """
    stop = asyncio.Event()
    problems: list[StorageMisconfigured] = []

    def outdated(problem: StorageMisconfigured) -> None:
        problems.append(problem)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    connections = connections_within_limit(settings.server.connections)
    server = settings.server.model_copy(update={"connections": connections})
    settings = settings.model_copy(update={"server": server})
    async with _closed_whole() as stack:
        starting = compose(settings, stack, demo_api_key=demo_api_key, outdated=outdated)
        service = await _unless(stop, starting)
        if service is None:
            log.info("stopped_while_starting")
        else:
            systemd = stack.enter_context(Systemd())
            _serve(settings, service, ready)
            systemd.ready()
            await stop.wait()
            systemd.stopping()
            in_time_s = settings.server.drain_timeout_s
            await _drain(service, *((0, ANSWERED_WITHIN_S) if problems else (in_time_s, in_time_s)))
    if problems:
        raise problems[0]


def _serve(settings: Settings, service: Service, ready: Callable[[str], None]) -> None:
    """Accept requests from now on."""
    sockets, address = bind(settings.server)
    service.connections.add_sockets(sockets)
    settle_garbage_collector()
    log.info("serving", address=address, pid=os.getpid())
    if not settings.gemini.api_key.get_secret_value() and settings.gemini.base_url == GeminiSettings().base_url:
        log.warning("gemini_api_key_missing", effect="only fallbacks are made", setting="GEMINI_API_KEY")
    ready(address)


@asynccontextmanager
async def _closed_whole() -> AsyncIterator[AsyncExitStack]:
    """Yield a stack that is closed to its end: an error in one closing is logged and changes no exit code."""
    stack = AsyncExitStack()
    try:
        yield stack
    finally:
        try:
            await stack.aclose()
        except Exception:
            log.exception("closing_failed")


async def _drain(service: Service, tasks_s: float, requests_s: float) -> None:
    log.info("draining", running=service.runner.running, requests=service.open_requests.count)
    steps = (service.runner.drain, service.open_requests.drain, service.connections.drain)
    times_s = (tasks_s, requests_s, requests_s)
    outcomes = await asyncio.gather(
        *(step(time_s) for step, time_s in zip(steps, times_s, strict=True)), return_exceptions=True
    )
    for step, outcome in zip(steps, outcomes, strict=True):
        if isinstance(outcome, BaseException):  # the other steps have gone on
            log.error("drain_step_failed", step=step.__qualname__, exc_info=outcome)
    log.info("drained")


async def _unless(stop: asyncio.Event, starting: Coroutine[object, None, Service]) -> Service | None:
    """Return what ``starting`` returns, or None when ``stop`` is set before: a start may wait for Redis for long."""
    task, stopping = asyncio.create_task(starting), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            service: Service = task.result()
            return service
        task.cancel()
        await asyncio.wait((task,))
        return None
    finally:
        stopping.cancel()
        task.cancel()
