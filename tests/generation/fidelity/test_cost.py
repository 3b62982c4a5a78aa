"""No text may cost more than its length: texts of 20,000 characters made of the pieces that patterns start with."""
# ruff: noqa: E501  # a table

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.fidelity import Guard

GUARD = Guard("Never repeat one word of these nine words here.")
PIECES = [
    *("1-", "1 ", "1.", "1,", "1:", "(1)", "+1 ", "a1", "A-1 ", "{{", "{{a", '{"', "}", "{%", "${", "$a", "%s", "<a ", "[[", "[a"),
    *("`", "```\n", "~~~\n", "@", "a@b.c ", "www.", "https://a.b/", ".com", "AB12 ", "DE89 3704 ", "A, ", "BIC ", '"A" ', "->A"),
    *("YY-", "1h1", "5 pm ", "1 €", "€1 ", "&amp;", "\\.", "\u200b", "\ufdfa", "a", "\n", "- 1.\n", ". ", "1/1/1 ", "\u0966", "#"),
]  # fmt: skip
# Generous beside what is promised (50 ms): a busy machine must not fail the test, a quadratic pattern takes 8 s and more.
MOST_S = 3.0


def cost_s(draft: str, answer: str) -> float:
    begun = time.process_time()
    verdict = GUARD.judge(draft, answer)
    verdict.missing_facts, verdict.invented_facts, verdict.mended()  # for what they cost
    return time.process_time() - begun


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_repeated_over_a_whole_text_is_read_in_linear_time(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    assert cost_s(text, "x") < MOST_S
    assert cost_s("x", text) < MOST_S
    assert cost_s(text, text[::-1]) < MOST_S


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.lists(st.sampled_from(PIECES), min_size=1, max_size=6)
)
def test_no_mixture_of_pieces_is_slow(first: list[str], second: list[str]) -> None:
    one, other = "".join(first), "".join(second)
    assert cost_s((one * 20_000)[:20_000], (other * 20_000)[:20_000]) < MOST_S
