"""What docs/guarantees.md names as proof is there: files, tests by the beginning of their names, long runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.chaos.__main__ import SCENARIOS

ROOT = Path(__file__).parents[1]
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
ROWS = [line for line in GUARANTEES.splitlines() if line.startswith("| ")][1:]
TESTS = {
    name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
}


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip()[:40] for row in ROWS])
def test_every_proof_that_a_guarantee_names_is_there(row: str) -> None:
    proofs = row.rstrip(" |").rsplit(" | ", 1)[-1]
    named = re.findall(r"`([^`]*(?:test_|tests/)[^`]*)`", proofs)
    runs = re.findall(r'"([^"]+)"', proofs)
    assert named or runs or "the same" in proofs, proofs
    for name in named:
        if "/" in name:
            assert (ROOT / name).exists(), name
        elif name.endswith(".py"):
            assert list((ROOT / "tests").rglob(name)), name
        else:
            assert any(test.startswith(name.rstrip("…")) for test in TESTS), name
    for run in runs:
        assert any(run.rstrip(" …") in scenario.name for scenario in SCENARIOS), run
