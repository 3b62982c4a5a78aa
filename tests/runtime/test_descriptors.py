"""How many connections the limit of open files allows, in processes with limits of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, resource, sys
from runtime.descriptors import connections_within_limit
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(json.dumps([connections_within_limit(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0]]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "connections", "limit"),
    [
        (256, 4_000, 1_000, 1_000, 2_280),
        (256, 1_000, 1_000, 500, 1_000),
        (256, 256, 1_000, 128, 256),
        (3_000, 4_000, 1_000, 1_000, 3_000),
    ],
)
def test_the_soft_limit_is_raised_and_what_does_not_fit_is_not_promised(
    soft: int, hard: int, wanted: int, connections: int, limit: int
) -> None:
    command = [sys.executable, "-c", PROGRAM, *map(str, (soft, hard, wanted))]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=180)
    assert json.loads(done.stderr) == [connections, limit]
    assert ("few_file_descriptors" in done.stdout) == (connections < wanted)
