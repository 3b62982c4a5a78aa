"""Which language a text is in whose script several languages share: Cyrillic, Arabic, Devanagari.

Refuses to know Latin ones. Where no sign tells, the commonest language and its likeliest neighbour share the text.
"""
# ruff: noqa: RUF001  # words of many languages

from __future__ import annotations

import re

PERSIAN = re.compile(r"[\u067e\u0686\u0698\u06af\u06a9\u06cc]")
ARABIC = re.compile(r"[\u0629\u0643\u064a\u0649\u0623\u0625\u064b]")
PERSIAN_WORD = re.compile(r"\b(?:را|باش|از|به|در|با|است|برای|بده|نده|بزن)\b")
ARABIC_WORD = re.compile(r"\bال\w|\b(?:في|من|على|عن|لا|مع|كن)\b")
URDU = re.compile(r"[\u0679\u0688\u0691\u06ba\u06d2\u06be]")
KAZAKH = re.compile(r"[әғқңөұүһ]", re.IGNORECASE)
SERBIAN = re.compile(r"[ђјљњћџ]", re.IGNORECASE)
UKRAINIAN = re.compile(r"[іїєґ]", re.IGNORECASE)
RUSSIAN = re.compile(r"[ыэё]|\b(?:что|если|для|только|вы)\b", re.IGNORECASE)
# The hard sign stands in Russian before four vowels alone.
BULGARIAN = re.compile(r"ъ(?![еёюя])|\b(?:ще|са|се|си|най|бъде)\b", re.IGNORECASE)
WORD_BEGIN, WORD_END = r"(?<![\u0900-\u097f])", r"(?![\u0900-\u097f])"
MARATHI = re.compile(
    rf"ळ|{WORD_BEGIN}(?:आहे|आहेत|आहात|आणि|तुम्ही|किंवा|ते|राहा|द्या|करा|नाही|साठी|आमच्या){WORD_END}|(?:च्या|ांना|मध्ये){WORD_END}"
)
NEPALI = re.compile(
    rf"{WORD_BEGIN}(?:छ|छन्|र|तपाईं|हुनुहुन्छ|गर्नुहोस्|देऊ|दिनुहोस्|हुन्छ|छैन){WORD_END}|(?:देखि|सम्म|हरू|लाई){WORD_END}"
)
HINDI = re.compile(rf"{WORD_BEGIN}(?:है|हैं|हो|का|की|के|में|को|से|और|या|नहीं|करो|करें|दो|दें|रहो|रहें|लिए|पर|तक){WORD_END}")


def cyrillic(text: str) -> dict[str, float]:
    """Return the language of a text's Cyrillic letters, or the two of which it may be."""
    if len(KAZAKH.findall(text)) > 1:
        return {"kk": 1.0}
    if SERBIAN.search(text):
        return {"sr": 1.0}
    if UKRAINIAN.search(text):
        return {"uk": 1.0}
    return _weighed({"ru": len(RUSSIAN.findall(text)), "bg": len(BULGARIAN.findall(text))})


def devanagari(text: str) -> dict[str, float]:
    """Return the language of a text in Devanagari, or the two of which it may be."""
    counts = {"hi": len(HINDI.findall(text)), "mr": len(MARATHI.findall(text)), "ne": len(NEPALI.findall(text))}
    return _weighed(counts)


def arabic(text: str) -> dict[str, float]:
    """Return the language of a text in Arabic letters, or the two of which it may be."""
    if len(URDU.findall(text)) > 2:
        return {"ur": 1.0}
    counts = {"ar": len(ARABIC.findall(text)), "fa": len(PERSIAN.findall(text))}
    if not any(counts.values()):  # no letter tells
        counts = {"ar": len(ARABIC_WORD.findall(text)), "fa": len(PERSIAN_WORD.findall(text))}
    if not any(counts.values()):
        return {"ar": 0.5, "fa": 0.5}
    return {"fa" if counts["fa"] > counts["ar"] else "ar": 1.0}


def _weighed(counts: dict[str, int]) -> dict[str, float]:
    """Return the language with half as many signs again as any other; the first ones, where none has."""
    first, second, *_ = sorted(counts, key=lambda each: counts[each], reverse=True)
    if counts[first] > 1.5 * counts[second]:
        return {first: 1.0}
    return {first: 0.5, second: 0.5}
