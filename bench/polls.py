"""The cost of a poll: our server, the peers and the floors under one load, side by side.

Refuses to know how any of them is started or driven.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.contenders import CONTENDERS, DJANGO, FASTAPI, HELLO, NGINX, OURS
from bench.idle import bytes_per_connection
from bench.process import BenchmarkFailed
from bench.report import Goal, Report, number
from bench.testbed import Testbed
from bench.wrk import Load


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: seconds for each figure, and which ones."""

    seconds: float
    connections: Sequence[int]
    idle_connections: int  # 0: memory is not measured


@dataclass(slots=True)
class Result:
    """One contender's figures by number of connections; ``failures`` has what could not be measured."""

    loads: dict[int, Load] = field(default_factory=dict)
    idle_bytes: float | None = None
    failures: list[str] = field(default_factory=list)


def measure_polls(testbed: Testbed, report: Report, effort: Effort) -> None:
    """Measure every contender and print tables, ratios and verdicts."""
    report.heading("Polls")
    results = {}
    for contender in CONTENDERS:
        result = results[contender.name] = Result()
        with ExitStack() as stack:
            server = testbed.start(stack, contender)
            try:
                if effort.idle_connections:
                    result.idle_bytes = bytes_per_connection(
                        server.url, server.process, testbed.slots, testbed.accounts, effort.idle_connections
                    )
                for connections in effort.connections:
                    result.loads[connections] = testbed.wrk.run(
                        server.url, server.process, connections=connections, seconds=effort.seconds
                    )
            except BenchmarkFailed as exc:
                result.failures.append(f"{contender.name}: {exc}")
        report.measured(contender.name)
    _print(report, effort, results)


def _print(report: Report, effort: Effort, results: dict[str, Result]) -> None:
    for connections in effort.connections:
        loads = {name: result.loads[connections] for name, result in results.items() if connections in result.loads}
        report.text(f"### {connections:,} connection{'s' * (connections > 1)}")
        report.table(
            (
                "who",
                "CPU µs/poll",
                "times ours",
                "polls/s",
                "core %",
                "others %",
                "p50 ms",
                "p99 ms",
                "404s %",
                "errors",
            ),
            [_row(name, load, loads.get(OURS)) for name, load in loads.items()],
        )
    if effort.idle_connections:
        rows = [(name, number(result.idle_bytes)) for name, result in results.items()]
        report.text(f"### Memory per idle connection ({effort.idle_connections:,} of them)")
        report.table(("who", "resident bytes"), rows)
    for result in results.values():
        for failure in result.failures:
            report.text(f"FAILED: {failure}")
    report.text("### Goals for polls")
    report.goals(_goals(results, effort))


def _row(name: str, load: Load, ours: Load | None) -> tuple[str, ...]:
    return (
        name,
        number(load.cpu_us),
        number(load.cpu_us / ours.cpu_us) if ours else "-",
        f"{load.per_s:,.0f}",
        f"{100 * load.busy:.0f}",
        f"{100 * load.foreign:.0f}",
        number(load.p50_ms),
        number(load.p99_ms),
        f"{100 * load.not_2xx / load.requests:.1f}" if load.requests else "-",
        str(load.errors),
    )


def _goals(results: dict[str, Result], effort: Effort) -> list[Goal]:
    def cpu_us(name: str, connections: int) -> float:
        load = results[name].loads.get(connections)
        return load.cpu_us if load else math.nan

    def ratio(what: str, above: tuple[str, int], below: tuple[str, int], bound: float, *, at_least: bool) -> list[Goal]:
        if not {above[1], below[1]} <= set(effort.connections):
            return []
        return [Goal(what, cpu_us(*above) / cpu_us(*below), bound, at_least=at_least)]

    ours = results[OURS]
    goals = [
        *ratio("cheaper than Tornado's hello world, 100 connections", (HELLO, 100), (OURS, 100), 10, at_least=True),
        *ratio("cheaper than FastAPI, 100 connections", (FASTAPI, 100), (OURS, 100), 20, at_least=True),
        *ratio("cheaper than Django, 100 connections", (DJANGO, 100), (OURS, 100), 40, at_least=True),
        *ratio("of nginx's `return 200`, 100 connections", (OURS, 100), (NGINX, 100), 2, at_least=False),
        *ratio("cheaper than Tornado's hello world, 1 connection", (HELLO, 1), (OURS, 1), 3, at_least=True),
        *ratio("10,000 connections against 100", (OURS, 10_000), (OURS, 100), 2.5, at_least=False),
    ]
    if 10_000 in effort.connections:
        many = ours.loads.get(10_000)
        goals.append(Goal("p99 at 10,000 connections", many.p99_ms if many else math.nan, 500, "ms"))
    if effort.idle_connections:
        idle_bytes = math.nan if ours.idle_bytes is None else ours.idle_bytes
        goals.append(Goal("memory per idle connection", idle_bytes, 2048, "bytes"))
    return goals
