"""The Python example, run as its first lines say, against a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.processes import ROOT, demo

EXAMPLE = ROOT / "examples" / "python" / "generate.py"


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with demo(tmp_path_factory.mktemp("examples") / "demo", gemini_delay_s=0.2) as process:
        yield process.start()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, EXAMPLE, *arguments], capture_output=True, text=True, timeout=120)


def test_it_shows_the_stages_and_prints_the_prompt(facts: dict[str, Any]) -> None:
    done = run(facts["url"], facts["api_key"], "Answer questions about our bakery. Call +49 30 1234567.")
    assert done.returncode == 0, done.stderr
    assert "+49 30 1234567" in done.stdout
    assert "Generating enhanced prompt with AI..." in done.stderr


def test_it_says_in_one_sentence_why_a_key_is_refused(facts: dict[str, Any]) -> None:
    done = run(facts["url"], "not-a-key", "Be kind.")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "API key" in done.stderr
    assert "Traceback" not in done.stderr
