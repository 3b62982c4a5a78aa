"""Polls and submits on the same connections, directly and through nginx; and submits while 20,000 polls a second go on.

Every connection that polls also submits after twenty polls. The submits carry their Idempotency-Key again, so that
each goes the whole way through the server's ordinary HTTP stack to Redis and back, but starts no generation: what a
generation costs is hundreds of times a poll's price and would bury it. What the submits cost is measured by themselves
at the rate that they had in the mix, because fewer at a time share fewer round trips, and is taken out: of the CPU per
poll, and of p99, which in a closed loop is the time that the server takes to serve everybody once (through nginx it is
nginx's time, on a core shared with wrk). Refuses to know how load is made.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from bench.contenders import OURS_AS_SHIPPED, ROOT, Server, start_nginx, start_standin
from bench.open_loop import OpenLoop, Seen, percentile
from bench.process import free_port
from bench.report import Goal, Report, number
from bench.submit import GEMINI_DELAY_S
from bench.testbed import Testbed
from bench.wrk import SUBMITS_ONLY, Load

POLLS_PER_SUBMIT = 20
REPEATABLE_PER_S = 100
POLL_CONNECTIONS = 100
UNASKED_S = 2.0
MAX_CONNECTIONS = 10_000
TURN_S = 5.0  # between two submits of a connection, when they are measured alone: all of them find it idle
SUBMITS_PER_S = 50
POLLS_PER_S = 20_000


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds for each figure, and the numbers of connections of the mixed load."""

    seconds: float
    connections: Sequence[int]


@dataclass(frozen=True, slots=True)
class Mix:
    """``polls`` alone, both ``mixed``, and ``submits`` alone as often as in the mix.

    ``unasked``: the share of its core that the server uses when nobody asks, to hear of the tasks' changes. It is
    the same whatever the rate of requests, so it is taken out before anything is counted per request.
    """

    unasked: float
    polls: Load
    mixed: Load
    submits: Load
    through_nginx: bool

    @property
    def poll_alone_us(self) -> float:
        return self._net_us(self.polls)

    @property
    def submit_us(self) -> float:
        return self._net_us(self.submits)

    @property
    def poll_us(self) -> float:
        """CPU of a poll in the mix, when the submits' own is taken out."""
        return (self._net_us(self.mixed) * (POLLS_PER_SUBMIT + 1) - self.submit_us) / POLLS_PER_SUBMIT

    @property
    def p99_ms(self) -> float:
        """p99 of the mix, when the time that the server spends on the submits is taken out."""
        if self.through_nginx:
            return self.mixed.p99_ms
        polls_us = POLLS_PER_SUBMIT * self.poll_us
        return self.mixed.p99_ms * polls_us / (polls_us + self.submit_us)

    def _net_us(self, load: Load) -> float:
        return load.cpu_us - self.unasked / load.per_s * 1e6


def measure_mixed(testbed: Testbed, report: Report, effort: Effort) -> None:
    """Measure the mixed load directly and through nginx, and print tables and verdicts."""
    report.heading("Polls and submits on the same connections")
    rows, goals = [], []
    for through_nginx in (False, True):
        where = "through nginx" if through_nginx else "directly"
        with ExitStack() as stack:
            standin = start_standin(stack, testbed.place.folder, core=testbed.core, delay_s=0.1)
            server = testbed.start(stack, OURS_AS_SHIPPED, gemini_url=standin.url)
            url = _nginx_in_front(stack, testbed, server).url if through_nginx else server.url
            open_loop = OpenLoop(server.url, testbed.accounts, repeated=True)
            asyncio.run(open_loop.at_rate(REPEATABLE_PER_S, len(testbed.accounts) / REPEATABLE_PER_S))
            for connections in effort.connections:
                mix = _mix(testbed, url, server, connections, effort.seconds, through_nginx=through_nginx)
                rows.append(_row(f"{where}, {connections:,} connections", mix))
                what = f"a poll in the mix against polls alone, {where}, {connections:,} connections"
                goals.append(Goal(what, mix.poll_us / mix.poll_alone_us, 1.5))
                if connections == MAX_CONNECTIONS:
                    what = f"p99 in the mix against polls alone, {where}, {connections:,} connections"
                    goals.append(Goal(what, mix.p99_ms / mix.polls.p99_ms, 1.5))
        report.measured(where)
    report.table(
        (
            "CPU µs of the server",
            "unasked, ms/s",
            "poll alone",
            "submit alone",
            "poll in the mix",
            "mix requests/s",
            "p99 ms: polls alone",
            "mix",
            "without the submits",
            "others %",
            "errors",
        ),
        rows,
    )
    report.text("### Goals for the mix")
    report.goals(goals)


def measure_submits_among_polls(testbed: Testbed, report: Report, seconds: float) -> None:
    """Measure submits while the same server, on the same core, answers 20,000 polls a second."""
    report.heading(f"{SUBMITS_PER_S} submits a second among {POLLS_PER_S:,} polls a second")
    with ExitStack() as stack:
        standin = start_standin(stack, testbed.place.folder, core=testbed.core, delay_s=GEMINI_DELAY_S)
        server = testbed.start(stack, OURS_AS_SHIPPED, gemini_url=standin.url)
        open_loop = OpenLoop(server.url, testbed.accounts)
        asyncio.run(open_loop.at_rate(SUBMITS_PER_S, 2))
        load, seen = asyncio.run(_both(testbed, server, open_loop, seconds))
    report.table(
        (
            "polls/s",
            "poll p50 ms",
            "poll p99 ms",
            "core %",
            "others %",
            "submits",
            "202 p50 ms",
            "202 p99 ms",
            "errors",
        ),
        [
            (
                f"{load.per_s:,.0f}",
                number(load.p50_ms),
                number(load.p99_ms),
                f"{100 * load.busy:.0f}",
                f"{100 * load.foreign:.0f}",
                str(len(seen.submit_s)),
                number(percentile(seen.submit_s, 50) * 1000),
                number(percentile(seen.submit_s, 99) * 1000),
                str(len(seen.errors) + load.errors),
            )
        ],
    )
    report.goals(
        [
            Goal("polls served", load.per_s, 0.98 * POLLS_PER_S, "a second", at_least=True),
            Goal("p99 of submits meanwhile", percentile(seen.submit_s, 99) * 1000, 100, "ms"),
            Goal("errors", len(seen.errors) + load.errors, 0, ""),
        ]
    )


async def _both(testbed: Testbed, server: Server, open_loop: OpenLoop, seconds: float) -> tuple[Load, Seen]:
    """Poll from a thread of its own, because it waits for wrk, and submit from this one."""
    polling = asyncio.create_task(
        asyncio.to_thread(
            testbed.wrk.run,
            server.url,
            server.process,
            connections=POLL_CONNECTIONS,
            seconds=seconds + 1.5,
            per_s=POLLS_PER_S,
        )
    )
    await asyncio.sleep(1.0)  # wrk is there
    seen = await open_loop.at_rate(SUBMITS_PER_S, seconds)
    return await polling, seen


def _mix(testbed: Testbed, url: str, server: Server, connections: int, seconds: float, *, through_nginx: bool) -> Mix:
    def run(submit_every: int = 0, per_s: float = 0) -> Load:
        most = min(connections, math.ceil(per_s * TURN_S)) if per_s else connections
        return testbed.wrk.run(
            url, server.process, connections=most, seconds=seconds, submit_every=submit_every, per_s=per_s
        )

    used_s, asked_at = server.process.cpu_s, time.monotonic()
    time.sleep(UNASKED_S)
    unasked = (server.process.cpu_s - used_s) / (time.monotonic() - asked_at)
    polls, mixed = run(), run(POLLS_PER_SUBMIT)
    submits = run(SUBMITS_ONLY, mixed.per_s / (POLLS_PER_SUBMIT + 1))
    return Mix(unasked, polls, mixed, submits, through_nginx)


def _row(name: str, mix: Mix) -> tuple[str, ...]:
    loads = (mix.polls, mix.mixed, mix.submits)
    return (
        name,
        number(mix.unasked * 1000),
        number(mix.poll_alone_us),
        number(mix.submit_us),
        number(mix.poll_us),
        f"{mix.mixed.per_s:,.0f}",
        *(number(ms) for ms in (mix.polls.p99_ms, mix.mixed.p99_ms, mix.p99_ms)),
        f"{100 * max(load.foreign for load in loads):.0f}",
        str(sum(load.errors for load in loads)),
    )


def _nginx_in_front(stack: ExitStack, testbed: Testbed, server: Server) -> Server:
    """Start nginx with the configuration that is shipped, one server in its upstream, on the other core."""
    port = free_port()
    shipped = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    upstream = re.sub(r"^ *server (127\.0\.0\.1:8001|unix:).*\n", "", shipped, flags=re.MULTILINE)
    config = upstream.replace("127.0.0.1:8000", server.url.removeprefix("http://"))
    config = config.replace("listen 80;", f"listen 127.0.0.1:{port} backlog=4096;")
    return start_nginx(stack, replace(testbed.place, core=testbed.core), "nginx-front", config, port, workers=2)
