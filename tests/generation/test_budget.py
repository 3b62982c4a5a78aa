"""What a generation may cost is on the high side, and no answer may cost more than is held for it."""

from __future__ import annotations

import asyncio
import math

import pytest

from generation.budget import Budget, Need, need_of
from generation.gemini.token_estimate import tokens_at_most, tokens_likely, tokens_of_prose, tokens_usually
from generation.marks import Marks
from generation.prompt_text import PromptText

CAP = 24_600
NEED = Need(at_most=50_000, whole=2_400, least=600, rewrite=200)


class Account:
    """A hold and the balance beside it."""

    def __init__(self, hold: int, balance: int) -> None:
        self.hold, self.balance, self.used = hold, balance, 0
        self.extended: list[int] = []

    async def extend(self, tokens: int) -> int:
        self.extended.append(tokens)
        more = min(max(0, tokens - self.hold), self.balance)
        self.hold, self.balance = self.hold + more, self.balance - more
        return self.hold

    def budget(self) -> Budget:
        return Budget(NEED, self.hold, lambda: self.used, self.extend)


def test_an_estimate_of_english_is_not_below_a_token_for_four_characters() -> None:
    for text in ("", "a", "We bake with rye and spelt. " * 40, " \n" * 500, "x" * 999):
        assert min(tokens_at_most(text), tokens_usually(text)) >= math.ceil(len(text) / 4)
        assert tokens_of_prose(text) >= math.ceil(len(text) / 4)


@pytest.mark.parametrize(
    ("text", "least"),
    [("+49 30 1234567", 11), ("https://example.com/a?b=1", 9), ("每天营业", 4), ("نان تازه داریم", 10), ("😀😀", 4)],
)
def test_digits_signs_and_other_scripts_are_not_taken_for_english(text: str, least: int) -> None:
    assert tokens_usually(text) >= least


@pytest.mark.parametrize(
    ("text", "characters_to_a_token"),
    [
        ("We bake with rye and spelt, and answer the questions of our guests. ", (3.5, 4.2)),
        ("Мы печём ржаной хлеб каждый день и отвечаем на вопросы гостей. ", (2.5, 3.1)),
        ("हम हर दिन राई की रोटी बनाते हैं और सवालों के जवाब देते हैं। ", (2, 3.1)),
        ("نان تازه داریم هر روز ", (2.3, 3.1)),
        ("我们每天烤黑麦面包。", (1, 1.5)),
        ("私たちは毎日ライ麦パンを焼き、お客様の質問に答えます。", (1, 1.5)),
    ],
)
def test_a_bill_without_a_report_is_likely_in_every_script(
    text: str, characters_to_a_token: tuple[float, float]
) -> None:
    """Source: figures that are published for multilingual vocabularies; Google's own is not."""
    least, most = characters_to_a_token
    assert least <= len(50 * text) / tokens_likely(50 * text) <= most
    assert tokens_likely(50 * text) <= tokens_usually(50 * text)


@pytest.mark.parametrize(
    "text", ["qhXzJkuvBoWpTamH" * 9, "q z x", "deadBEEF" * 9, "ꙮ🜁𒀀", "\ud800", "नमस्ते", "\u0301" * 9]
)
def test_no_text_has_more_tokens_than_bytes(text: str) -> None:
    """Source: SentencePiece, "byte_fallback": what is in no vocabulary becomes a token for each of its bytes."""
    assert tokens_at_most(text) == len(text.encode("utf-8", "surrogatepass"))
    need = need_of(PromptText(), CAP, "general", text, "")
    assert need.least - need.rewrite > len(text.encode("utf-8", "surrogatepass"))


def test_what_a_stopped_request_costs_is_what_such_texts_are_likely_to_have_or_what_gemini_counted() -> None:
    draft = "我们每天烤黑麦面包。" * 100
    texts, account = PromptText(), Account(hold=0, balance=0)
    for counted, short_input in ((None, range(800, 1_100)), (1_234, range(1_234, 1_235))):
        need = need_of(texts, CAP, "general", draft, "", counted)
        short, whole = (Budget(need, hold, lambda: 0, account.extend) for hold in (need.least, need.whole))
        assert short.estimated_input in short_input
        assert whole.estimated_input == short.estimated_input + need.longer
        for budget in (short, whole):
            assert budget.estimated_input <= budget.sent
        whole_instruction = texts.instruction("general", Marks.new())
        assert need.longer > tokens_of_prose(whole_instruction) / 2


def test_a_count_takes_the_place_of_the_bytes() -> None:
    draft = "We bake rye bread. " * 100
    unknown, known = (need_of(PromptText(), CAP, "general", draft, "", counted) for counted in (None, 700))
    assert unknown.least > len(draft)
    assert 700 < known.least - known.rewrite < 750
    assert known.rewrite < unknown.rewrite
    for hold, sent in ((known.least, known.least - known.rewrite), (known.whole, known.whole - 1_024 - known.rewrite)):
        account = Account(hold=hold, balance=0)
        budget = Budget(known, hold, lambda: 0, account.extend)
        assert budget.sent == sent


def test_a_short_draft_needs_no_more_than_the_seeds_700_tokens() -> None:
    draft = "You answer questions about our bakery on Elm Street 5. Open 7-18, a loaf costs 4.50 EUR."
    for business_type in PromptText().business_types():
        need = need_of(PromptText(), CAP, business_type, draft, "")
        assert need.least <= 700 < need.whole < need.at_most
        assert need.at_most > 2 * CAP


def test_a_longer_draft_needs_more() -> None:
    needs = [need_of(PromptText(), CAP, "general", "We bake rye bread. " * count, "") for count in (1, 100, 1_000)]
    assert needs == sorted(needs, key=lambda need: need.least)
    assert needs[2].least > 10_000 > needs[1].least > 700


def test_the_short_instruction_names_the_marks_and_costs_a_quarter() -> None:
    marks, texts = Marks.new(), PromptText()
    short, whole = (texts.instruction("clinic", marks, short=each) for each in (True, False))
    assert marks.begin in short
    assert marks.end in short
    assert 4 * tokens_of_prose(short) < tokens_of_prose(whole)


def test_the_first_answer_makes_do_with_the_hold() -> None:
    account = Account(hold=3_000, balance=90_000)
    assert asyncio.run(account.budget().afford(1_000, CAP)) == 2_000
    assert account.extended == []


def test_a_later_answer_takes_what_the_balance_has() -> None:
    async def scenario(account: Account) -> list[int]:
        budget = account.budget()
        first = await budget.afford(1_000, CAP)
        account.used += 1_000 + first
        return [first, await budget.afford(1_000, CAP)]

    assert asyncio.run(scenario(Account(hold=3_000, balance=90_000))) == [2_000, CAP]
    assert asyncio.run(scenario(Account(hold=3_000, balance=1_500))) == [2_000, 500]
    assert asyncio.run(scenario(Account(hold=3_000, balance=1_199))) == [2_000, 0], "no room for a rewrite"


def test_no_answer_may_cost_more_than_hold_and_balance() -> None:
    account = Account(hold=700, balance=0)
    budget = account.budget()
    assert budget.short
    assert asyncio.run(budget.afford(499, CAP)) == 201
    account.used = 200
    assert asyncio.run(budget.afford(301, CAP)) == 0
