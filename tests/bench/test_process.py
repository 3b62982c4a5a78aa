"""What the figures rest on: CPU time and memory of whole sessions, and processes that do not outlive their end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from bench.process import Process

WORKER = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def start(program: str, folder: Path) -> Process:
    """Start a program as the only worker of a parent, as a web server starts its own."""
    core = min(os.sched_getaffinity(0))
    return Process("worker", [sys.executable, "-c", WORKER, program], core=core, folder=folder)


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)
    return path.read_text()


def test_cpu_time_counts_the_workers(tmp_path: Path) -> None:
    done = tmp_path / "done"
    program = f"""
import pathlib, time
while time.process_time() < 0.5: pass
pathlib.Path({str(done)!r}).write_text("done")
time.sleep(60)
"""
    with start(program, tmp_path) as process:
        wait_for(done)
        assert 0.4 < process.cpu_s < 2


def test_memory_counts_the_workers(tmp_path: Path) -> None:
    done = tmp_path / "done"
    program = f"""
import pathlib, time
held = b"x" * 100_000_000
pathlib.Path({str(done)!r}).write_text("done")
time.sleep(60)
"""
    with start(program, tmp_path) as process:
        wait_for(done)
        assert 100_000_000 < process.resident_bytes < 200_000_000


def test_a_worker_that_ignores_its_end_ends_with_its_parent(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = f"""
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))
time.sleep(60)
"""
    with start(program, tmp_path):
        pid = int(wait_for(pid_file))
    deadline = time.monotonic() + 60
    while not has_ended(pid):
        assert time.monotonic() < deadline, f"{pid} is still there"
        time.sleep(0.01)


def has_ended(pid: int) -> bool:
    """Say whether it is gone, or waits for its new parent to bury it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter between opening and reading
        return True
