"""``main.py check-config --probe`` against a stand-in."""

from __future__ import annotations

import asyncio
import os

from standin import Standin
from tests.generation.gemini.conftest import KEY
from tests.support.warm_start import run_main


async def probe(standin: Standin, key: str = KEY, *, warm: bool = True, **variables: str) -> tuple[int, str, str]:
    """Run the command; return its exit code and the output of both streams."""
    given = {"PROMPT_GEMINI__BASE_URL": standin.url, "PROMPT_GEMINI__MODELS": "gemini-3.8-flash,gemini-3.6-flash"}
    environment = os.environ | given | {"PROMPT_GEMINI__API_KEY": key} | variables
    done = await asyncio.to_thread(run_main, "check-config", "--probe", environment=environment, warm=warm)
    assert key not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def line_of(model: str, printed: str) -> str:
    (line,) = [line for line in printed.splitlines() if line.startswith(model)]
    return line
