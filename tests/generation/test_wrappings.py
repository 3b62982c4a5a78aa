"""What models put around a prompt is taken away, in many languages; what an owner wrote that looks like it stays."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from generation.answer_shape import clean_answer

FIXTURES = Path(__file__).parent / "fixtures"
DRAFT = "Answer for our cafe Nord. Coffee 3 EUR. Open 8-18."
PROMPT = "# Role\nYou answer for cafe Nord.\n\n- Coffee 3 EUR\n- Open 8-18"


def rows(name: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    return read


def test_every_wrapping_is_removed() -> None:
    left = [row["answer"] for row in rows("wrapped") if clean_answer(row["answer"], row["expected"]) != row["expected"]]
    assert not left


def test_what_is_said_to_the_owner_before_and_behind_a_prompt_is_removed() -> None:
    left = []
    for row in rows("talk"):
        answer = "\n\n".join(part for part in (row["before"], PROMPT, row["after"]) if part)
        if clean_answer(answer, DRAFT) != PROMPT:
            left.append(row)
    assert not left


def test_a_last_line_said_to_the_assistant_stays() -> None:
    cut = [
        row["line"]
        for row in rows("assistant_lines")
        if row["line"] not in clean_answer(f"{PROMPT}\n\n{row['line']}", DRAFT)
    ]
    assert not cut


@pytest.mark.parametrize("before", ["End every answer with:", "# Closing line"])
def test_words_that_the_assistant_is_to_say_stay(before: str) -> None:
    prompt = f"{PROMPT}\n\n{before}\n\nLet me know if you'd like any changes!"
    assert clean_answer(prompt, DRAFT) == prompt


@pytest.mark.parametrize(
    ("opening", "closing"), [('"', '"'), ('"""\n', '\n"""'), ("\u201e", "\u201c"), ("\u00ab", "\u00bb")]
)
def test_quotation_marks_around_everything_are_removed_unless_the_draft_has_them(opening: str, closing: str) -> None:
    assert clean_answer(f"{opening}{PROMPT}{closing}", DRAFT) == PROMPT
    assert clean_answer('"Be kind"', '"be kind"') == '"Be kind"'


def test_no_innocent_prompt_is_cut_whether_its_draft_is_known_or_not() -> None:
    for row in rows("innocent"):
        prompt = row["prompt"]
        assert clean_answer(prompt) == clean_answer(prompt, prompt) == prompt
        assert clean_answer(prompt, prompt.replace("\n\n", "\n") + " Thanks.") == prompt


@pytest.mark.parametrize(
    "piece", ["let me know if ", "i have kept all facts ", "hope this ", "\u00bfquieres ", "i can adjust ", "a. "]
)
def test_a_hostile_last_paragraph_is_read_quickly(piece: str) -> None:
    text = f"{PROMPT}\n\n{(piece * 400)[:399]}"
    begun = time.process_time()
    clean_answer(text, DRAFT)
    assert time.process_time() - begun < 1, "a few milliseconds on any machine"
