"""Estimates the tokens of a text without a tokenizer. Refuses to know what the text is for.

Source: Gemini API documentation, "Understand and count tokens": about four characters of English to a token. Digits and
signs can be tokens of their own, and other scripts have fewer characters to one; so this errs on the high side.
"""

from __future__ import annotations

import re

CHARACTERS_PER_TOKEN, OTHER_SCRIPT_BYTES_PER_TOKEN = 4, 2
LETTERS = re.compile(r"[A-Za-z]+")
SPACES = re.compile(r"\s+")


def tokens_of_prose(text: str) -> int:
    """Return the tokens of ordinary prose: an instruction, a template."""
    others = len(text.encode("utf-8", "surrogatepass")) - len(text)
    return 1 + len(text) // CHARACTERS_PER_TOKEN + others // OTHER_SCRIPT_BYTES_PER_TOKEN


def tokens_at_most(text: str) -> int:
    """Return an upper bound for a user's text: a token for four letters, for a sign, for two bytes of other scripts."""
    in_words = sum(-(-len(word) // CHARACTERS_PER_TOKEN) for word in LETTERS.findall(text))
    signs = SPACES.sub("", LETTERS.sub("", text))
    plain = sum(map(str.isascii, signs))
    others = len(signs.encode("utf-8", "surrogatepass")) - plain
    return max(tokens_of_prose(text), in_words + plain - (-others // OTHER_SCRIPT_BYTES_PER_TOKEN))
