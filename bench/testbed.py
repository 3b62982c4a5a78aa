"""The equipment of every measurement: two cores, a Redis with funded accounts, a folder in memory.

Refuses to know what is measured.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from redis import Redis

from bench.contenders import ROOT, Contender, Place, Server
from bench.load_accounts import LoadAccount, account_ids, make_accounts, open_accounts
from bench.process import BenchmarkFailed, Process, raise_descriptor_limit, session_cpu_s, two_cores
from bench.shared_slots import SharedSlots
from bench.verification import verify, verify_fixed
from bench.wrk import Wrk
from storage.redis_server import RedisServer

UNKNOWN_TASK = "00000000-0000-4000-8000-000000000000"
DESCRIPTORS = 12_000  # for 10,000 connections and the files of the process


@dataclass(frozen=True, slots=True)
class Testbed:
    """Everything but the server that is measured; all of it runs on ``core``, the server on ``place.core``."""

    core: int
    place: Place
    redis: RedisServer
    accounts: list[LoadAccount]
    slots: SharedSlots
    wrk: Wrk

    @property
    def redis_cpu_s(self) -> float:
        return session_cpu_s(os.getsid(self.redis.pid))

    @property
    def redis_commands(self) -> int:
        """How many commands Redis has run so far, those of scripts included."""
        with Redis.from_url(self.redis.url) as client:
            return int(client.info("stats")["total_commands_processed"])

    def start(self, stack: ExitStack, contender: Contender, *, gemini_url: str = "") -> Server:
        """Start a contender, feed it with tasks, verify that it does its work, and warm it up.

        Raises:
            BenchmarkFailed
        """
        self.slots.clear()
        server = contender.start(stack, self.place_with(gemini_url))
        if contender.store:
            self.feed_tasks(stack, contender.store)
            verify(contender.name, server.url, self.slots, self.accounts, self.place.jwt_secret)
        else:
            self._show_unknown_task()
            verify_fixed(contender.name, server.url, self.accounts, UNKNOWN_TASK)
        self.wrk.warm_up(server.url)
        return server

    def warm_up(self, server: Server) -> None:
        """Let every account poll for an unknown task, so that the server has learned what it learns from first polls.

        Raises:
            BenchmarkFailed
        """
        self._show_unknown_task()
        self.wrk.warm_up(server.url)

    def _show_unknown_task(self) -> None:
        for slot in range(self.slots.count):
            self.slots.show(slot, UNKNOWN_TASK)

    def place_with(self, gemini_url: str) -> Place:
        """Return the place where servers run, with the URL of a Gemini."""
        return replace(self.place, gemini_url=gemini_url)

    def feed_tasks(self, stack: ExitStack, store: str) -> None:
        """Start giving every account a task that changes and expires."""
        feeder = stack.enter_context(
            Process(
                "task-feeder",
                [sys.executable, "-m", "bench.task_feeder", store, self.redis.url, self.slots.path],
                core=self.core,
                folder=self.place.folder,
                env={"PYTHONPATH": str(ROOT)},
            )
        )
        feeder.wait_until(lambda: self.slots.complete, "giving every account a task")


@contextmanager
def open_testbed() -> Iterator[Testbed]:
    """Set the testbed up, and take it down in every case.

    Raises:
        BenchmarkFailed: something is missing; the text says what.
    """
    server_core, client_core = two_cores()
    if raise_descriptor_limit() < DESCRIPTORS:
        raise BenchmarkFailed(
            f"too few file descriptors are allowed: raise the hard limit to {DESCRIPTORS} (ulimit -Hn)"
        )
    os.sched_setaffinity(0, {client_core})  # inherited by every process that is not pinned elsewhere
    memory = Path("/dev/shm")
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=memory if memory.is_dir() else None))
        )
        redis = stack.enter_context(RedisServer())
        secret = secrets.token_hex(32)
        accounts = make_accounts(secret)
        asyncio.run(open_accounts(redis.url, account_ids()))
        slots = SharedSlots(folder / "slots", len(accounts))
        wrk = Wrk(slots, accounts, folder, core=client_core)
        place = Place(server_core, folder, redis.url, secret, gemini_url="")
        yield Testbed(client_core, place, redis, accounts, slots, wrk)
