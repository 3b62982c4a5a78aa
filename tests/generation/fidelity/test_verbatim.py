"""What is seen where a sentence of the answer is the draft's but for its facts."""

from __future__ import annotations

import pytest

from generation.fidelity import Guard
from tests.support.exchanged import exchanged

GUARD = Guard("Never repeat one word of these nine words here.")


@pytest.mark.parametrize(
    ("draft", "first", "second"),
    [
        ("Be brief. The lockers are B-17 and cost 299 a month. Freeze for 60 days.", "B-17", "60"),
        ("会员号VIP-20871,储物柜B-17。冻结最多60天。月卡299元。", "299元", "B-17"),
        ("クーポンHARU500で500円引き、NATSU10で10%引き、2027年5月31日まで。", "500円", "2027年5月31日"),
        ("障害レベル1は15分、レベル2は2時間以内に返信。", "15分", "2時間"),
        ("Tél. 04 72 55 01 18, portable 06 39 98 12 45.", "04 72 55 01 18", "06 39 98 12 45"),
        ("Ring 555-0143 or 555-0177.", "555-0143", "555-0177"),
        ("Buses leave at 04:15, 05:40, 07:00.", "05:40", "07:00"),
        ("Servers: db-01 has 16 GB, backup at 03:30. Keep 90 days.", "03:30", "90"),
    ],
)
def test_two_facts_exchanged_in_sentences_that_are_otherwise_the_same_are_found(
    draft: str, first: str, second: str
) -> None:
    assert GUARD.judge(draft, "# Role\n\n" + exchanged(draft, first, second).replace(". ", ".\n- ")).swapped
    assert GUARD.judge(draft, "# Role\n\n" + draft.replace(". ", ".\n- ")).faithful


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Sizes 42, 38 and 40 are in stock.", "Sizes 40, 38 and 42 are in stock."),
        ("Sizes 42, 38 and 40 are in stock.", "- Sizes: 38, 40, 42 (in stock)"),
        ("Visit on 12 May 2027, 9:30, in room 5.", "Visit on 9:30, 12 May 2027, in room 5."),
        ("$95 cleaning, $160 filling.", "$160 filling, $95 cleaning."),
        ("Close at 5pm. Soup is $9.50.", "Close at 17:00. Soup is $9.5."),
    ],
)
def test_what_was_only_sorted_or_told_in_another_order_is_no_exchange(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(
    ("draft", "answer", "missing"),
    [
        ("A visit is 20 min. Scripts take 15-20 minutes.", "A visit is 20 min. Scripts take 15-80 minutes.", "20"),
        ("Mo-Do 7.30-17.00 Uhr, Fr 7.30-14.00 Uhr.", "Mo-Do 7.30-17.00 Uhr, Fr 9.30-14.00 Uhr.", "7.30"),
        ("Formule midi 18 €. Service de 12h à 14h30.", "Formule midi 18 €. Service de 18h à 14h30.", "12h"),
    ],
)
def test_another_figure_in_a_sentence_is_a_lost_fact_though_its_value_is_said_elsewhere(
    draft: str, answer: str, missing: str
) -> None:
    verdict = GUARD.judge(draft, answer)
    assert len(verdict.missing_facts) == 1
    assert missing in verdict.missing_facts[0]


def test_a_number_word_that_the_draft_has_as_well_stands_for_no_lost_number() -> None:
    assert GUARD.judge("Formule midi 18 €. Service de 12h à 14h30.", "- Formule midi : 18 €\n- Service à 14h30").lost
    assert GUARD.judge("Service de 12h à 14h30.", "- Service de midi à 14h30").faithful


def test_a_date_that_is_torn_at_the_dot_of_its_day_is_the_same_date() -> None:
    draft = "Rechnung 1 war am 15. Januar 2027 fällig, Rechnung 2 am 28. Januar 2027."
    torn = "- Rechnung 1 war am 15.\n- Januar 2027 fällig, Rechnung 2 am 28.\n- Januar 2027."
    assert GUARD.judge(draft, torn).faithful
