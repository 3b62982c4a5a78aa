"""The cost of open event streams and the delay of their events: in the process that runs the task, and in another.

An event's id begins with the milliseconds of Redis' clock at which its stage was written, and there is one clock
here: the delay is from then to the moment a client has the whole event. Refuses to know how servers are started.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from bench.contenders import start_ours, start_standin
from bench.headers import BASE, SUBMIT_PATH, as_text, browser_headers, submit_headers
from bench.load_accounts import LoadAccount
from bench.open_loop import percentile
from bench.process import BenchmarkFailed, Process
from bench.report import Goal, Report, number
from bench.testbed import Testbed

EVENTS_PATH = f"{BASE}/generate-prompt-async/events/"
LATE_STAGES = 2  # the last ones, when Gemini has answered: a stream is open by then
LIVELY = "Answer questions about our bakery. [[standin:delay=0.5]]"
LONG = "Answer questions about our bakery. [[standin:delay=8,words_per_chunk=2]]"
JOINED_AFTER_S = (4.0, 7.0)  # somewhere in the middle of the text, which begins after 3.2 s
QUIET = "Answer questions about our bakery. [[standin:delay=300]]"  # its first word comes after the measurement
STARTED_PER_S = 20
CONCURRENT_CONNECTS = 100
SETTLE_S = 2.0
KEEP_ALIVE_S = 15.0  # between two comments of a quiet stream


@dataclass(frozen=True, slots=True)
class Effort:
    """How many tasks are followed for their delays, and how many quiet streams are kept open for how long."""

    tasks: int
    streams: int
    quiet_s: float


def measure_streams(testbed: Testbed, report: Report, effort: Effort) -> None:
    """Measure delays, then what open streams cost, and print tables and verdicts."""
    report.heading("Event streams")
    with ExitStack() as stack:
        standin = start_standin(stack, testbed.place.folder, core=testbed.core, delay_s=0.5)
        place = testbed.place_with(standin.url)
        here, elsewhere = start_ours(stack, place), start_ours(stack, place)
        same, other = asyncio.run(_delays(here.url, elsewhere.url, testbed.accounts, effort.tasks))
        report.table(
            ("status events read from", "events", "p50 ms", "p99 ms", "slowest ms"),
            [_delay_row("the process that runs the task", same), _delay_row("another process", other)],
        )
        joined_here = asyncio.run(_first_pieces(here.url, here.url, testbed.accounts, effort.tasks))
        joined_elsewhere = asyncio.run(_first_pieces(here.url, elsewhere.url, testbed.accounts, effort.tasks))
        report.table(
            (
                "first new piece of a text for a reader who comes in its middle to",
                "readers",
                "p50 ms",
                "p99 ms",
                "slowest ms",
            ),
            [
                _delay_row("the process that runs the task", joined_here),
                _delay_row("another process", joined_elsewhere),
            ],
        )
        elsewhere.process.stop()
        cost = asyncio.run(_cost(here.url, here.process, testbed.accounts, effort))
        report.table(
            ("open streams", "resident bytes each", "CPU ms of a second in which nothing happens"),
            [(f"{effort.streams:,}", number(cost.bytes_each), number(cost.idle_ms))],
        )
        report.text("### Goals for event streams")
        report.goals(
            [
                Goal("delay in the same process, p99", percentile(same, 99), 50, "ms"),
                Goal("delay from another process, p99", percentile(other, 99), 150, "ms"),
                Goal("first piece for a new reader, slowest", max(joined_here + joined_elsewhere), 300, "ms"),
            ]
        )


def _delay_row(name: str, delays_ms: Sequence[float]) -> tuple[str, ...]:
    p50, p99 = percentile(delays_ms, 50), percentile(delays_ms, 99)
    return name, str(len(delays_ms)), number(p50), number(p99), number(max(delays_ms))


async def _delays(
    url: str, other_url: str, accounts: Sequence[LoadAccount], tasks: int
) -> tuple[list[float], list[float]]:
    """Follow each task in both processes; return the delays in ms of all status events, by process."""
    same: list[float] = []
    other: list[float] = []
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for account in accounts[:tasks]:
            task_id = await _start(session, url, account, LIVELY)
            group.create_task(_follow(url, account, task_id, same))
            group.create_task(_follow(other_url, account, task_id, other))
            await asyncio.sleep(1 / STARTED_PER_S)
    if min(len(same), len(other)) < tasks * LATE_STAGES:
        raise BenchmarkFailed(f"too few events: {len(same)} and {len(other)} of {tasks} tasks")
    return same, other


async def _follow(url: str, account: LoadAccount, task_id: str, delays_ms: list[float]) -> None:
    async with _stream(url, account, task_id) as reader:
        opened_ms = time.time() * 1000
        event_id = ""
        async for line in reader:
            name, _colon, value = line.decode().strip().partition(": ")
            if name == "id":
                event_id = value
            elif name == "event" and value == "status":
                await reader.readuntil(b"\n\n")  # its data
                written_ms = int(event_id.partition("-")[0])
                if written_ms >= opened_ms:  # what happened before the stream was there says nothing
                    delays_ms.append(time.time() * 1000 - written_ms)
            elif name == "event" and value == "end":
                return


async def _first_pieces(url: str, read_url: str, accounts: Sequence[LoadAccount], tasks: int) -> list[float]:
    """Return the ms from the request of each late reader to the first piece that was written after it."""
    waits_ms: list[float] = []

    async def join(account: LoadAccount, task_id: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        came_ms = time.time() * 1000
        async with _stream(read_url, account, task_id) as reader:
            async for written_ms in _pieces(reader):
                if written_ms >= came_ms:
                    waits_ms.append(time.time() * 1000 - came_ms)
                    return

    first, last = JOINED_AFTER_S
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for number_of, account in enumerate(accounts[:tasks]):
            task_id = await _start(session, url, account, LONG)
            group.create_task(join(account, task_id, first + (last - first) * number_of / tasks))
            await asyncio.sleep(1 / STARTED_PER_S)
    if len(waits_ms) < tasks:
        raise BenchmarkFailed(f"only {len(waits_ms)} of {tasks} readers saw a piece")
    return waits_ms


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[int]:
    """Yield when each piece of text was written, in ms of Redis' clock, once it is here as a whole."""
    event_id = ""
    async for line in reader:
        name, _colon, value = line.decode().strip().partition(": ")
        if name == "id":
            event_id = value
        elif name == "event" and value == "chunk":
            await reader.readuntil(b"\n\n")
            yield int(event_id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Cost:
    bytes_each: float
    idle_ms: float


async def _cost(url: str, server: Process, accounts: Sequence[LoadAccount], effort: Effort) -> Cost:
    places = asyncio.Semaphore(CONCURRENT_CONNECTS)
    async with aiohttp.ClientSession() as session, AsyncExitStack() as stack:

        async def start(account: LoadAccount) -> str:
            async with places:
                return await _start(session, url, account, QUIET)

        async def open_one(account: LoadAccount, task_id: str) -> asyncio.StreamReader:
            async with places:
                reader = await stack.enter_async_context(_stream(url, account, task_id))
                await reader.readuntil(b'"progress":70')  # from here on it is quiet
                return reader

        ids = await asyncio.gather(*map(start, accounts))
        await asyncio.sleep(SETTLE_S)
        before = server.resident_bytes
        chosen = [number % len(accounts) for number in range(effort.streams)]
        readers = await asyncio.gather(*(open_one(accounts[at], ids[at]) for at in chosen))
        await asyncio.sleep(SETTLE_S)
        after = server.resident_bytes
        cpu_s, began = server.cpu_s, time.monotonic()
        await asyncio.sleep(effort.quiet_s)
        idle_ms = (server.cpu_s - cpu_s) / (time.monotonic() - began) * 1000
        if lost := sum(reader.at_eof() for reader in readers):
            raise BenchmarkFailed(f"{lost} of {effort.streams} streams were closed")
        return Cost((after - before) / effort.streams, idle_ms)


async def _start(session: aiohttp.ClientSession, url: str, account: LoadAccount, manual_prompt: str) -> str:
    body = json.dumps({"manual_prompt": manual_prompt}).encode()
    async with session.post(url + SUBMIT_PATH, data=body, headers=submit_headers(account.token, body)) as answer:
        if answer.status != 202:
            raise BenchmarkFailed(f"a submit was answered {answer.status}: {await answer.text()}")
        return str((await answer.json())["task_id"])


@contextlib.asynccontextmanager
async def _stream(url: str, account: LoadAccount, task_id: str) -> AsyncIterator[asyncio.StreamReader]:
    """Open a task's events with a browser's headers; the body's chunk sizes stand between the lines."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"GET {EVENTS_PATH}{task_id}/ HTTP/1.1\r\n".encode() + as_text(browser_headers(account.token)))
        status_line = await reader.readline()
        if b" 200 " not in status_line:
            raise BenchmarkFailed(f"a stream was answered {status_line!r}")
        yield reader
    finally:
        writer.close()
