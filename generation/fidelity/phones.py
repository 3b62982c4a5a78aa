"""Telephone numbers by their digits; a country's code or its trunk zero may come or go.

Refuses to know how long a country's numbers are.
"""

from __future__ import annotations

import re

from generation.fidelity.fact import Key

SHORTEST, LONGEST = 7, 15  # digits; ITU E.164 allows 15
SHORTEST_NATIONAL = 6
# Source: ITU-T E.164, the list of assigned country codes: 1 and 7, those of two digits, and all others have three.
_TWO_DIGITS = """
20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66
81 82 84 86 90 91 92 93 94 95 98
"""
TWO_DIGITS = frozenset(_TWO_DIGITS.split())


# The codes of the countries where the people live who read a language: a number told from abroad has one of these, or
# one that the draft has. English is read and written nearly everywhere, but not with every country's numbers.
_CODES_BY_LANGUAGE = {
    "en": "1 20 27 31 32 33 34 39 41 43 44 45 46 47 48 49 60 61 62 63 64 65 66 91 92 94 233 234 254 255 256 263 351 353"
    " 354 356 357 358 852 880 966 971 972 973 974",
    "de": "49 43 41 423 352 39 32",
    "fr": "33 32 41 1 352 377 212 213 216 221 223 225 226 227 228 229 236 237 241 242 243 253 261 262 269"
    " 509 590 594 596 687 689",
    "es": "34 52 54 51 53 56 57 58 502 503 504 505 506 507 591 593 595 598 1 240",
    "it": "39 41 378",
    "pt": "351 55 244 258 238 239 245 670",
    "tr": "90 357 994",
    "ru": "7 375 380 996 373 374 994 995 998 992",
    "ar": "20 211 212 213 216 218 249 252 253 222 269 961 962 963 964 965 966 967 968 970 971 973 974",
    "fa": "98 93 992",
    "he": "972 970",
    "hi": "91 977",
    "zh": "86 852 853 886 65 60",
    "ja": "81",
    "ko": "82 850",
}
CODES_OF = {language: frozenset(codes.split()) for language, codes in _CODES_BY_LANGUAGE.items()}


def country_code(text: str) -> str:
    """Return the country's code of an international number."""
    digits = re.sub(r"\D", "", text)
    digits = digits if text.startswith(("+", "(+")) else digits.removeprefix("00")
    return digits[: _code_length(digits)] if digits else ""


def _code_length(digits: str) -> int:
    """Return how many digits the country's code has: no code is the beginning of another."""
    return 1 if digits[0] in "17" else 2 if digits[:2] in TWO_DIGITS else 3


def is_international(text: str) -> bool:
    """Say whether a number begins with a country's code."""
    return text.startswith(("+", "(+", "00"))


def looks_like_one(text: str, digits: str) -> bool:
    """Tell a telephone number from a plain one: by its plus, its groups, or its zero and length."""
    if not SHORTEST <= len(digits) <= LONGEST or ":" in text or "," in text or "'" in text:
        return False
    if text[0] == "+" or (text.startswith("(") and ")" in text) or digits.startswith("00"):
        return True
    groups = re.split(r"\D+", text.strip("()"))
    if len(groups) == 1:
        return digits[0] == "0" or len(digits) >= 10
    if "." in text:
        if "-" in text or " " in text or len(groups) < 3:
            return False
        return len(groups[-1]) >= 3 or (len(groups) in (4, 5) and text[0] == "0" and set(map(len, groups)) == {2})
    return True


def keys(text: str, digits: str) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """Return the keys of which one must be found, and the keys that this number offers to others."""
    if text.startswith(("+", "(+")) or digits.startswith("00"):
        if "(0)" in text:
            digits = digits.replace(
                re.sub(r"\D", "", text[: text.index("(0)")]) + "0", re.sub(r"\D", "", text[: text.index("(0)")]), 1
            )
        digits = digits.removeprefix("00")
        rest = digits[_code_length(digits) :]
        rests = [rest] if len(rest) >= SHORTEST_NATIONAL else []
        wanted = [("phone", "+" + digits), ("phone", digits), *(("national", rest) for rest in rests)]
        offered = [("phone", "+" + digits), ("phone", digits), *(("from abroad", rest) for rest in rests)]
        return tuple(wanted), tuple(offered)
    forms = [digits]
    if digits[0] in "08" and len(digits) > SHORTEST_NATIONAL:
        forms.append(digits[1:])
    if digits[0] == "1" and len(digits) == 11:
        forms.append(digits[1:])
    wanted = [("phone", digits), *(("from abroad", form) for form in forms)]
    offered = [("phone", digits), *(("national", form) for form in forms)]
    if digits[0] == "1" and len(digits) == 11:
        wanted.append(("phone", digits[1:]))
        offered.append(("phone", digits[1:]))
    return tuple(wanted), tuple(offered)
