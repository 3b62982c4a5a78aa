"""Small numbers as words, in the languages that prompts come in: "in 2 days" may become "in two days"."""
# ruff: noqa: RUF001, E501  # words of many languages

from __future__ import annotations

import re

from generation.fidelity.fact import Fact

WORDS = {
    "1": "one eins uno bir один одна одно یک واحد واحدة אחד אחת एक 一 한",
    "2": "two twice both zwei zweimal beide dos deux due dois duas iki два две двух دو اثنين اثنان يومين שני שתי שניים יומיים दो 二 两 兩 두",
    "3": "three drei tres trois tre três üç три трех трёх سه ثلاثة ثلاث שלושה שלוש तीन 三 세",
    "4": "four vier cuatro quatre quattro quatro dört четыре چهار أربعة أربع ארבעה ארבע चार 四 네",
    "5": "five fünf cinco cinq cinque beş пять پنج خمسة خمس חמישה חמש पाँच पांच 五 다섯",
    "6": "six sechs seis six sei altı шесть شش ستة ست שישה שש छह छः 六 여섯",
    "7": "seven sieben siete sept sette sete yedi семь هفت سبعة سبع שבעה שבע सात 七 일곱",
    "8": "eight acht ocho huit otto oito sekiz восемь هشت ثمانية ثماني שמונה आठ 八 여덟",
    "9": "nine neun nueve neuf nove dokuz девять نه تسعة تسع תשעה תשע नौ 九 아홉",
    "10": "ten zehn diez dix dieci dez on десять ده عشرة عشر עשרה עשר दस 十 열",
    "12": "twelve zwölf doce douze dodici doze noon mittags mediodía midi meio-dia on-iki двенадцать دوازده اثني שתים-עשרה बारह 十二",
}


def _pattern(words: list[str]) -> re.Pattern[str]:
    spaced = "|".join(re.escape(word) for word in words if word < "\u2e80")
    unspaced = "|".join(word for word in words if word >= "\u2e80")
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)" + (f"|{unspaced}" if unspaced else ""), re.IGNORECASE)


PATTERNS = {number: _pattern(words.split()) for number, words in WORDS.items()}


def has_number_word(fact: Fact, text: str) -> bool:
    """Say whether a small plain number that is not there in figures is there as a word."""
    pattern = PATTERNS.get(fact.ways[0][0][1])
    return pattern is not None and pattern.search(text) is not None
