"""Drafts of many languages and a rewrite of each as models make them: reordered, in tables, otherwise written."""
# ruff: noqa: RUF001  # texts in other scripts look like other letters to ruff, as they should

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from generation.answer_shape import clean_answer
from generation.fidelity import Guard, language

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "fixtures" / "rewrites.json").read_text("utf-8"))
GUARD = Guard("Never repeat one word of these nine words here.")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_faithful_rewrite_raises_no_alarm_and_loses_nothing_of_its_shape(row: dict[str, Any]) -> None:
    assert GUARD.judge(row["draft"], row["answer"]).faithful
    assert clean_answer(row["answer"], row["draft"]) == row["answer"]
    assert language(row["draft"]) in row["language"].split("+")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_each_fact_is_missed_when_it_is_taken_out(row: dict[str, Any]) -> None:
    draft = row["draft"]
    unmissed = [fact for fact in row["facts"] if GUARD.judge(draft, "# 1\n" + draft.replace(fact, "")).faithful]
    assert not unmissed


@pytest.mark.parametrize(
    ("draft", "answer", "missing"),
    [
        ("Unit B-3. Freeze up to 3 months.", "Unit B-3. Freeze up to some months.", "3 months"),
        ("Einzelzimmer 15 €, Check-in ab 15 Uhr.", "Einzelzimmer 15 €, Check-in nachmittags.", "15 Uhr"),
        ("Yıl: 15.01.2027. İndirim %15.", "Yıl: 15.01.2027. İndirim var.", "15"),
        ("满12元包邮，12天无理由退货。", "满12元包邮，无理由退货。", "12"),
    ],
)
def test_a_value_that_stands_for_two_facts_must_be_there_for_both(draft: str, answer: str, missing: str) -> None:
    verdict = GUARD.judge(draft, answer)
    assert len(verdict.missing_facts) == 1
    assert missing in verdict.missing_facts[0]


def test_the_fact_that_is_named_and_added_is_the_lost_one_and_not_another_of_its_value() -> None:
    verdict = GUARD.judge(
        "Come to unit B-3 first. Freezing takes 3 months.", "Come to unit B-3 first. Freezing is free."
    )
    assert verdict.missing_facts == ["3 months"]
    assert verdict.mended().endswith("- Freezing takes 3 months.")


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        (
            "Half day $780, full day $1,150, siblings 10% off.",
            "- Full day: $1,150\n- Half day: $780\n- 10% off: siblings",
        ),
        ("Soup 10 EUR, salad 20 EUR, bread 30 EUR.", "10 EUR soup, 20 EUR salad, 30 EUR bread."),
        ("Open 24 h. Cancel within 24 hours.", "Open 24 h; cancelling takes 24 h as well."),
        ("Two rooms for 2 people.", "Two rooms, for two people."),
    ],
)
def test_an_order_of_its_own_is_no_exchange(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Corte R$ 85,00. Ter–sáb 10h–20h.", "Corte 10h–20h. Ter–sáb R$ 85,00."),
        (
            "Wagen 25 EUR/Tag. Mo-Do 7.30-17 Uhr, Fr 7.30-14 Uhr.",
            "Wagen 7.30-17 Uhr/Tag. Mo-Do 25 EUR, Fr 7.30-14 Uhr.",
        ),
    ],
)
def test_facts_of_different_kinds_in_each_others_places_are_found(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).swapped
