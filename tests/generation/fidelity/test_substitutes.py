"""Answers that are no rewrite, in many languages, and rewrites of drafts that tempt a model to answer them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generation.fidelity import Guard, languages
from generation.prompt_text import INSTRUCTION

FIXTURES = Path(__file__).parent / "fixtures"
GUARD = Guard(INSTRUCTION)


def pairs(name: str) -> list[tuple[str, str]]:
    return [(row["draft"], row["answer"]) for row in json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))]


@pytest.mark.parametrize(("draft", "answer"), pairs("substitutes"))
def test_an_answer_that_is_no_faithful_rewrite_is_noticed(draft: str, answer: str) -> None:
    assert not GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(("draft", "answer"), pairs("kept"))
def test_a_rewrite_of_a_question_a_task_or_an_injection_is_faithful(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


def test_a_few_words_in_arabic_letters_are_told_apart_by_the_words() -> None:
    assert languages.language("مودب باش و {{نام}} را صدا بزن.") == "fa"
    assert languages.language("كن مهذبا مع الزبون.") == "ar"
