"""What models put around a prompt is taken away, in many languages; what an owner wrote that looks like it stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generation.answer_shape import clean_answer

FIXTURES = Path(__file__).parent / "fixtures"


def rows(name: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    return read


def test_every_wrapping_is_removed() -> None:
    left = [row["answer"] for row in rows("wrapped") if clean_answer(row["answer"], row["expected"]) != row["expected"]]
    assert not left


def test_no_innocent_prompt_is_cut_whether_its_draft_is_known_or_not() -> None:
    for row in rows("innocent"):
        prompt = row["prompt"]
        assert clean_answer(prompt) == clean_answer(prompt, prompt) == prompt
        assert clean_answer(prompt, prompt.replace("\n\n", "\n") + " Thanks.") == prompt
