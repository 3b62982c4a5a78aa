"""Estimates the tokens of a text without a tokenizer. Refuses to know what the text is for.

Source: Gemini API documentation, "Understand and count tokens": about four characters of English to a token. Digits and
signs can be tokens of their own, and other scripts have fewer characters to one.
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
    """Return the most tokens of a text, whatever it is: no tokenizer makes more than one of a byte."""
    return len(text.encode("utf-8", "surrogatepass"))


def tokens_usually(text: str) -> int:
    """Return the tokens of a text that people write: one for four letters, for a sign, for two bytes of other scripts.

    On the high side for prose; random letters are twice as many, and more.
    """
    in_words = sum(-(-len(word) // CHARACTERS_PER_TOKEN) for word in LETTERS.findall(text))
    signs = SPACES.sub("", LETTERS.sub("", text))
    plain = sum(map(str.isascii, signs))
    others = len(signs.encode("utf-8", "surrogatepass")) - plain
    return max(tokens_of_prose(text), in_words + plain - (-others // OTHER_SCRIPT_BYTES_PER_TOKEN))
