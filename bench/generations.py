"""The cost of a generation by its length and its watcher: none, a browser that polls, an event stream.

With ``beside``, the folder of another version of the server, each figure is measured for that one too, in turn with
ours. Refuses to know how load is made or processes are started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.contenders import ROOT, Server, start_ours, start_standin
from bench.open_loop import MANUAL_PROMPT, Follow, OpenLoop, Seen, document_at, percentile, polled
from bench.process import BenchmarkFailed
from bench.report import Goal, Report, number
from bench.submit import Cost, Meter
from bench.testbed import Testbed

LONG_S, SHORT_S = 8.0, 1.0
PIECES_OF = 2  # words: 60 pieces and a few in the answer to the load's prompt
LATE_S = 1.5  # after Gemini's time: a task without a watcher has ended by then
WARM_UP = (10, 2.0)  # submits per second, seconds
COLUMNS = (
    *("generations", "version", "completed", "CPU ms each", "Redis ms each", "commands each", "202 p99 ms"),
    *("core %", "others %"),
)


@dataclass(frozen=True, slots=True)
class Effort:
    """Submits a second of long and of short generations, for how many seconds, and how often in turn."""

    long_per_s: float
    short_per_s: float
    seconds: float
    turns: int = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of generation, and the most ms of CPU that it should cost: of the server, and of Redis."""

    name: str
    seconds: float
    follow: Follow
    server_ms: float
    redis_ms: float

    @property
    def prompt(self) -> str:
        pace = f"delay={self.seconds:g}" + (f",words_per_chunk={PIECES_OF}" if self.seconds == LONG_S else "")
        return f"{MANUAL_PROMPT} [[standin:{pace}]]"


async def _unwatched(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], seen: Seen) -> Any:
    await asyncio.sleep(LONG_S + LATE_S)
    return await polled(session, url, headers, seen)


async def _streamed(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], seen: Seen) -> Any:
    async with session.get(url.replace("/status/", "/events/"), headers=headers) as answer:
        async for line in answer.content:
            if line.startswith(b"event: end"):
                break
    return await document_at(session, url, headers, seen)


CASES = (
    Case("8 s in 60 pieces, nobody watching", LONG_S, _unwatched, 5, 0.8),
    Case("8 s in 60 pieces, polled once a second", LONG_S, polled, 5.5, 0.9),
    Case("8 s in 60 pieces, one event stream", LONG_S, _streamed, 10, 2),
    Case("1 s in 4 pieces, polled once a second", SHORT_S, polled, 3, 0.6),
)


def measure_generations(testbed: Testbed, report: Report, effort: Effort, beside: Path | None) -> None:
    """Measure each case, and print the table and the verdicts."""
    report.heading("Whole generations, by length and by who watches")
    versions = {"ours": ROOT} | ({"beside": beside} if beside is not None else {})
    costs: dict[tuple[Case, str], list[Cost]] = {}
    commands: dict[tuple[Case, str], list[float]] = {}
    for _turn in range(effort.turns):
        for version, folder in versions.items():
            for case, cost, each in _measure(testbed, effort, folder):
                costs.setdefault((case, version), []).append(cost)
                commands.setdefault((case, version), []).append(each)
            report.measured(version)
    rows, goals = [], []
    for case in CASES:
        for version in versions:
            cost = median(costs[case, version])
            rows.append(_row(case, version, cost, percentile(commands[case, version], 50)))
            if version == "ours":
                goals.append(Goal(f"{case.name}: server", cost.ms_each(sum(cost.process_s)), case.server_ms, "ms"))
                goals.append(Goal(f"{case.name}: Redis", cost.ms_each(cost.redis_s), case.redis_ms, "ms"))
    report.table(COLUMNS, rows)
    report.text("### Goals for generations")
    report.goals(goals)


def _measure(testbed: Testbed, effort: Effort, folder: Path) -> list[tuple[Case, Cost, float]]:
    with ExitStack() as stack:
        standin = start_standin(stack, testbed.place.folder, core=testbed.core, delay_s=SHORT_S)
        server = start_ours(stack, testbed.place_with(standin.url), root=folder)
        testbed.warm_up(server)
        return [(case, *measure_case(testbed, effort, server, standin, case)) for case in CASES]


def measure_case(testbed: Testbed, effort: Effort, server: Server, standin: Server, case: Case) -> tuple[Cost, float]:
    open_loop = OpenLoop(server.url, testbed.accounts, follow=case.follow, manual_prompt=case.prompt)
    asyncio.run(open_loop.at_rate(*WARM_UP))
    meter = Meter(testbed, standin, [server.process])
    before = testbed.redis_commands
    per_s = effort.long_per_s if case.seconds == LONG_S else effort.short_per_s
    seen = asyncio.run(open_loop.at_rate(per_s, effort.seconds))
    if seen.errors:
        raise BenchmarkFailed(f"{case.name}: {len(seen.errors)} errors, the first: {seen.errors[0][:500]}")
    return meter.cost(seen), (testbed.redis_commands - before) / max(1, seen.completed)


def median(costs: list[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.ms_each(sum(cost.process_s)))[len(costs) // 2]


def _row(case: Case, version: str, cost: Cost, commands_each: float) -> tuple[str, ...]:
    return (
        case.name,
        version,
        str(cost.seen.completed),
        number(cost.ms_each(sum(cost.process_s))),
        number(cost.ms_each(cost.redis_s)),
        number(commands_each),
        number(percentile(cost.seen.submit_s, 99) * 1000),
        f"{100 * sum(cost.process_s) / cost.took_s:.0f}",
        f"{100 * (cost.core_s - sum(cost.process_s)) / cost.took_s:.0f}",
    )
