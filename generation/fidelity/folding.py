"""One canonical form for what may be written in many: digits, dashes, quotes, spaces, escapes.

Refuses to know what a fact is. Every step is linear in the text's length.
"""
# signs of many scripts

from __future__ import annotations

import html
import re
import unicodedata
from operator import itemgetter

ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
# Replaced by a function and not by "\\1": a template is expanded in Python, one by one, at ten times the cost.
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# A full stop that would be a decimal point when it is folded, 0177。2027年, and commas that would be one: 36、38、40.
# Behind a link, an address or a code they would tie what follows to it: a@b.example。Wi-Fi
STOP_IN_FIGURES = re.compile(r"[\u3002\u0964\u06d4](?<=[\dA-Za-z/].)(?=[\dA-Za-z])")
COMMA_IN_FIGURES = re.compile(
    r"\u3001(?<=\d.)(?=\d)|\uff0c(?<=\d.)(?=\d)(?!(?<!:\d\d.)\d{3}(?!\d))"
    r"|[\uff0c\uff1b\u3001\u060c](?<=[A-Za-z/].)(?=[\dA-Za-z])"
)
BLANK_RUN = re.compile(r" {2,}")

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u05be"
_SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc\u05f3"
_DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u05f4"
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
_UNSEEN = (
    "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\ufe0f"
)


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = dict.fromkeys(map(ord, _UNSEEN))
    for signs, plain in ((_DASHES, "-"), (_SINGLE_QUOTES, "'"), (_DOUBLE_QUOTES, '"'), (_SPACES, " ")):
        table |= dict.fromkeys(map(ord, signs), plain)
    # Ordinal signs would become letters in NFKC and make a code of a number: 2ª is no 2a.
    table |= {0xAA: None, 0xBA: None}
    table |= {
        0x066B: ".",
        0x066C: ",",
        0x060C: ",",
        0x061B: ";",
        0x066A: "%",
        0x3002: ".",
        0x0964: ".",
        0x06D4: ".",
        0x3001: ",",
        0x301C: "-",
        0xFF5E: "-",
    }
    table |= {0x2044: "/"} | dict.fromkeys(range(0xFDFA, 0xFDFE), " ")
    for code in range(0x0660, 0x1_1000):
        sign = chr(code)
        if code > 0xFF and sign.isdecimal():
            table[code] = str(unicodedata.decimal(sign))
    return table


TABLE = _table()


def fold(text: str) -> str:
    """Return the text in its canonical form; lines stay lines."""
    if "&" in text:
        text = ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if "\\" in text:
        text = ESCAPED.sub(itemgetter(1), text)
    if text.isascii():
        folded = text.replace("\t", " ")
    else:
        folded = COMMA_IN_FIGURES.sub(", ", STOP_IN_FIGURES.sub(". ", text)).translate(TABLE)
        if not unicodedata.is_normalized("NFKC", folded):
            longer = unicodedata.normalize("NFKC", folded)
            if len(longer) <= 2 * len(folded):  # one sign may stand for a sentence of eighteen letters
                folded = longer.translate(TABLE)
    return BLANK_RUN.sub(" ", folded)
