"""The cost of a whole generation: our server, and Django with Celery as the seed has it, with the same stand-in.

Refuses to know how load is made or processes are started.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import aiohttp

from bench.contenders import Server, start_celery_worker, start_django, start_ours, start_standin
from bench.open_loop import OpenLoop, Seen, percentile
from bench.process import Process, core_busy_s
from bench.report import Goal, Report, number
from bench.testbed import Testbed

GEMINI_DELAY_S = 1.0
WARM_UP = (50, 2.0)  # submits per second, seconds: connections, templates, scripts
FIRST_WAVE_S = 4.0  # of a peer: not counted for its rate
COLUMNS = (
    *("who", "generations/s", "CPU ms each", "Redis ms each", "core %", "others %", "202 p50 ms", "202 p99 ms"),
    *("completed", "errors", "polls each"),
)


@dataclass(frozen=True, slots=True)
class Pool:
    """A Celery pool, and how many generations are kept under way: enough to fill it or the core, not to queue long."""

    kind: str
    concurrency: int
    under_way: int

    @property
    def name(self) -> str:
        return f"Django + Celery, {self.kind} {self.concurrency}"


# What Django teams use: processes, some to a core, or threads for work that waits. A generation is under way for two
# polls, which is two seconds, and needs its place in the pool for one of them.
POOLS = (Pool("prefork", 8, 16), Pool("prefork", 64, 128), Pool("threads", 200, 250))


@dataclass(frozen=True, slots=True)
class Effort:
    """Submits per second and for how many seconds; then each peer's seconds, and how many of the pools."""

    per_s: int
    seconds: float
    peer_seconds: float
    pools: int = len(POOLS)


@dataclass(frozen=True, slots=True)
class CpuUsed:
    """Seconds of CPU that all had used at one moment."""

    at: float
    processes: tuple[float, ...]
    core: float
    redis: float
    standin: float
    generator: float


class Meter:
    """Measures what the processes on both cores use while the generations run."""

    def __init__(self, testbed: Testbed, standin: Server, processes: Sequence[Process]) -> None:
        self._testbed = testbed
        self._standin = standin.process
        self._processes = processes
        self._start = self._usage()

    def cost(self, seen: Seen) -> Cost:
        start, end = self._start, self._usage()
        return Cost(
            seen,
            took_s=end.at - start.at,
            process_s=tuple(after - before for before, after in zip(start.processes, end.processes, strict=True)),
            core_s=end.core - start.core,
            redis_s=end.redis - start.redis,
            others_s=end.redis - start.redis + end.standin - start.standin + end.generator - start.generator,
        )

    def _usage(self) -> CpuUsed:
        return CpuUsed(
            time.monotonic(),
            tuple(process.cpu_s for process in self._processes),
            core_busy_s(self._testbed.place.core),
            self._testbed.redis_cpu_s,
            self._standin.cpu_s,
            time.process_time(),
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU: of each measured process, of their whole core, of Redis, and of all on the other core."""

    seen: Seen
    took_s: float
    process_s: tuple[float, ...]
    core_s: float
    redis_s: float
    others_s: float

    def ms_each(self, seconds: float) -> float:
        return seconds / max(1, self.seen.completed) * 1000

    def row(self, name: str, per_s: float) -> tuple[str, ...]:
        seen = self.seen
        return (
            name,
            f"{per_s:.0f}",
            number(self.ms_each(sum(self.process_s))),
            number(self.ms_each(self.redis_s)),
            f"{100 * sum(self.process_s) / self.took_s:.0f}",
            f"{100 * (self.core_s - sum(self.process_s)) / self.took_s:.0f}",
            number(percentile(seen.submit_s, 50) * 1000),
            number(percentile(seen.submit_s, 99) * 1000),
            f"{seen.completed:,}",
            str(len(seen.errors)),
            number(seen.polls / max(1, seen.completed)),
        )


def measure_submits(testbed: Testbed, report: Report, effort: Effort) -> None:
    """Measure our server at a constant rate, then what the peer reaches, and print tables and verdicts."""
    report.heading("Submits")
    pools = POOLS[-effort.pools :]
    with ExitStack() as stack:
        standin = start_standin(stack, testbed.place.folder, core=testbed.core, delay_s=GEMINI_DELAY_S)
        ours, direct_s = _measure_ours(testbed, standin, effort)
        report.measured("ours")
        peers = []
        for pool in pools:
            peers.append(_measure_peer(testbed, standin, pool, effort.peer_seconds))
            report.measured(pool.name)
    rows = [ours.row("ours", ours.seen.per_s(FIRST_WAVE_S, effort.seconds))]
    for pool, peer in zip(pools, peers, strict=True):
        rows.append(peer.row(pool.name, peer.seen.per_s(FIRST_WAVE_S, effort.peer_seconds)))
    report.table(COLUMNS, rows)
    for pool, peer in zip(pools, peers, strict=True):
        front, worker = map(peer.ms_each, peer.process_s)
        report.text(
            f"{pool.name}: {number(front)} ms of each in Django (submit and polls), {number(worker)} ms in the worker."
        )
    _print_ours(report, ours, direct_s, effort)
    for name, cost in (("ours", ours), *((pool.name, peer) for pool, peer in zip(pools, peers, strict=True))):
        if cost.seen.errors:
            report.text(f"{name}: the first of {len(cost.seen.errors)} errors: {cost.seen.errors[0][:500]}")


def _print_ours(report: Report, ours: Cost, direct_s: Sequence[float], effort: Effort) -> None:
    seen = ours.seen
    added_ms = (percentile(seen.watched_s, 50) - GEMINI_DELAY_S) * 1000
    late_ms = (percentile(direct_s, 50) - GEMINI_DELAY_S) * 1000
    report.text(
        f"Ours, from sending a submit to seeing its end: {number(added_ms)} ms above the stand-in's second (median of "
        f"{len(seen.watched_s)} watched tasks). Asked directly meanwhile, the stand-in was {number(late_ms)} ms late "
        f"itself, which is in that figure. The other core was busy for {100 * ours.others_s / ours.took_s:.0f} %."
    )
    report.text("### Goals for submits")
    report.goals(
        [
            Goal("p99 of the 202", percentile(seen.submit_s, 99) * 1000, 100, "ms"),
            Goal("errors", len(seen.errors), 0, ""),
            Goal("tasks not completed", int(effort.per_s * effort.seconds) - seen.completed, 0, ""),
            Goal("added to Gemini's own time, median", added_ms, 25, "ms"),
        ]
    )


def _measure_ours(testbed: Testbed, standin: Server, effort: Effort) -> tuple[Cost, list[float]]:
    async def both(open_loop: OpenLoop) -> tuple[Seen, list[float]]:
        asking = asyncio.create_task(ask_directly(standin.url, effort.seconds))
        return await open_loop.at_rate(effort.per_s, effort.seconds), await asking

    with ExitStack() as stack:
        server = start_ours(stack, testbed.place_with(standin.url))
        testbed.warm_up(server)
        open_loop = OpenLoop(server.url, testbed.accounts, watch=True)
        asyncio.run(open_loop.at_rate(*WARM_UP))
        meter = Meter(testbed, standin, [server.process])
        seen, direct_s = asyncio.run(both(open_loop))
        return meter.cost(seen), direct_s


def _measure_peer(testbed: Testbed, standin: Server, pool: Pool, seconds: float) -> Cost:
    place = testbed.place_with(standin.url)
    broker_url = testbed.redis.url.removesuffix("/0") + "/1"
    with ExitStack() as stack:
        worker = start_celery_worker(stack, place, broker_url=broker_url, pool=pool.kind, concurrency=pool.concurrency)
        front = start_django(stack, place, broker_url=broker_url)
        testbed.warm_up(front)
        open_loop = OpenLoop(front.url, testbed.accounts)
        asyncio.run(open_loop.at_once(pool.concurrency, 1))
        meter = Meter(testbed, standin, [front.process, worker])
        return meter.cost(asyncio.run(open_loop.at_once(pool.under_way, seconds)))


async def ask_directly(url: str, seconds: float) -> list[float]:
    """Ask the stand-in as the server does, once at a time, and return how long each answer took."""
    took_s = []
    body = {"contents": [{"role": "user", "parts": [{"text": "Answer questions about our bakery."}]}]}
    ends_at = time.perf_counter() + seconds
    path = "/v1beta/models/gemini-flash-latest:streamGenerateContent?alt=sse"
    async with aiohttp.ClientSession(headers={"x-goog-api-key": "bench"}) as session:
        while time.perf_counter() < ends_at:
            asked_at = time.perf_counter()
            async with session.post(url + path, json=body) as answer:
                await answer.read()
            took_s.append(time.perf_counter() - asked_at)
    return took_s
