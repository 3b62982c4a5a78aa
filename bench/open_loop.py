"""Generations requested by many accounts: at a constant rate whatever the answers do, or so many at a time.

Each task is polled once a second as a browser does until it is terminal; some are watched with ``?wait=`` instead,
which shows to the millisecond when the end could be seen. Latencies count from the time at which a submit was due, so
that a server (or this generator) that falls behind looks slow. Refuses to know the server.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.headers import REPEATED_BODY, STATUS_PATH, SUBMIT_PATH, browser_headers, repeated_submit, submit_headers
from bench.load_accounts import LoadAccount

POLL_EVERY_S = 1.0
GIVE_UP_S = 60.0
WATCHED_EVERY = 10  # one task in so many is watched
MANUAL_PROMPT = "Answer questions about our bakery no. {}. Open 7-18, closed on Mondays, call 030 1234567. Be friendly."
TERMINAL = ("completed", "failed")
LAST_BUT_ONE = 6  # the version of the document at 90 %: a wait for a later one is answered once, at the end


@dataclass(slots=True)
class Seen:
    """The results. ``watched_s``: seconds from sending a submit to seeing the end; ``ended_at``: since the start."""

    submit_s: list[float] = field(default_factory=list)
    watched_s: list[float] = field(default_factory=list)
    ended_at: list[float] = field(default_factory=list)
    polls: int = 0
    errors: list[str] = field(default_factory=list)
    started_at: float = field(default_factory=time.perf_counter)

    @property
    def completed(self) -> int:
        return len(self.ended_at)

    def per_s(self, after_s: float, before_s: float) -> float:
        """Return how many ended per second in a part of the time."""
        return sum(after_s <= at < before_s for at in self.ended_at) / (before_s - after_s)


Follow = Callable[[aiohttp.ClientSession, str, Mapping[str, str], Seen], Awaitable[Any]]


class OpenLoop:
    """Sends submits to ``url``, for each of the accounts in turn.

    ``watch`` needs a server that knows ``?wait=``. With ``repeated`` the submits are those that wrk repeats later.
    ``follow`` is how the tasks that are not watched are followed to their end, ``polled`` unless given; a number is put
    into ``manual_prompt``.
    """

    def __init__(
        self,
        url: str,
        accounts: Sequence[LoadAccount],
        *,
        watch: bool = False,
        repeated: bool = False,
        follow: Follow | None = None,
        manual_prompt: str = MANUAL_PROMPT,
    ) -> None:
        self._follow = follow or polled
        self._manual_prompt = manual_prompt
        self._url = url
        self._watch = watch
        self._repeated = repeated
        self._accounts = itertools.cycle(accounts)
        self._numbers = itertools.count()

    async def at_rate(self, per_s: float, seconds: float) -> Seen:
        """Send a submit every 1/``per_s`` seconds; return when all tasks have ended."""
        seen = Seen()
        started_at = time.perf_counter() + 0.1
        async with _session() as session, asyncio.TaskGroup() as group:
            for number in range(int(per_s * seconds)):
                due_at = started_at + number / per_s
                await asyncio.sleep(due_at - time.perf_counter())
                group.create_task(self._generation(session, seen, due_at))
        return seen

    async def at_once(self, many: int, seconds: float) -> Seen:
        """Keep ``many`` generations running for ``seconds``: each that ends is followed by another."""
        seen = Seen()
        ends_at = time.perf_counter() + seconds

        async def one_after_the_other(delay_s: float) -> None:
            await asyncio.sleep(delay_s)
            while time.perf_counter() < ends_at:
                await self._generation(session, seen, time.perf_counter())

        async with _session() as session, asyncio.TaskGroup() as group:
            for number in range(many):
                group.create_task(one_after_the_other(number / many))
        return seen

    async def _generation(self, session: aiohttp.ClientSession, seen: Seen, due_at: float) -> None:
        number, account = next(self._numbers), next(self._accounts)
        headers = browser_headers(account.token)
        try:
            async with asyncio.timeout(GIVE_UP_S):
                sent_at = time.perf_counter()
                task_id = await self._submit(session, account, number)
                seen.submit_s.append(time.perf_counter() - due_at)
                url = f"{self._url}{STATUS_PATH}{task_id}/"
                watched = self._watch and number % WATCHED_EVERY == 0
                document = await (_watch if watched else self._follow)(session, url, headers, seen)
                if watched:
                    seen.watched_s.append(time.perf_counter() - sent_at)
            if document["status"] == "completed" and document["generated_by_ai"]:
                seen.ended_at.append(time.perf_counter() - seen.started_at)
            else:
                seen.errors.append(json.dumps(document))
        except (_Unexpected, TimeoutError, aiohttp.ClientError) as exc:
            seen.errors.append(repr(exc))

    async def _submit(self, session: aiohttp.ClientSession, account: LoadAccount, number: int) -> str:
        if self._repeated:
            body, headers = REPEATED_BODY, repeated_submit(account.account_id, account.token)
        else:
            body = json.dumps({"manual_prompt": self._manual_prompt.format(number)}).encode()
            headers = submit_headers(account.token, body)
        async with session.post(self._url + SUBMIT_PATH, data=body, headers=headers) as answer:
            text = await answer.read()
            if answer.status != 202:
                raise _Unexpected(f"{answer.status} {text!r}")
            return str(json.loads(text)["task_id"])


class _Unexpected(Exception):
    """An answer that no generation should get."""


async def polled(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], seen: Seen) -> Any:
    """Poll once a second until the task has ended; return its final document."""
    while True:
        await asyncio.sleep(POLL_EVERY_S)
        document = await document_at(session, url, headers, seen)
        if document["status"] in TERMINAL:
            return document


async def _watch(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], seen: Seen) -> Any:
    version = LAST_BUT_ONE
    while True:
        document = await document_at(session, f"{url}?wait=25&after={version}", headers, seen)
        if document["status"] in TERMINAL:
            return document
        version = document["version"]


async def document_at(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], seen: Seen) -> Any:
    """Ask for a task's document."""
    seen.polls += 1
    async with session.get(url, headers=headers) as answer:
        body = await answer.read()
        if answer.status != 200:
            raise _Unexpected(f"{answer.status} {body!r}")
        return json.loads(body)


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent of all do not exceed; NaN of none."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)] if values else math.nan
