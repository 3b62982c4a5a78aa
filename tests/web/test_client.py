"""The JavaScript client's own tests, run by Node against the real server with the stand-in for Gemini."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.web.demo import Demo

FOLDER = Path(__file__).parent / "client"


@pytest.fixture(scope="module")
def server(demo: Demo) -> str:
    return json.dumps(demo.facts_for_node())


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.test.js")), ids=lambda path: path.name)
def test_client(node: str, server: str, path: Path) -> None:
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", str(path)],
        env=os.environ | {"TEST_SERVER": server},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "pass 0\n" not in done.stdout, "the file holds tests"
