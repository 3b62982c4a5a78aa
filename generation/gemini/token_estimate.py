"""Estimates the tokens of a text without a tokenizer. Refuses to know what the text is for.

Source: Gemini API documentation, "Understand and count tokens": about four characters of English to a token. Digits and
signs can be tokens of their own, and other scripts have fewer characters to one.
"""

from __future__ import annotations

import re

CHARACTERS_PER_TOKEN, OTHER_SCRIPT_BYTES_PER_TOKEN = 4, 2
LETTERS = re.compile(r"[A-Za-z]+")
SPACES = re.compile(r"\s+")

# Characters to a token in prose, spaces left out: what a large multilingual vocabulary comes to, without a claim to be
# exact. Digits; Latin letters with accents; Chinese, Japanese, Korean; all other alphabets (Cyrillic,
# Arabic, Devanagari, …); signs and emoji.
LIKELY: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"[0-9]+"), 1),  # each digit is a token of its own
    (re.compile(r"[\u00a1-\u036f]+"), 2),
    (re.compile(r"[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+"), 1.4),
    (re.compile(r"[\u0370-\u10ff\u1200-\u1fff\ufb00-\ufdff\ufe70-\ufefe]+"), 2.75),
    (re.compile(r"[\u2000-\u2e7f\U0001f000-\U0001ffff]+"), 1),  # signs and emoji
)


def tokens_of_prose(text: str) -> int:
    """Return the tokens of ordinary prose: an instruction, a template."""
    others = len(text.encode("utf-8", "surrogatepass")) - len(text)
    return 1 + len(text) // CHARACTERS_PER_TOKEN + others // OTHER_SCRIPT_BYTES_PER_TOKEN


def tokens_at_most(text: str) -> int:
    """Return the most tokens of a text, whatever it is: no tokenizer makes more than one of a byte."""
    return len(text.encode("utf-8", "surrogatepass"))


def tokens_likely(text: str) -> int:
    """Return an estimate of the tokens of ordinary prose in any script, for a bill: not on the high side."""
    tokens, rest = 0.0, len(text)
    for characters, to_a_token in LIKELY:
        found = sum(map(len, characters.findall(text)))
        tokens, rest = tokens + found / to_a_token, rest - found
    return min(1 + int(tokens + rest / CHARACTERS_PER_TOKEN), tokens_usually(text))


def tokens_usually(text: str) -> int:
    """Return the tokens of a text that people write: one for four letters, for a sign, for two bytes of other scripts.

    On the high side for prose, twice as many in some scripts; random letters are twice as many, and more.
    """
    in_words = sum(-(-len(word) // CHARACTERS_PER_TOKEN) for word in LETTERS.findall(text))
    signs = SPACES.sub("", LETTERS.sub("", text))
    plain = sum(map(str.isascii, signs))
    others = len(signs.encode("utf-8", "surrogatepass")) - plain
    return max(tokens_of_prose(text), in_words + plain - (-others // OTHER_SCRIPT_BYTES_PER_TOKEN))
