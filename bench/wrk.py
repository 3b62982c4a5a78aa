"""wrk as the client of a load, and what the server used while it ran.

wrk counts the requests it sends on the board, so that CPU time and requests are read for the same window: after all
connections are open and before the first is closed. Refuses to know who the server is.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.board import Board
from bench.callers import Caller
from bench.headers import REPEATED_BODY, SUBMIT_PATH, as_text, browser_headers, repeated_submit
from bench.process import START_TIMEOUT_S, BenchmarkFailed, Process, core_busy_s

SCRIPT = Path(__file__).with_name("polls.lua")
SETTLE_S = 0.7
RAMP_TIMEOUT_S = 20.0
LEAST_PER_S = 5_000  # at which connections open, at least
WARM_UP_CONNECTIONS = 50
SUBMITS_ONLY = -1


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk met. ``cpu_us`` is the server's per request; percentiles are of the whole run.

    ``busy`` and ``foreign``: the shares of the server's core that the server had, and that others took from it.
    """

    cpu_us: float
    per_s: float
    busy: float
    foreign: float
    p50_ms: float
    p99_ms: float
    requests: int
    not_2xx: int
    errors: int


class Wrk:
    """Knows the requests of all callers; one at a time runs."""

    def __init__(self, board: Board, callers: Sequence[Caller], folder: Path, *, core: int) -> None:
        if shutil.which("wrk") is None:
            raise BenchmarkFailed("wrk is missing. It is a Debian package: apt install wrk")
        self._board = board
        self._folder = folder
        self._core = core
        self._accounts = len(callers)
        self._polls = folder / "polls.txt"
        self._submits = folder / "submits.txt"
        blocks = [b"/ HTTP/1.1\r\n" + as_text(browser_headers(caller.token)) for caller in callers]
        self._polls.write_bytes(b"".join(block + b"\0" for block in blocks))
        self._submits.write_bytes(b"".join(_submit(caller) + b"\0" for caller in callers))

    def run(
        self, url: str, server: Process, *, connections: int, seconds: float, submit_every: int = 0, per_s: float = 0
    ) -> Load:
        """Load the server and measure it for ``seconds``.

        ``submit_every`` N puts a submit after N polls, SUBMITS_ONLY sends nothing else. ``per_s`` holds a rate of
        requests; 0 sends the next as soon as an answer is there.

        Raises:
            BenchmarkFailed: wrk cannot run, or nothing was answered.
        """
        self._board.count_from_nought()
        ramp_s = connections / (per_s or LEAST_PER_S)  # until every connection has had its turn
        lasting_s = SETTLE_S + seconds + ramp_s + 1.5
        with ExitStack() as stack:
            wrk = stack.enter_context(self._start(url, connections, lasting_s, submit_every, per_s))
            wrk.wait_until(lambda: self._board.sent >= connections, "sending")
            time.sleep(SETTLE_S)
            before = self._moment(server)
            time.sleep(seconds)
            took_s, sent, cpu_s, core_s = (after - was for after, was in zip(self._moment(server), before, strict=True))
            output = wrk.finish(lasting_s + RAMP_TIMEOUT_S)
        facts = json.loads(next(line for line in output.splitlines() if line.startswith("BENCH "))[6:])
        if not sent:
            raise BenchmarkFailed(f"{server.name} answered nothing:\n{output}\n{server.log_end()}")
        return Load(
            cpu_us=cpu_s / sent * 1e6,
            per_s=sent / took_s,
            busy=cpu_s / took_s,
            foreign=max(0.0, core_s - cpu_s) / took_s,
            p50_ms=facts["p50_ms"],
            p99_ms=facts["p99_ms"],
            requests=facts["requests"],
            not_2xx=facts["not_2xx"],
            errors=sum(facts[f"{kind}_errors"] for kind in ("connect", "read", "write")) + facts["timeouts"],
        )

    def warm_up(self, url: str) -> None:
        """Have every account poll a few times: what a server learns at first is learned then.

        Raises:
            BenchmarkFailed: it does not get through with it.
        """
        self._board.count_from_nought()
        with self._start(url, WARM_UP_CONNECTIONS, START_TIMEOUT_S, 0, 0) as wrk:
            wrk.wait_until(lambda: self._board.sent >= 3 * self._accounts, "warming up")

    def _moment(self, server: Process) -> tuple[float, float, float, float]:
        """Return the time, the requests sent, the CPU seconds of the server, and those of its core."""
        return time.monotonic(), self._board.sent, server.cpu_s, core_busy_s(server.core)

    def _start(self, url: str, connections: int, lasting_s: float, submit_every: int, per_s: float) -> Process:
        command = ["wrk", "--threads", "1", "--connections", connections, "--duration", f"{lasting_s:.0f}s"]
        command += ["--timeout", "30s", "--script", SCRIPT, url, "--", self._board.path, self._accounts]
        command += [self._polls, submit_every, self._submits, per_s]
        return Process("wrk", [str(part) for part in command], core=self._core, folder=self._folder)


def _submit(caller: Caller) -> bytes:
    headers = repeated_submit(caller.account_id, caller.token)
    return f"POST {SUBMIT_PATH} HTTP/1.1\r\n".encode() + as_text(headers) + REPEATED_BODY
