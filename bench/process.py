"""Processes that are pinned to a core, and what they have used of CPU and memory according to the kernel.

Each is the leader of a session, and a session is measured as a whole: a server's workers are in it too.
Refuses to know what the processes do.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class BenchmarkFailed(Exception):
    """A measurement that cannot be made; the text says why and what to do."""


def two_cores() -> tuple[int, int]:
    """Return the core of what is measured and the core of everything else.

    Raises:
        BenchmarkFailed: this process may use one core only.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchmarkFailed("two cores are needed: one for the server that is measured, one for its clients")
    return cores[0], cores[1]


def raise_descriptor_limit() -> int:
    """Let this process and its children open as many files as the system allows; return how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A running program; a context manager that ends it, workers included, whatever happened.

    It also ends when this process does, be it by kill -9. Its output goes to ``folder/name.log``.
    """

    def __init__(
        self, name: str, command: Sequence[object], *, core: int, folder: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.core = core
        self._log = folder / f"{name}.log"

        def become() -> None:
            os.sched_setaffinity(0, {core})
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,  # so that no .env file is read
                env=_environment(env or {}),
                start_new_session=True,
                preexec_fn=become,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def cpu_s(self) -> float:
        """User and system seconds of the whole session so far."""
        return session_cpu_s(self._process.pid)

    @property
    def resident_bytes(self) -> int:
        """Resident memory of the whole session now; what its processes share counts once for each."""
        return sum(_resident_bytes(pid) for pid, _ in _session(self._process.pid))

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until ``ready`` says so.

        Raises:
            BenchmarkFailed: it has ended, or took too long; the text has the end of its log.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkFailed(f"{self.name}: {what} did not happen. Its output ends with:\n{self.log_end()}")
            time.sleep(0.02)

    def wait_for_port(self, port: int) -> None:
        """Wait until it accepts connections. Raises: BenchmarkFailed"""
        self.wait_until(lambda: _accepts(port), f"listening on port {port}")

    def finish(self, timeout_s: float) -> str:
        """Wait for its end and return its output.

        Raises:
            BenchmarkFailed: it took too long or ended with an error.
        """
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as exc:
            raise BenchmarkFailed(f"{self.name} did not end within {timeout_s:.0f} s:\n{self.log_end()}") from exc
        if status:
            raise BenchmarkFailed(f"{self.name} ended with status {status}:\n{self.log_end()}")
        return self._log.read_text(errors="replace")

    def log_end(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """Terminate it, then kill it."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT_S)
        for pid, _ in _session(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()


def session_cpu_s(session: int) -> float:
    """User and system seconds of a session's processes, and of their children that have ended."""
    return sum(sum(map(int, fields[11:15])) for _, fields in _session(session)) / TICKS_PER_S


def core_busy_s(core: int) -> float:
    """Seconds that a core was not idle since the system started, time stolen by the hypervisor's others included."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, ticks[:8])
            return (user + nice + system + irq + softirq + steal) / TICKS_PER_S
    return 0.0


def _session(session: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the pid of each process of the session and its fields of /proc/PID/stat, from the third on."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            fields = stat.rpartition(")")[2].split()  # the second, the name, may hold spaces
            if int(fields[3]) == session and fields[0] != "Z":
                yield int(entry), fields


def _resident_bytes(pid: int) -> int:
    # Unlike statm, whose counters lag behind by some pages for each thread.
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    return 0


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without variables that would change a server's settings."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PROMPT_", "GEMINI_", "DJANGO_"))}
    return ours | {"PYTHONUNBUFFERED": "1"} | dict(more)
