"""How long the ways of a poll and of a submit are, and that the drawings of them are true."""

from __future__ import annotations

import re

import pytest

from tests.server.call_paths import ROOT, call_paths

DRAWING = re.compile(r"^ *([a-z_/]+\.py) ", re.MULTILINE)
TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def drawn(title: str) -> list[str]:
    """The files that the section's drawing names, from top to bottom."""
    return DRAWING.findall(TEXT.partition(f"## {title}\n")[2].partition("```")[2].partition("```")[0])


@pytest.mark.gen_test
async def test_a_poll_and_a_submit_go_the_way_that_the_architecture_draws() -> None:
    paths = await call_paths()
    poll, submit = paths["poll"], paths["submit"]
    assert len(poll.calls) <= 14
    assert poll.files <= 9
    assert poll.depth <= 7
    assert len(submit.calls) <= 220  # a busy machine adds what the one before has left behind
    assert submit.files <= 44
    assert submit.depth <= 14
    for title, path in {"One poll": poll, "One submit": submit}.items():
        assert drawn(title)
        assert set(drawn(title)) <= {file for _, file, _ in path.calls}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_/.]+\.(?:py|lua))[`:]", TEXT))))
def test_a_file_that_the_architecture_names_is_there(name: str) -> None:
    rooms = ("server", "generation", "accounts", "storage", "handlers")
    assert (ROOT / name).exists() or any(next((ROOT / room).rglob(name), None) for room in rooms), name
