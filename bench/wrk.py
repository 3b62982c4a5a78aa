"""wrk as the client of a load, and what the server used while it ran.

wrk counts the requests it sends in the shared slots, so that CPU time and requests are read for the same window:
after all connections are open and before the first is closed. Refuses to know the server.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.headers import REPEATED_BODY, SUBMIT_PATH, as_text, browser_headers, repeated_submit
from bench.load_accounts import LoadAccount
from bench.process import START_TIMEOUT_S, BenchmarkFailed, Process, core_busy_s
from bench.shared_slots import SharedSlots

SCRIPT = Path(__file__).with_name("polls.lua")
SETTLE_S = 0.7
RAMP_TIMEOUT_S = 20.0
LEAST_PER_S = 5_000  # at which connections open, at least
WARM_UP_CONNECTIONS = 50
SUBMITS_ONLY = -1


@dataclass(frozen=True, slots=True)
class Load:
    """The result of one run of wrk. ``cpu_us`` is the server's per request; percentiles are of the whole run.

    ``busy`` and ``foreign`` are the shares of the server's core that the server and that other processes used.
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
    """Holds the requests of all accounts; one run at a time."""

    def __init__(self, slots: SharedSlots, accounts: Sequence[LoadAccount], folder: Path, *, core: int) -> None:
        if shutil.which("wrk") is None:
            raise BenchmarkFailed("wrk is missing. It is a Debian package: apt install wrk")
        self._slots = slots
        self._folder = folder
        self._core = core
        self._account_count = len(accounts)
        self._polls = folder / "polls.txt"
        self._submits = folder / "submits.txt"
        blocks = [b"/ HTTP/1.1\r\n" + as_text(browser_headers(account.token)) for account in accounts]
        self._polls.write_bytes(b"".join(block + b"\0" for block in blocks))
        self._submits.write_bytes(b"".join(_submit(account) + b"\0" for account in accounts))

    def run(
        self, url: str, server: Process, *, connections: int, seconds: float, submit_every: int = 0, per_s: float = 0
    ) -> Load:
        """Load the server and measure it for ``seconds``.

        ``submit_every`` N puts a submit after N polls, SUBMITS_ONLY sends nothing else. ``per_s`` holds a rate of
        requests; 0 sends the next as soon as an answer is there.

        Raises:
            BenchmarkFailed: wrk cannot run, or nothing was answered.
        """
        self._slots.restart_count()
        ramp_s = connections / (per_s or LEAST_PER_S)  # until every connection has sent one
        lasting_s = SETTLE_S + seconds + ramp_s + 1.5
        with ExitStack() as stack:
            wrk = stack.enter_context(self._start(url, connections, lasting_s, submit_every, per_s))
            wrk.wait_until(lambda: self._slots.sent >= connections, "sending")
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
        """Let every account poll a few times, so that the server has learned what it learns from first polls.

        Raises:
            BenchmarkFailed: the server does not answer them in time.
        """
        self._slots.restart_count()
        with self._start(url, WARM_UP_CONNECTIONS, START_TIMEOUT_S, 0, 0) as wrk:
            wrk.wait_until(lambda: self._slots.sent >= 3 * self._account_count, "warming up")

    def _moment(self, server: Process) -> tuple[float, float, float, float]:
        """Return the time, the requests sent, the CPU seconds of the server, and those of its core."""
        return time.monotonic(), self._slots.sent, server.cpu_s, core_busy_s(server.core)

    def _start(self, url: str, connections: int, lasting_s: float, submit_every: int, per_s: float) -> Process:
        command = ["wrk", "--threads", "1", "--connections", connections, "--duration", f"{lasting_s:.0f}s"]
        command += ["--timeout", "30s", "--script", SCRIPT, url, "--", self._slots.path, self._account_count]
        command += [self._polls, submit_every, self._submits, per_s]
        return Process("wrk", [str(part) for part in command], core=self._core, folder=self._folder)


def _submit(account: LoadAccount) -> bytes:
    headers = repeated_submit(account.account_id, account.token)
    return f"POST {SUBMIT_PATH} HTTP/1.1\r\n".encode() + as_text(headers) + REPEATED_BODY
