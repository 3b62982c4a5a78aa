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


PHONES = {"a": "030 555 0144", "b": "030 555 0177"}


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Sizes 36, 38 and 40.", "Sizes 40, 38 and 36."),
        ("尺码36、38、40。", "尺码40、36、38。"),
        ("サイズは36、38、40です。", "サイズは40、38、36です。"),
        ("Размеры 36, 38 и 40.", "Размеры 40, 38 и 36."),
        ("מידות 36, 38 ו-40.", "מידות 40, 38 ו-36."),
        ("Sizes S, M, L.", "Sizes L, M and S."),
        ("午前9時または午後2時に始まります。", "午後2時または午前9時に始まります。"),
        ("A las 9:00 o a las 14:00.", "A las 14:00 o a las 9:00."),
        ("Às 10h ou 15h saímos.", "Às 15h ou 10h saímos."),
        ("12 या 15 मार्च को कार्यशाला।", "15 या 12 मार्च को कार्यशाला।"),
        ("Am 12. oder 15. März.", "Am 15. oder 12. März."),
        ("March 12 or 15.", "March 15 or 12."),
        ("Call {a} or {b}.".format(**PHONES), "The number is {b}, or {a}.".format(**PHONES)),
        ("{a} veya {b} numarasını arayın.".format(**PHONES), "Telefon: {b} / {a}".format(**PHONES)),
        ("提前3天取消全额退款，提前1天取消退50%。", "提前1天取消退50%，提前3天取消全额退款。"),
        ("早餐7:30-9:30，25元一位。", "每位25元，7:30到9:30供应早餐。"),
        ("Мойка кузова 450 ₽, комплекс 1 200 ₽.", "Комплексная мойка стоит 1 200 рублей, только кузов — 450 рублей."),
        ("Работаем с 10:00 до 20:00. Скидка 20%.", "Скидка 20%. Открыты с 10 до 20 часов."),
        ("Kurtaxe 2,80 € in der Saison, sonst 1,90 €.", "Kurtaxe: 1,90 € außerhalb der Saison, 2,80 € in der Saison."),
        ("101号室:80円、204号室:120円。", "- 204号室の料金は120円\n- 101号室の料金は80円"),
    ],
)
def test_lists_and_alternatives_in_another_order_are_no_exchange(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Room 101: €80, room 204: €120, room 305: €95.", "- Room 305: €95\n- Room 101: €120\n- Room 204: €80"),
        ("कमरा 101: ₹80, कमरा 204: ₹120.", "- कमरा 204 का किराया ₹80\n- कमरा 101 का किराया ₹120"),
        ("Block A: 020 7946 0101. Block B: 020 7946 0102.", "- Block B: 020 7946 0101\n- Block A: 020 7946 0102"),
        ("Llama al 954 555 013 o por WhatsApp al 611 555 014.", "- WhatsApp: 954 555 013\n- Teléfono: 611 555 014"),
        ("Dogs A, C, G. Cats B.", "Dogs A, C, K. Cats B."),
    ],
)
def test_facts_that_changed_their_company_are_found(draft: str, answer: str) -> None:
    assert not GUARD.judge(draft, answer).faithful
