"""No text may cost more than its length: texts of 20,000 characters made of the pieces that patterns start with."""
# ruff: noqa: E501  # a table

from __future__ import annotations

import itertools
import random
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
WORDS = ["".join(letters) for letters in itertools.product("bcdfghjklm", repeat=3)]
# Texts of which every part is another one: what is looked for once per fact.
DIFFERENT = {
    "numbers with units": " ".join(f"{at % 9 + 1} {word * 3}" for at, word in enumerate(WORDS)),
    "one number with units": " ".join(f"1 {word * 3}" for word in WORDS),
    "codes": " ".join(f"A{at}B" for at in range(4_000)),
    "labels": " ".join(f"{word.upper()}, {word.upper()}X" for word in WORDS),
    "inline code": " ".join(f"`{word} {word}`" for word in WORDS * 2),
    "entities": "".join(f"&amp;{at} " for at in range(3_000)),
    "escapes without a space": "".join(f"\\,{at},," for at in range(3_000)),
    "links with entities": "".join(f"https://a.b/{at}&amp;," for at in range(900)),
    "dates": " ".join(f"{at}.11.2026" for at in range(1_800)),
    "days with months": " ".join(f"{at}. Mai 2026" for at in range(1_600)),
    "postcodes": " ".join(f"\u3012{at}-0002" for at in range(2_000)),
    "percentages": " ".join(f"{at}.5 %" for at in range(2_500)),
    "telephones": " ".join(f"(315) {at}-0187" for at in range(1_500)),
    "codes with entities": "".join(f"AB{at}&amp; " for at in range(2_000)),
}
ANSWERS = [
    "x",
    "thre e " * 2_800,
    " ".join(f"{number} zzz" for number in range(10)) + " thre e" * 2_800,
    "A1xAB" * 4_000,
]
# Generous beside what is promised (50 ms): a busy machine must not fail the test. What is done once per fact on a whole
# text takes nine loops and more, a quadratic pattern hundreds.
MOST_LOOPS, CHEAP_S = 6, 0.1


def shuffled(text: str) -> str:
    """Return the text's words in another order: every fact is in another place."""
    words = text.split(" ")
    random.Random(1).shuffle(words)
    return " ".join(words)


def cost_s(draft: str, answer: str) -> float:
    begun = time.process_time()
    verdict = GUARD.judge(draft, answer)
    verdict.missing_facts, verdict.invented_facts, verdict.mended()  # for what they cost
    return time.process_time() - begun


def loop_s() -> float:
    """Return the CPU time of a plain loop of a million steps on this machine, now: 30 ms or more."""
    begun = time.process_time()
    sum(number for number in range(1_000_000) if number)
    return time.process_time() - begun


def is_cheap(draft: str, answer: str) -> bool:
    draft, answer = draft[:20_000], answer[:20_000]
    return any((cost := cost_s(draft, answer)) < CHEAP_S or cost < MOST_LOOPS * loop_s() for _ in range(4))


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_repeated_over_a_whole_text_is_read_in_linear_time(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    assert is_cheap(text, "x")
    assert is_cheap("x", text)
    assert is_cheap(text, text[::-1])


@pytest.mark.parametrize("draft", DIFFERENT)
def test_a_thousand_different_facts_are_compared_named_and_mended_in_linear_time(draft: str) -> None:
    for answer in (*ANSWERS, DIFFERENT[draft][::-1], shuffled(DIFFERENT[draft])):
        assert is_cheap(DIFFERENT[draft], answer)
        assert is_cheap(answer, DIFFERENT[draft])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.lists(st.sampled_from(PIECES), min_size=1, max_size=6)
)
def test_no_mixture_of_pieces_is_slow(first: list[str], second: list[str]) -> None:
    assert is_cheap("".join(first) * 20_000, "".join(second) * 20_000)
