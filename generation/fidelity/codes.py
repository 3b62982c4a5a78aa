"""Codes: tokens of letters and figures, labels, time zones, patterns of figures, bank codes.

Refuses to know numbers: figures in a code count nothing and are blanked out for them.
"""
# ruff: noqa: RUF001  # patterns are easier to read whole

from __future__ import annotations

import re
from itertools import islice

from generation.fidelity import numbers
from generation.fidelity.fact import Facts

# A token with letters and figures; "$" and its like may stand inside of a password.
CODE = re.compile(
    r"(?:(?<![A-Za-z0-9\u00c0-\u04ff_\-./#@:+*&=~$^!?%])|(?<=[\u0590-\uffff][_\-./#@:+*&=~$^!?%]))"
    r"(?:[A-Za-z\u00c0-\u04ff][A-Za-z\u00c0-\u04ff_\-./#@:+*&=~$^!?%]{0,60}\d|\d[0-9_\-./#@:+*&=~$^!?%]{0,60}[A-Za-z\u00c0-\u04ff])"
    r"[A-Za-z0-9\u00c0-\u04ff_\-./#@:+*&=~$^!?%]{0,120}"
)
DIGIT = re.compile(r"\d")
LETTER = re.compile(r"[A-Za-z\u00c0-\u04ff_]")
PLAIN_PART = re.compile(
    r"\d+(?:[.,:]\d+)*(?:st|nd|rd|th|er|ère|ere|eme|ème|e|re|o|go|[ap]\.?m\.?|h\d{0,2}|uhr|min|mins|std|sec|s|x|k|K|m2|m|cm|mm|km|kg|g"
    r"|ml|cl|l|gb|mb|tb|kb|w|kw|v|hz|eur|usd|gbp|chf|tl|try|kr|isk|rub|руб|шт|мин|час|ч|кг|г|км|м|л|мл|й|я|го|ая|ый|ой)?\.?"
    r"|\d?[Xx]{1,3}[SLsl]|(?-i:[^\W\d_][^\W\d_A-ZÀ-ÖØ-ÞА-Я]*)\.?|",
    re.IGNORECASE,
)
CODE_THEN_NUMBER = re.compile(r"([^:]*[A-Z][^:]*\d[^:]*):\d+")  # SPRING27: 9, written without a space
LABEL_THEN_NUMBER = re.compile(r"[^\W\d_]{1,12}:\+?\d[\d./-]{0,40}")  # FAX:0460-55-0199
PASSWORD = re.compile(r"\d[!^~][^\W_]")  # a sign that ends or joins nothing inside of a token
CURRENCY_THEN_NUMBER = re.compile(r"[A-Za-z]{1,3}\$[\d.]+[kK]?")
CAPITALS_THEN_DIGITS = re.compile(r"[A-ZÀ-ÖØ-ÞА-Я]{2,12}[-_/]\d{2,}|[A-ZА-Я]-\d{3,}")
LABELS = re.compile(r"[A-Z](?<![\w-].)[A-Z]{0,11}(?:(?:, ?| or | and | / |/|\|)[A-Z]{1,12}){1,9}(?![\w-])")
ARROW_LABEL = re.compile(r"(?:->|=>|\u2192) ?\"?([A-Z][A-Z_]{1,30})(?![\w-])|\"([A-Z][A-Z_]{2,30})\"")
ZONE = re.compile(
    r"[AEIP](?<!\w.)(?:frica|merica|ntarctica|sia|tlantic|ustralia|urope|ndian|acific|tc)/[A-Z][A-Za-z_]{1,30}"
)
PATTERN = re.compile(
    r"[A-Zhms](?<![\w-].)(?:(?<=[YMDHhSms])[YMDHhSms]{1,3}(?:[-/.: ][YMDHhSms]{2,4}){1,5}"
    r"|(?<=[A-Z])[A-Z]{0,4}-0{3,10})(?![\w-])"
)
BIC = re.compile(r"(?:BIC|SWIFT)[^A-Z\n]{0,10}([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)(?![A-Za-z0-9])")
MOST_CODES = 300  # of each rare sort


def read(text: str, facts: Facts) -> str:
    """Add codes; return the text with their figures blanked out, for they count nothing."""
    parts, at = [], 0
    plain: dict[str, bool] = {}
    for token in CODE.finditer(text):
        if facts.full:
            break
        word = token[0]
        word = word.rstrip(".:!?*_-/&=#")
        if ":" in word and (code := CODE_THEN_NUMBER.fullmatch(word)):
            word = code[1]
        if word not in plain:
            plain[word] = (
                CURRENCY_THEN_NUMBER.fullmatch(word) is not None
                or not (DIGIT.search(word) and LETTER.search(word))
                or _is_plain(word)
            )
        if plain[word]:
            continue
        facts.add("code", word, token.start(), ("token", word.strip("*#_")))
        parts += [text[at : token.start()], "\0" * len(word)]
        at = token.start() + len(word)
    parts.append(text[at:])
    for zone in islice(ZONE.finditer(text), MOST_CODES) if "/" in text else ():
        facts.add("code", zone[0], zone.start(), ("token", zone[0]))
    for pattern in islice(PATTERN.finditer(text), MOST_CODES):
        facts.add("code", pattern[0], pattern.start(), ("token", pattern[0]))
    for labels in islice(LABELS.finditer(text), MOST_CODES):
        words = [word for word in re.findall(r"[A-Z]+", labels[0]) if word.lower() not in numbers.CURRENCY_OF]
        if not words:
            continue
        if max(map(len, words)) == 1:
            facts.add("code", labels[0], labels.start(), ("labels", ",".join(words)))
        elif min(map(len, words)) > 1 and len(words) > 2:
            for word in words:
                facts.add("code", word, labels.start(), ("label", word))
    arrows = '"' in text or "->" in text or "=>" in text or "\u2192" in text
    for label in islice(ARROW_LABEL.finditer(text), MOST_CODES) if arrows else ():
        word = label[1] or label[2]
        facts.add("code", word, label.start(), ("label", word))
    if "BIC" in text or "SWIFT" in text:
        for bic in islice(BIC.finditer(text), MOST_CODES):
            facts.add("account", bic[1], bic.start(1), ("label", bic[1]))
    return "".join(parts)


def _is_plain(word: str) -> bool:
    """Tell "5pm", "24-hour" and "750ml/500ml" from a code."""
    if LABEL_THEN_NUMBER.fullmatch(word):
        return True
    if CAPITALS_THEN_DIGITS.search(word) or PASSWORD.search(word):
        return False
    return all(PLAIN_PART.fullmatch(part) for part in re.split(r"[-/+:*&~!?=@]|\.(?=[^\W\d])|(?<=[^\W\d])\.", word))
