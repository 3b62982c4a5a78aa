"""Tests that draw their cases, with many more of them than ``make test`` has time for."""

from __future__ import annotations

import asyncio
import os
import sys
from random import Random

from tests.chaos.outcome import Outcome
from tests.chaos.verdict import Verdict
from tests.deploy.processes import ROOT

LAST_LINES = 40


async def scripts_against_their_model(examples: int, random: Random) -> Outcome:
    """Run the Lua scripts as a state machine beside a model in Python: two owners, replays of every call."""
    return await _pytest("tests/generation/test_task_scripts.py", f"{examples} runs", STATEFUL_EXAMPLES=examples)


async def lane_against_tornado(cases: int, random: Random) -> Outcome:
    """Send the same streams of bytes to the express lane and to plain Tornado: the same answers."""
    return await _pytest("tests/server/lane/test_fuzz.py", f"{cases} streams", FUZZ_CASES=cases)


async def _pytest(path: str, how_often: str, **environment: int) -> Outcome:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "--timeout=0", path),  # the limits of `make test` are not ours
        cwd=ROOT,
        env=os.environ | {name: str(value) for name, value in environment.items()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _nothing = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return Outcome(how_often, Verdict(), "no difference")
    print("\n".join(output.decode(errors="replace").splitlines()[-LAST_LINES:]), flush=True)
    return Outcome(how_often, Verdict(), missed=[f"{path} failed"])
