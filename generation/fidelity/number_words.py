"""Small numbers as words, in the languages that prompts come in: "in 2 days" may become "in two days"."""
# ruff: noqa: RUF001, E501  # words of many languages

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property

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


WORD = re.compile(r"[\w\u0900-\u0963-]+")  # the vowel signs of Devanagari are no letters to Python
SPACED: dict[str, str] = {}  # the word → its number
UNSPACED: list[tuple[str, str]] = []  # the sign → its number, in scripts without spaces
for _number, _words in WORDS.items():
    for _word in _words.split():
        if _word < "\u2e80":
            SPACED[_word] = _number
        else:
            UNSPACED.append((_word, _number))


class NumberWords:
    """The small numbers that a text says in words, and more often than the draft; it is read once, when first asked."""

    def __init__(self, text: str, draft: str) -> None:
        self._text, self._draft = text, draft

    def have(self, fact: Fact) -> bool:
        """Say whether a small plain number that is not there in figures is there as a word."""
        numbers = {fact.ways[0][0][1], *(value for way in fact.ways for sort, value in way if sort == "number")}
        return any(
            number in WORDS and (said := self._said[number]) > 0 and said > self._drafted[number] for number in numbers
        )

    @cached_property
    def _said(self) -> Counter[str]:
        return _numbers(self._text)

    @cached_property
    def _drafted(self) -> Counter[str]:
        return _numbers(self._draft)


def _numbers(text: str) -> Counter[str]:
    lowered = text.lower()
    said: Counter[str] = Counter()
    for word, count in Counter(WORD.findall(lowered)).items():
        for part in {word, *word.split("-")}:
            if part in SPACED:
                said[SPACED[part]] += count
    for sign, number in UNSPACED:
        said[number] += lowered.count(sign)
    return said
