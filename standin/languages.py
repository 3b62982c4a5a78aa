"""Detects a draft's language: by its script, and for Latin ones by common words and special letters.

Refuses to know what the draft says.
"""
# ruff: noqa: RUF001  # letters of many scripts

from __future__ import annotations

import re
import unicodedata
from collections import Counter

LOOKED_AT = 4_000  # characters
SCRIPTS = {
    "ARABIC": "ar",
    "HEBREW": "he",
    "CJK": "zh",
    "CYRILLIC": "ru",
    "LATIN": "en",
    "DEVANAGARI": "hi",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
}
DENSE = {"CJK": 3, "HIRAGANA": 2, "KATAKANA": 2, "HANGUL": 2}  # how many Latin letters one sign stands for
PERSIAN_ONLY = frozenset("پچژگکی")
# What is written for a program is in no language: links, addresses, placeholders.
LITERAL = re.compile(r"https?://[!-~]+|[!-~]+@[!-~]+|\{\{?[^{}\n]*\}\}?")
WORD = re.compile(r"[^\W\d_]+")
WORDS = {
    "en": "the and of to for with you your is are at in on or not never an this our we from be call open answer per",
    "de": "der die das und ist sind sie du für mit nicht ein eine einen bei uhr nie ab auf dem den wir bist sei als",
    "es": "el los las y es eres una un por para con en no nunca desde hasta del al de la tu su responde atiende",
    "fr": "le les des et est une un pour par avec vous tu nous notre du au aux ne pas jamais sur de la rue chez",
    "pt": "o os as e é és uma um por para com em não nunca desde até do da dos das ao de você pela pelo na no",
    "it": "il lo gli e è sei una un per con in non mai dal al della del dei di la ai rispondi alle",
    "tr": "ve bir bu için ile de da en çok asla her sen siz ol olarak gün iş saat müşteri üzeri deme diye",
}
LETTERS = {
    "de": re.compile(r"[ßäöü]"),
    "es": re.compile(r"[ñ¿¡]|ción\b"),
    "fr": re.compile(r"[éêèàùûçœ]|\b[ldnsjcq]['’]"),
    "pt": re.compile(r"[ãõ]|ção\b|ções\b"),
    "it": re.compile(r"zione\b|\b(?:dell|all|nell)['’]"),
    "tr": re.compile(r"[ışğ]|(?:lar|ler)(?:ı|i|in|ın)?\b"),
}
KEPT_BY = {
    word: [name for name, words in WORDS.items() if word in words.split()] for word in " ".join(WORDS.values()).split()
}


def language(text: str) -> str:
    """Return the language of most of a text; English when it cannot be told."""
    letters = LITERAL.sub(" ", text[:LOOKED_AT])
    counts: Counter[str] = Counter()
    for letter, count in Counter(filter(str.isalpha, letters)).items():
        if (script := unicodedata.name(letter, "").partition(" ")[0]) in SCRIPTS:
            counts[script] += count * DENSE.get(script, 1)
    script = max(counts, key=lambda each: (counts[each], each == "LATIN"), default="LATIN")
    if script == "CJK" and 12 * (counts["HIRAGANA"] + counts["KATAKANA"]) > counts["CJK"]:
        return "ja"  # Chinese has none of them
    if script == "ARABIC" and not PERSIAN_ONLY.isdisjoint(letters):
        return "fa"
    return _of_latin_ones(letters) if script == "LATIN" else SCRIPTS[script]


def _of_latin_ones(text: str) -> str:
    lowered = text.casefold().replace("i̇", "i")
    scores = dict.fromkeys(WORDS, 0.0)
    for word in WORD.findall(lowered):
        for name in KEPT_BY.get(word, ()):
            scores[name] += 1 / len(KEPT_BY[word])
    for name, own in LETTERS.items():
        scores[name] += min(3.0, 0.7 * len(own.findall(lowered)))
    return max(scores, key=lambda name: (scores[name], name == "en"))
