"""Answers that models gave elsewhere, to other questions: taking the prompt out of an answer must not cut them.

The texts are those of the corpus that test_recorded_answers.py names; without it this is skipped.
"""

from __future__ import annotations

import pytest

from generation.answer_shape import FENCE, clean_answer
from tests.support.recorded_corpus import CORPUS, ROWS

pytestmark = pytest.mark.skipif(not ROWS, reason="the corpus of recorded answers is not on this machine")


def texts() -> dict[str, str]:
    """Return the expected text of each row that has a whole one."""
    return {
        name: (CORPUS / row["expected_text_file"]).read_bytes().decode("utf-8", "replace")
        for name, row in ROWS.items()
        if row["expected_text_file"]
    }


def in_a_fence(text: str) -> bool:
    """Say whether a fence goes around the whole text."""
    lines = text.strip().split("\n")
    return len(lines) > 2 and FENCE.fullmatch(lines[0].strip()) is not None and lines[-1].strip()[:3] in ("```", "~~~")


def test_no_recorded_answer_is_changed_unless_it_is_one_fence() -> None:
    kept = {name: text for name, text in texts().items() if not in_a_fence(text)}
    assert kept
    changed = [name for name, text in kept.items() if clean_answer(text, "") != text.strip()]
    assert not changed


def test_no_recorded_answer_that_repeats_its_draft_is_changed() -> None:
    kept = {name: text for name, text in texts().items() if not in_a_fence(text)}
    assert not [name for name, text in kept.items() if clean_answer(text, text) != text.strip()]
