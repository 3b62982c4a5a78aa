"""What every measurement stands on: two cores, a Redis with funded accounts, a folder in memory, and its end.

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

from bench.board import Board
from bench.callers import Caller, account_ids, make_callers, open_accounts
from bench.contenders import ROOT, Contender, Place, Server
from bench.process import BenchmarkFailed, Process, raise_descriptor_limit, session_cpu_s, two_cores
from bench.verification import verify, verify_fixed
from bench.wrk import Wrk
from storage.redis_server import RedisServer

NOBODYS_TASK = "00000000-0000-4000-8000-000000000000"
DESCRIPTORS = 12_000  # for 10,000 connections and what else a process opens


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything but the server that is measured; all of it runs on ``core``, the server on ``place.core``."""

    core: int
    place: Place
    redis: RedisServer
    callers: list[Caller]
    board: Board
    wrk: Wrk

    @property
    def redis_cpu_s(self) -> float:
        return session_cpu_s(os.getsid(self.redis.pid))

    def start(self, stack: ExitStack, contender: Contender, *, gemini_url: str = "") -> Server:
        """Start a contender, bring its tasks to life, have it prove that it does its work, and warm it up.

        Raises:
            BenchmarkFailed
        """
        self.board.clear()
        server = contender.start(stack, self.place_with(gemini_url))
        if contender.shelf:
            self.bring_to_life(stack, contender.shelf)
            verify(contender.name, server.url, self.board, self.callers, self.place.jwt_secret)
        else:
            self._show_nobodys_task()
            verify_fixed(contender.name, server.url, self.callers, NOBODYS_TASK)
        self.wrk.warm_up(server.url)
        return server

    def warm_up(self, server: Server) -> None:
        """Have every account poll, for a task of nobody's: what a server learns of an account at first is learned then.

        Raises:
            BenchmarkFailed
        """
        self._show_nobodys_task()
        self.wrk.warm_up(server.url)

    def _show_nobodys_task(self) -> None:
        for slot in range(self.board.slots):
            self.board.show(slot, NOBODYS_TASK)

    def place_with(self, gemini_url: str) -> Place:
        """Return where servers run, with a Gemini to ask."""
        return replace(self.place, gemini_url=gemini_url)

    def bring_to_life(self, stack: ExitStack, shelf: str) -> None:
        """Give every account a task that changes and expires."""
        lives = stack.enter_context(
            Process(
                "lives",
                [sys.executable, "-m", "bench.lives", shelf, self.redis.url, self.board.path],
                core=self.core,
                folder=self.place.folder,
                env={"PYTHONPATH": str(ROOT)},
            )
        )
        lives.wait_until(lambda: self.board.complete, "giving every account a task")


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Set it up, and take it down whatever happens.

    Raises:
        BenchmarkFailed: something is missing; the text says what.
    """
    server_core, client_core = two_cores()
    if raise_descriptor_limit() < DESCRIPTORS:
        raise BenchmarkFailed(
            f"too few file descriptors are allowed: raise the hard limit to {DESCRIPTORS} (ulimit -Hn)"
        )
    os.sched_setaffinity(0, {client_core})  # and so every process that is not told otherwise
    memory = Path("/dev/shm")
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=memory if memory.is_dir() else None))
        )
        redis = stack.enter_context(RedisServer())
        secret = secrets.token_hex(32)
        callers = make_callers(secret)
        asyncio.run(open_accounts(redis.url, account_ids()))
        board = Board(folder / "board", len(callers))
        wrk = Wrk(board, callers, folder, core=client_core)
        place = Place(server_core, folder, redis.url, secret, gemini_url="")
        yield Stage(client_core, place, redis, callers, board, wrk)
