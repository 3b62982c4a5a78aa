"""A text is empty when a reader would see nothing of it, whatever it is made of."""

from __future__ import annotations

import unicodedata

import pytest

from generation.visible_text import SEEN, is_visible

NOTHING = ["", " \t\r\n", "\u200b\u2060\ufeff", "\u3164\u115f\u2800", "\x00\x1f\x85\xad", "\ufe0f\u034f", "\U000e0041"]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_drawn_as_nothing_is_no_text(text: str) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize("text", ["a", "\u200b1\u200b", "é", "\u0627", "漢", "😀", "½", ".", "\u0301", "\u06dd"])
def test_one_character_that_is_drawn_is_a_text(text: str) -> None:
    assert is_visible(text)


def test_every_space_and_control_is_unseen_and_every_letter_number_and_sign_is_seen_but_for_the_fillers() -> None:
    everything = "".join(map(chr, range(0x20000)))
    unseen = set(everything) - set(SEEN.findall(everything))
    by_category: dict[str, set[str]] = {}
    for character in everything:
        by_category.setdefault(unicodedata.category(character)[0], set()).add(character)
    assert by_category["Z"] <= unseen
    assert {each for each in by_category["C"] if unicodedata.category(each) in ("Cc", "Cs")} <= unseen
    assert unseen & (by_category["L"] | by_category["N"] | by_category["P"] | by_category["S"]) == {
        *"\u115f\u1160\u3164\uffa0\u2800"
    }
