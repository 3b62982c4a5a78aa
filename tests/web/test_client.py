"""The JavaScript client's own tests, run by Node against the real server with the stand-in for Gemini."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.web.demo import Demo

FOLDER = Path(__file__).parent / "client"


def test_the_client_against_the_real_server(node: str, demo: Demo) -> None:
    """The files wait for the network most of the time and have accounts of their own, so several run at once."""
    files = [str(path) for path in sorted(FOLDER.glob("*.test.js"))]
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", "--test-concurrency=4", *files],
        env=os.environ | {"TEST_SERVER": json.dumps(demo.facts_for_node())},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert done.stdout.count("✔") > 60, done.stdout
