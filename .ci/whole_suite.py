"""Run `make test`; files in which something failed run once more, alone, and only a second failure counts.

A machine that builds other things at the same time can starve one test. What failed first is printed, so that it can be
mended: a test that is named here again and again is a defect. More than a few such files are a failure at once.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence

MAX_FILES = 8
# More generated cases than everybody waits for who runs `make test`.
GENERATED = {"STATEFUL_EXAMPLES": "25", "FUZZ_CASES": "400", "API_EXAMPLES": "5"}
FAILED = re.compile(r"^(?:FAILED|ERROR) ([^:\s]+\.py)", re.MULTILINE)


def run(command: Sequence[str], timeout_s: float) -> None:
    """Run the suite; ``command`` is `make test`, wherever it has to be run.

    Raises:
        CalledProcessError: something failed twice, or too much failed, or nothing could run.
    """
    code, text = _shown(command, timeout_s)
    if code == 0:
        return
    files = sorted(set(FAILED.findall(text)))
    if not files or len(files) > MAX_FILES:
        raise subprocess.CalledProcessError(code, command)
    print(f"== These failed, and run once more, alone: {' '.join(files)} ==", flush=True)
    subprocess.run([*command, f"ARGS=-n 0 {' '.join(files)}"], stdin=subprocess.DEVNULL, check=True, timeout=timeout_s)
    print(f"== Passed the second time, to be looked at: {' '.join(files)} ==", flush=True)


def _shown(command: Sequence[str], timeout_s: float) -> tuple[int, str]:
    lines: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
        return process.wait(timeout_s), "".join(lines)


if __name__ == "__main__":
    try:
        os.environ.update(GENERATED)
        run(["make", "test", "ARGS=-n 4 --durations=40"], 2_400)  # browsers and builds use cores too
    except subprocess.CalledProcessError as exc:
        sys.exit(exc.returncode or 1)
