"""What is taken away around a prompt, and what must never be."""
# ruff: noqa: RUF001  # texts in other scripts look like other letters to ruff, as they should

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.answer_shape import clean_answer

PROMPT = "# Role\nYou speak for Bakery Sonne.\n\n# Hours\n- 7-18, call +49 30 1234567"


@pytest.mark.parametrize(
    "wrapped",
    [
        "\n\n" + PROMPT + "\n\n",
        "```\n" + PROMPT + "\n```",
        "```markdown\n" + PROMPT + "\n```\n",
        "~~~text\n" + PROMPT + "\n~~~",
        "````md\n" + PROMPT + "\n````",
        "Here is the improved prompt:\n\n" + PROMPT,
        "Here's an enhanced version of your prompt:\n" + PROMPT,
        "Here’s your optimized prompt:\n\n" + PROMPT,
        "Sure! Here is the rewritten prompt:\n\n```\n" + PROMPT + "\n```",
        "Certainly, below is a better prompt for your bakery:\n\n---\n\n" + PROMPT + "\n\n---",
        "**Improved prompt:**\n\n" + PROMPT,
        "**Enhanced Prompt**\n\n" + PROMPT,
        "## Improved Prompt\n\n" + PROMPT,
        "Improved prompt:\n" + PROMPT,
        PROMPT + "\n\nLet me know if you'd like me to adjust anything!",
        PROMPT + "\n\nFeel free to tweak the tone to your liking.",
        PROMPT + "\n\n---\n\nI hope this improved prompt helps!",
        "Here is the improved prompt:\n\n```markdown\n" + PROMPT + "\n```\n\nWould you like any changes to it?",
        "Hier ist der verbesserte Prompt:\n\n" + PROMPT,
        "Aquí tienes el prompt mejorado:\n\n" + PROMPT,
        "Voici le prompt amélioré :\n\n" + PROMPT,
        "Ecco il prompt migliorato:\n\n" + PROMPT,
        "Aqui está o prompt melhorado:\n\n" + PROMPT,
        "İşte geliştirilmiş prompt:\n\n" + PROMPT,
        "Вот улучшенный промпт:\n\n" + PROMPT,
        "در اینجا پرامپت بهبودیافته آمده است:\n\n" + PROMPT,
        "إليك الموجه المحسّن:\n\n" + PROMPT,
        "הנה הפרומפט המשופר:\n\n" + PROMPT,
        "以下是优化后的提示词：\n\n" + PROMPT,
    ],
)
def test_wrapping_is_taken_away(wrapped: str) -> None:
    assert clean_answer(wrapped) == PROMPT


@pytest.mark.parametrize(
    "prompt",
    [
        PROMPT,
        "Here is the format of the prompts that you will get:\n- one line each",
        "Here is what you know about the shop:\nIt opens at 7.",
        "# Improved prompts for nurses who teach\n\nWrite five of them.",
        "# Prompt\n\nYou are a host.",
        "You review prompts. An improved prompt: is shorter.\n\nAnswer with it.",
        "Answer with JSON:\n```json\n{}\n```",
        "```json\n{}\n```\nis the shape of every answer.",
        "```\nfirst\n```\n\nthen\n\n```\nsecond\n```",
        "End each answer with this line:\n\nLet me know if you need anything else!",
        "Close with:\n\nFeel free to visit us at Main St. 5.",
        "Speak kindly.\n\n---\n\nNever shout.",
        "---\nname: host\n---\nYou are a host.",
        "Let me know if you want changes to the prompt",
        "```\nnot closed",
        "```\n```",
        "    indented code is kept\n    as it is".strip(),
        "به مهمانان خوش‌آمد بگویید:\n- با لبخند",
        "ענה בקצרה:\n- תמיד",
    ],
)
def test_what_may_belong_to_the_prompt_stays(prompt: str) -> None:
    assert clean_answer(prompt) == prompt


def test_a_fence_around_a_prompt_with_fences_of_its_own_is_taken_away_alone() -> None:
    inside = "Answer so:\n```json\n{}\n```\nand so:\n```xml\n<a/>\n```"
    assert clean_answer(f"```markdown\n{inside}\n```") == inside
    assert clean_answer(f"````\n{inside}\n````") == inside


def test_an_answer_of_wrapping_alone_is_left_as_it_is() -> None:
    assert clean_answer("Here is the improved prompt:\n") == "Here is the improved prompt:"
    assert clean_answer("```\n\n```") == "```\n\n```"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_something_is_always_left_and_cleaning_twice_changes_nothing_that_once_did_not(text: str) -> None:
    cleaned = clean_answer(text)
    assert bool(cleaned) == bool(text.strip())
    assert cleaned in text


@given(st.lists(st.sampled_from(["```", "```json", "~~~", "text", "", "---", "Improved prompt:", "- a"]), max_size=12))
def test_lines_are_only_ever_taken_from_the_ends(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert clean_answer(text) in text


@pytest.mark.parametrize(
    "text",
    [
        "Here is the improved prompt:\n" + "\n" * 250_000 + "text",
        "```\n" + "```a\n" * 60_000 + "x\n```",
        "Here is the improved prompt:\n\nx\n\nLet me know " + "prompt " * 30_000,
        "\n" * 2_000_000 + "text" + "\n" * 2_000_000,
        "# Role\n" * 250_000,
    ],
    ids=["line breaks", "fences", "an offer", "white space", "too long for a prompt"],
)
def test_no_text_keeps_the_event_loop_for_long(text: str) -> None:
    began = time.process_time()
    cleaned = clean_answer(text)
    assert time.process_time() - began < 10, "quadratic work took half a minute"
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize(
    "last",
    [
        "If you'd like changes to an order, call 030 7654321 before noon.",
        "Let me know by mail about changes: orders@sonne.example",
        "Feel free to see our changes at https://sonne.example",
        "If you'd like changes, greet {{name}} first.",
    ],
)
def test_a_last_line_with_a_fact_of_the_owners_stays(last: str) -> None:
    assert clean_answer(f"{PROMPT}\n\n{last}").endswith(last)
