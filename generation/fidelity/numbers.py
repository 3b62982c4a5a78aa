"""The value of a number in any notation: 1.234,56 is 1,234.56 and 18.500 may be either.

Refuses to know what is counted, apart from currencies.
"""
# ruff: noqa: RUF001  # words of many languages

from __future__ import annotations

import re

GROUPED = re.compile(r"\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3}){0,6}|\d{1,2}(?:,\d{2}){1,5},\d{3}")
DECIMAL = re.compile(r"(\d{1,3}(?:[., ']\d{2,3}){0,6}|\d{1,18})[.,](\d{1,8})")
MULTIPLIERS = {
    **dict.fromkeys(
        ("هزار", "thousand", "thsd", "тыс", "тысяч", "тысячи", "tsd", "tausend", "mil", "mila", "mille"), 3
    ),
    **dict.fromkeys(("bin", "千", "천", "हज़ार", "हजार", "אלף", "ألف", "الف", "آلاف", "k", "K"), 3),
    **dict.fromkeys(("万", "萬", "만"), 4),
    **dict.fromkeys(("लाख", "lakh"), 5),
    **dict.fromkeys(
        ("میلیون", "million", "millionen", "millones", "millions", "milhões", "milyon", "млн", "مليون", "מיליון"), 6
    ),
    **dict.fromkeys(("करोड़", "crore"), 7),
    **dict.fromkeys(("亿", "億", "억"), 8),
}
MULTIPLIER = re.compile(
    " ?("
    + "|".join(sorted((re.escape(word) for word in MULTIPLIERS if word not in "kK"), key=len, reverse=True))
    + r")(?![a-zа-яء-ی])|([kK])(?![\w])"
)
# 1万2千 and 2亿3千万: parts of one number, each of a smaller size than the one before.
_SIZES = "".join(word for word, zeros in MULTIPLIERS.items() if len(word) == 1 and word >= "\u3040")
MIXED = re.compile(
    rf"(\d[\d,.]{{0,8}})(?<!\d\d{{9}})([百백]?[{_SIZES}]{{1,2}})(?: ?(\d[\d,]{{0,8}})([百백]?[{_SIZES}]{{0,2}}))"
    rf"(?: ?(\d[\d,]{{0,8}})([百백]?[{_SIZES}]{{0,2}}))?"
)
MIXED_SIGN = re.compile(f"[{_SIZES}] ?\\d")
# Signs and words by currency; those that people write with one sign alone ($, ¥, kr) are one class.
CURRENCIES: dict[str, tuple[str, ...]] = {
    "eur": ("€", "eur", "euro", "euros", "евро", "يورو", "یورو", "אירו", "欧元", "ユーロ"),
    "dollar": (
        "us$",
        "ca$",
        "a$",
        "mx$",
        "r$",
        "$",
        "usd",
        "cad",
        "aud",
        "mxn",
        "brl",
        "dollar",
        "dollars",
        "доллар",
        "dólares",
        "dolar",
        "pesos",
        "reais",
        "دولار",
        "دلار",
        "דולר",
        "美元",
        "ドル",
        "달러",
        "डॉलर",
    ),
    "cent": ("ct", "cent", "cents", "centimes", "céntimos", "centavos", "cêntimos", "centesimi", "kuruş", "копеек"),
    "gbp": ("£", "gbp", "pounds"),
    "yen": ("¥", "円", "元", "块", "cny", "rmb", "jpy", "yen", "yuan", "人民币", "圆"),
    "kr": ("kr", "isk", "sek", "nok", "dkk"),
    "rub": ("₽", "руб", "рублей", "рубля", "рубль", "rub"),
    "try": ("₺", "tl", "try", "lira"),
    "inr": ("₹", "rs", "inr", "रुपये", "रुपए", "रू", "रु"),
    "ils": ("₪", "nis", "ils", "שח", 'ש"ח', "שקל", "שקלים"),
    "sar": ("ر.س", "﷼", "sar", "ريال", "ريالا", "ريالًا"),
    "aed": ("درهم", "درهما", "درهمًا", "د.إ", "aed"),
    "toman": ("تومان", "تومن"),
    "rial": ("ریال",),
    "krw": ("₩", "원", "krw"),
    "chf": ("chf", "fr."),
    "pln": ("zł", "pln"),
    "uah": ("₴", "грн", "uah"),
}
CURRENCY_OF = {sign: currency for currency, signs in CURRENCIES.items() for sign in signs}
_SIGNS = "|".join(sorted(map(re.escape, CURRENCY_OF), key=len, reverse=True))
CURRENCY_AFTER = re.compile(rf" ?({_SIGNS})(?![a-zà-ÿа-яء-ی])", re.IGNORECASE)
# Cheap to look up, before a pattern of a hundred words is tried: what the words and signs begin with.
MULTIPLIER_STARTS = frozenset(word[:2] for word in MULTIPLIERS)
CURRENCY_STARTS = frozenset(sign[:2] for sign in CURRENCY_OF) | frozenset(word[:2].lower() for word in MULTIPLIERS)


def may_begin(starts: frozenset[str], text: str) -> bool:
    """Say whether a word that begins so may stand at the beginning of a text, behind a space or not."""
    at = text[:1] == " "
    return text[at : at + 2] in starts or text[at : at + 1] in starts


def values(text: str) -> tuple[str, ...]:
    """Return the values that the digits and separators may stand for; none when they are no number."""
    if text.isdigit():
        return (_plain(text, ""),) if len(text) <= 18 else ()
    found = []
    if GROUPED.fullmatch(text) and text[0] != "0":
        found.append(_plain(re.sub(r"\D", "", text), ""))
    if decimal := DECIMAL.fullmatch(text):
        whole, rest = decimal[1], decimal[2]
        separator = text[-len(rest) - 1]
        if whole.isdigit() or (GROUPED.fullmatch(whole) and separator not in whole):
            found.append(_plain(re.sub(r"\D", "", whole), rest))
    return tuple(dict.fromkeys(found))


def multiplied(value: str, zeros: int) -> str:
    """Return the value times ten to the power of ``zeros``."""
    whole, _, rest = value.partition(".")
    return _plain(whole + rest[:zeros].ljust(zeros, "0"), rest[zeros:])


def _plain(whole: str, rest: str) -> str:
    rest = rest.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{rest}" if rest else whole


def mixed(found: re.Match[str]) -> tuple[str, ...]:
    """Return the value of a match of ``MIXED``; none where it is not one number."""
    total, smallest = 0, 19
    for digits, signs in zip(found.groups()[::2], found.groups()[1::2], strict=True):
        if digits is None:
            break
        zeros = sum(2 if sign in "百백" else MULTIPLIERS[sign] for sign in signs)
        value = [multiplied(each, zeros) for each in values(digits.rstrip(",."))]
        value = [each for each in value if "." not in each]
        if zeros >= smallest or len(value) != 1 or len(value[0]) > smallest:
            return ()
        total, smallest = total + int(value[0]), zeros
    return (str(total),)
