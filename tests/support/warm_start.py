"""Start `main.py` from a process that has imported it already: the import costs more than most tests of a server.

How the program starts by itself is shown where that is the question: test_end_to_end.py and test_first_minute.py.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from multiprocessing.connection import wait
from pathlib import Path
from signal import Signals

ROOT = Path(__file__).parents[2]
COMMAND_S = 180.0

_START = multiprocessing.get_context("forkserver")
_START.set_forkserver_preload(["tests.support.warmed"])
_one_at_a_time = threading.Lock()  # multiprocessing looks after every child in whichever thread starts the next one


class WarmProcess:
    """What `subprocess.Popen` is for a server: one that runs ``arguments`` and writes to ``log``.

    ``errors`` is another file for what it writes on its standard error.
    """

    def __init__(
        self, arguments: list[str], *, folder: Path, environment: dict[str, str], log: Path, errors: Path | None = None
    ) -> None:
        # Left behind, it is ended with this process.
        self._process = _START.Process(
            target=_run,
            args=(arguments, folder, environment, (log, errors or log), resource.getrlimit(resource.RLIMIT_NOFILE)),
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


def run_main(
    *arguments: str, environment: Mapping[str, str] | None = None, warm: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command of `main.py` to its end, in a process of its own; ``environment`` as `subprocess.run` takes it.

    ``warm``: from the process that has imported it; not where an import reads the environment.

    Raises:
        subprocess.TimeoutExpired: it still runs after minutes.
    """
    given = dict(os.environ if environment is None else environment)
    if not warm or "COVERAGE_PROCESS_CONFIG" in given:
        command = [sys.executable, "main.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=given, check=False, capture_output=True, text=True, timeout=COMMAND_S
        )
    with tempfile.TemporaryDirectory() as written:
        out, errors = Path(written, "out"), Path(written, "errors")
        process = WarmProcess([*arguments], folder=ROOT, environment=given, log=out, errors=errors)
        try:
            code = process.wait(COMMAND_S)
        finally:
            process.send_signal(Signals.SIGKILL)
        return subprocess.CompletedProcess(arguments, code, out.read_text("utf-8"), errors.read_text("utf-8"))


def _run(
    arguments: list[str],
    folder: Path,
    environment: dict[str, str],
    written: tuple[Path, Path],
    descriptors: tuple[int, int],
) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, descriptors)
    for standard, path in zip((1, 2), written, strict=True):
        output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(output, standard)
        os.close(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from main import cli

    cli(arguments, prog_name="main.py")
