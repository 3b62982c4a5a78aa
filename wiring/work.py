"""Constructs what generates: tasks, the pipeline, the runner, the reaper and the Gemini client."""

from __future__ import annotations

import secrets
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from generation import Generations, StatusCopy
from generation.after_end import AfterEnd, NothingAfter
from generation.events import TaskEvents
from generation.forecast import Forecast
from generation.gemini import Gemini, open_session, open_tokens
from generation.healing import Healing
from generation.pipeline import Pipeline
from generation.processes import OLDEST_KEPT, Processes, ProcessState
from generation.prompt_text import PromptText
from generation.readers import Readers
from generation.reaper import Reaper
from generation.runner import Runner
from generation.tasks import Tasks
from notifications import (
    Deliveries,
    LowBalances,
    PushSubscriptions,
)
from runtime.loop_lag import WorstLag
from runtime.metrics import Metrics
from runtime.periodic import Periodic
from runtime.readings import Readings
from runtime.settings import Settings
from runtime.tracing import Tracing
from runtime.version import VERSION
from storage.storage import Storage
from wiring.notifications import Seen, open_deliverer, open_sightings


@dataclass(frozen=True, slots=True)
class Work:
    """What generates; ``renewal`` and ``reaper`` are opened when everything else is there."""

    generations: Generations
    runner: Runner
    deliveries: Deliveries
    low_balances: LowBalances
    subscriptions: PushSubscriptions
    seen: Seen
    processes: Processes
    renewal: Periodic
    reaper: Reaper

    @property
    def watched(self) -> tuple[Periodic, Periodic]:
        """The periodic work that readiness and metrics look at."""
        return self.renewal, self.reaper.periodic


async def open_work(
    settings: Settings,
    stack: AsyncExitStack,
    storage: Storage,
    copy: StatusCopy,
    metrics: Metrics,
    lag: WorstLag,
    tracing: Tracing,
) -> Work:
    """Construct tasks, pipeline, runner and reaper, and the Gemini client that they need."""
    subscriptions = PushSubscriptions(storage, allow_loopback=settings.web_push.allow_loopback)
    deliverer = await open_deliverer(settings, stack, metrics, tracing, subscriptions)
    tasks = _tasks(settings, storage, copy, metrics, deliverer or NothingAfter())
    deliveries = Deliveries(storage, tasks.index)
    if deliverer is not None:
        deliverer.deliver(deliveries)
    gemini = await _open_gemini(settings, stack, metrics, tracing)
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
    _report(metrics.readings, runner, gemini, settings)
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
    seen = await open_sightings(settings, stack, deliveries)
    low = LowBalances(tasks.index, settings.webhooks)
    return Work(generations, runner, deliveries, low, subscriptions, seen, processes, renewal, reaper)


def _tasks(settings: Settings, storage: Storage, copy: StatusCopy, metrics: Metrics, after_end: AfterEnd) -> Tasks:
    return Tasks(
        storage,
        owner=secrets.token_hex(8),
        written=lambda account_id, task_id, body: copy.put(account_id, task_id, body, settings.tasks.status_ttl_s),
        metrics=metrics,
        tasks=settings.tasks,
        limits=settings.limits,
        money=settings.money,
        after_end=after_end,
    )


async def _open_gemini(settings: Settings, stack: AsyncExitStack, metrics: Metrics, tracing: Tracing) -> Gemini:
    session = await stack.enter_async_context(open_session(settings.gemini))
    return Gemini(
        session,
        settings.gemini,
        tokens=await stack.enter_async_context(open_tokens(settings.gemini)),
        attempted=metrics.gemini_attempted,
        billed=lambda usage, model: metrics.gemini_billed(usage.by_kind(), model),
        answered=metrics.gemini_answered,
        tracing=tracing,
        trace_texts=settings.traces.texts,
    )


def _report(readings: Readings, runner: Runner, gemini: Gemini, settings: Settings) -> None:
    """Say where the metrics read what runs now."""
    limits = settings.limits
    readings.tasks(
        lambda: runner.running,
        lambda: runner.waiting,
        max_running=limits.running_tasks_per_process,
        max_waiting=limits.waiting_tasks_per_process,
    )
    readings.gemini_requests(lambda: gemini.open_requests, settings.gemini.connections)
    readings.breakers(lambda: {model.name: model.breaker.state for model in gemini.models.all})
    readings.unavailable_models(lambda: {model.name: model.unavailable for model in gemini.models.all})
    readings.retirements(lambda: {model.name: model.retires_at for model in gemini.models.all})


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
            oldest=runner.oldest(OLDEST_KEPT),
        ),
        tasks.endings.last_hour,
    )
