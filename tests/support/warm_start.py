"""Start `main.py` from a process that has imported it already: the import costs more than most tests of a server.

How the program starts by itself is shown where that is the question: test_end_to_end.py and test_first_minute.py.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import threading
from multiprocessing.connection import wait
from pathlib import Path
from signal import Signals

_START = multiprocessing.get_context("forkserver")
_START.set_forkserver_preload(["tests.support.warmed"])
_one_at_a_time = threading.Lock()  # multiprocessing looks after every child in whichever thread starts the next one


class WarmProcess:
    """What `subprocess.Popen` is for a server: one that runs ``arguments`` and writes to ``log``."""

    def __init__(self, arguments: list[str], *, folder: Path, environment: dict[str, str], log: Path) -> None:
        # Left behind, it is ended with this process.
        self._process = _START.Process(
            target=_run,
            args=(arguments, str(folder), environment, str(log), resource.getrlimit(resource.RLIMIT_NOFILE)),
            name="main.py",
            daemon=True,
        )
        with _one_at_a_time:
            self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Return its exit code, a signal's number below zero, or None while it runs."""
        with _one_at_a_time:
            return self._process.exitcode

    def send_signal(self, number: Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        """Return its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs after ``timeout`` seconds.
        """
        wait([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("main.py", timeout)
        return code


def _run(
    arguments: list[str], folder: str, environment: dict[str, str], log: str, descriptors: tuple[int, int]
) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, descriptors)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from main import cli

    cli(arguments, prog_name="main.py")
