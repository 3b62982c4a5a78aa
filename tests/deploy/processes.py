"""The server as it is deployed: `main.py` as processes of their own, on one Redis and one stand-in for Gemini."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from tests.support.storage import PATIENT_S
from tests.support.waiting import eventually
from tests.support.warm_start import WarmProcess

ROOT = Path(__file__).parents[2]
STANDIN_KEY = "demo-key-of-the-stand-in"


@dataclass
class Process:
    """One `main.py` with its ready file; a context manager that ends it with SIGTERM. ``program``: the folder it is in.

    ``warm``: from a process that has imported it, as the tests do; programs that measure start it as operators do.
    """

    warm: ClassVar[bool] = False

    folder: Path
    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    program: Path = ROOT

    def start(self) -> dict[str, str]:
        """Start it and return what its ready file says."""
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        inherited = {
            name: text
            for name, text in os.environ.items()
            if name != "GEMINI_API_KEY" and not name.startswith("PROMPT_")
        }
        self._process = self._started([*self.arguments, "--ready-file", str(ready)], inherited | self.environment)
        assert eventually(lambda: ready.exists() or self._process.poll() is not None, within_s=180)
        assert ready.exists(), self.log()
        facts: dict[str, str] = json.loads(ready.read_text())
        return facts

    def _started(self, arguments: list[str], environment: dict[str, str]) -> WarmProcess | subprocess.Popen[bytes]:
        log = self.folder / "log"
        if (
            Process.warm
            and self.program == ROOT
            and "PYTHONPATH" not in self.environment
            and "COVERAGE_PROCESS_CONFIG" not in environment
        ):
            return WarmProcess(arguments, folder=ROOT, environment=environment, log=log)
        with log.open("ab") as output:
            command = [sys.executable, "main.py", *arguments]
            return subprocess.Popen(command, cwd=self.program, env=environment, stdout=output, stderr=output)

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        return self._process.wait(timeout=180)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to drain and end; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=180)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within three minutes:\n{self.log()[-3000:]}") from None

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()

    def __enter__(self) -> Process:
        return self


def demo(folder: Path, *, gemini_delay_s: float) -> Process:
    """Redis, the stand-in and one server."""
    folder.mkdir()
    data = str(folder / "data")
    arguments = ["demo", "--port", "0", "--data", data, "--gemini-delay-s", str(gemini_delay_s)]
    return Process(folder, arguments, {"PROMPT_REDIS__TIMEOUT_S": str(PATIENT_S)})


def serve(folder: Path, port: int, facts: dict[str, str]) -> Process:
    """One more server on the Redis and the stand-in of a demo, as production runs it."""
    folder.mkdir()
    environment = {
        "PROMPT_REDIS__URL": facts["redis_url"],
        "PROMPT_GEMINI__BASE_URL": facts["gemini_url"],
        "PROMPT_GEMINI__API_KEY": STANDIN_KEY,
        "PROMPT_SERVER__TRUST_PROXY_HEADERS": "true",
        "PROMPT_LIMITS__POLLS_PER_SECOND_PER_ACCOUNT": "0",
    }
    return Process(folder, ["serve", "--port", str(port)], environment)
