"""Do in a new root what the README says, as somebody who sees it for the first time: usage first_minute.py ROOT.

`make run` until it is ready, the curl line that it prints (from outside: the root has no curl), the task to its end,
the page, Ctrl-C, which must end everything; then `make test`. Any surprise ends this with an exception.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import whole_suite

READY_S = 900.0
TASK_S = 120.0
END_S = 60.0
TESTS_S = 1_800.0
PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def command(root: Path, *words: str) -> list[str]:
    """The words as a command of an ordinary user of the root, in the checkout, with nothing else on PATH."""
    proxies = [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
    home = "/home/newcomer"
    surroundings = ["PATH=/usr/bin:/bin", f"HOME={home}", "LANG=C.UTF-8", *proxies]
    env = ["env", "--ignore-environment", f"--chdir={home}/prompt-server", *surroundings]
    return ["chroot", "--userspec=newcomer:newcomer", str(root), *env, *words]


def processes_of(root: Path) -> list[int]:
    """Everything that runs in the root."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "root").readlink() == root and " Z " not in (process / "stat").read_text():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def until(condition: Callable[[], Any], timeout_s: float, what: str) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (met := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(0.5)
    return met


class Demo:
    """`make run`, and what it has printed."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            command(root, "make", "run"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.text = ""
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            print(f"    {line}", end="", flush=True)
            self._lines.put(line)

    def printed(self, pattern: str, timeout_s: float) -> str:
        """Wait for a pattern in all that was printed; return its first group."""

        def look() -> str | None:
            while not self._lines.empty():
                self.text += self._lines.get()
            found = re.search(pattern, self.text, re.MULTILINE | re.DOTALL)
            if found is None and self.process.poll() is not None:
                raise RuntimeError(f"make run ended with {self.process.returncode}")
            return found and found[1]

        return str(until(look, timeout_s, f"make run prints {pattern}"))


def answer(url: str, **headers: str) -> bytes:
    with DIRECT.open(urllib.request.Request(url, headers=headers), timeout=30) as response:
        return bytes(response.read())


def finished(url: str, key: str) -> Any:
    document = json.loads(answer(url, Authorization=f"Bearer {key}"))
    return document if document["status"] in ("completed", "failed") else None


def make_run(root: Path) -> None:
    started = time.monotonic()
    demo = Demo(root)
    curl = demo.printed(r"^  (curl (?:[^\n]*\\\n)*[^\n]*)\n", READY_S)
    page, key = demo.printed(r"^  Page +(\S+)", 5), demo.printed(r"^  API key +(\S+)", 5)
    print(f"make run was ready after {time.monotonic() - started:.0f} s", flush=True)
    submitted = json.loads(
        subprocess.run(["bash", "-c", curl], env=os.environ | {"no_proxy": "*"}, capture_output=True, check=True).stdout
    )
    status_url = page.rstrip("/") + re.sub(r"^https?://[^/]+", "", submitted["status_url"])
    document = until(lambda: finished(status_url, key), TASK_S, "the task ends")
    if document["status"] != "completed" or not document["generated_by_ai"]:
        raise RuntimeError(f"the task did not complete: {document}")
    if b"<title>" not in answer(page):
        raise RuntimeError("there is no page at /")
    print("the curl line started a task, it completed, and the page is there", flush=True)
    os.killpg(demo.process.pid, signal.SIGINT)
    demo.process.wait(END_S)
    until(lambda: not processes_of(root), END_S, f"nothing runs any more; there are {processes_of(root)}")
    print("Ctrl-C ended it and the server that it had started", flush=True)


def make_test(root: Path) -> None:
    started = time.monotonic()
    whole_suite.run(command(root, "make", "test"), TESTS_S)
    print(f"make test took {time.monotonic() - started:.0f} s", flush=True)


def main() -> None:
    root = Path(sys.argv[1])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # make must see it even where it was ignored around us
    name = re.search(r'PRETTY_NAME="(.*)"', (root / "etc/os-release").read_text())
    version = subprocess.run(command(root, "python3", "--version"), capture_output=True, text=True, check=True).stdout
    print(f"-- {name[1] if name else root}, {version.strip()}, make, git and nothing else", flush=True)
    make_run(root)
    make_test(root)


main()
