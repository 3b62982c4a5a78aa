"""Times of day by value: 5pm is 17:00, 8h30 is 8:30, 下午2点 is 14:00. Refuses to know dates."""
# words of many languages

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from generation.fidelity.fact import Fact

CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")
DOTTED = re.compile(r"(\d{1,2})\.(\d{2})")
HALF_DAY = re.compile(r" ?(?:([ap])\.? ?m\b\.?)", re.IGNORECASE)
HALF_DAY_NEAR = re.compile(r".{0,10}?\b\d{0,2} ?([ap])\.?m\b", re.IGNORECASE)
HOUR_WORD = re.compile(
    r" ?(?:बजे|(?:h(?![a-z])|uhr\b|[时時点點시])(?: ?(\d{2})(?!\d)(?: ?[分분])?|(半))?)", re.IGNORECASE
)
HOUR_WORD_BEFORE = re.compile(r"(?:(?<!\w)(?:ساعت|الساعة|saat|a las|às|בשעה)) $", re.IGNORECASE)
HOUR_SIGNS = ("時", "时", "点", "點", "시")
EARLIER_HOUR = re.compile(r"(?<![\d.,:])(\d{1,2})[^\d\n]{1,7}$")
MORNING = re.compile(
    r"\b(?:morgens|früh|vormittags|de la mañana|du matin|da manhã|del mattino|sabah|утра)\b"
    r"|上午|早上|午前|오전|صباح|صبح|בבוקר|सुबह",
    re.IGNORECASE,
)
AFTERNOON = re.compile(
    r"\b(?:noon|evening|night|nachmittags|abends|nachts|mittags|de la tarde|de la noche|del día|del mediodía"
    r"|de l'après-midi|du soir|da tarde|da noite|del pomeriggio|di sera|akşam|öğleden sonra|gece|вечера|дня|ночи)\b"
    r"|下午|晚上|中午|夜里|午後|오후|저녁|ظهر|مساء|ليل|عصر|شب|بعدازظهر|בערב|בלילה|בצהריים|אחר הצהריים|शाम|रात|दोपहर",
    re.IGNORECASE,
)
PART_OF_DAY = re.compile(rf"{MORNING.pattern}|{AFTERNOON.pattern}", re.IGNORECASE)
HOURS = ("eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")
# "menu du midi" and "am Mittag" are meals and parts of the day: only what is a limit is a time.
IN_WORDS = re.compile(
    r"\b(?:at|by|until|till|before|after|from|to) (?P<noon>noon|midday)\b"
    r"|\b(?:à|avant|jusqu'à|après|dès) (?P<midi>midi)\b(?! (?:et|moins))"
    r"|\b(?:al|hasta el|antes del) (?P<mediodia>mediodía)\b|\b(?:a|entro|fino a|dopo) (?P<mezzogiorno>mezzogiorno)\b"
    rf"|\b(?P<half>halb (?:{'|'.join(HOURS)}))\b",
    re.IGNORECASE,
)
# What those have in common: it is looked for first, and read fifty times as fast.
SAID = re.compile(r"[nNmMhH](?i:(?<=n)oon|(?<=m)idday|(?<=m)idi\b|(?<=m)ediod[íi]|(?<=m)ezzogiorno|(?<=h)alb )")
LONGEST_BEFORE = 12  # characters of "antes del " and its like
MOST_IN_WORDS = 50
LONGEST_PART = 20  # characters of the part of the day beside a time, with a space
HOUR_BEHIND = re.compile(r"^(?::?00)? ?(?:बजे|uhr|h\b|часов|часа|час|[时時点點시])", re.IGNORECASE)
NEARBY = 14  # characters in which a word such as "evening" belongs to a time


def minutes(hour: str, minute: str) -> int | None:
    """Return the minutes since midnight; 24:00 is one of them."""
    of_day = int(hour) * 60 + int(minute or 0)
    return of_day if int(minute or 0) < 60 and of_day <= 1440 else None


def half_day(of_day: int, letter: str) -> int:
    """Return the time of a twelve-hour clock with its am or pm."""
    hour, minute = divmod(of_day, 60)
    if hour > 12:
        return of_day
    return (hour % 12 + (12 if letter in "pP" else 0)) * 60 + minute


def after_noon_in_range(hour: str, before: str) -> bool:
    """Say whether the second hour of a range is one after noon, for it is not above the first: "10-4"."""
    first = EARLIER_HOUR.search(before)
    return first is not None and 0 < int(hour) <= int(first[1]) <= 12


def possible(of_day: int, before: str, after: str) -> tuple[int, ...]:
    """Return what the time may be, as the words around it leave open whether it is before noon."""
    if (
        0 < of_day < 780
        and of_day != 720
        and (AFTERNOON.search(before) or AFTERNOON.search(after))
        and not _is_beside(MORNING, before, after)
    ):
        other = of_day - 720 if of_day >= 720 else of_day + 720
        return (of_day, other)
    return (of_day,)


def half_told(fact: Fact, text: str) -> str:
    """Return "am" or "pm" where a word directly beside a time says which half of the day it is in; else ''."""
    if not any(way[0][0] == "time" and not int(way[0][1]) % 720 < 60 for way in fact.ways):
        return ""  # a time that is none, and twelve o'clock, at which the halves meet
    begin, end = fact.start, fact.start + len(fact.text)
    before = text[max(0, begin - LONGEST_PART) : begin].rstrip()
    for half, words in (("am", MORNING), ("pm", AFTERNOON)):
        if _ends_with(words, before):
            return half
    after = HOUR_BEHIND.sub("", text[end : end + LONGEST_PART], count=1).lstrip()
    return "am" if MORNING.match(after) else "pm" if AFTERNOON.match(after) else ""


def _is_beside(words: re.Pattern[str], before: str, after: str) -> bool:
    """Say whether one of the words stands directly before or behind a time."""
    return _ends_with(words, before.rstrip()) or words.match(HOUR_BEHIND.sub("", after, count=1).lstrip()) is not None


def _ends_with(words: re.Pattern[str], before: str) -> bool:
    return any(found.end() == len(before) for found in words.finditer(before))


class InWords(NamedTuple):
    """A time without figures: ``of_day`` is what it may be, in minutes since midnight."""

    text: str
    start: int
    of_day: tuple[int, ...]


def in_words(text: str) -> Iterator[InWords]:
    """Find "until noon" and "halb elf" (10:30, or 22:30)."""
    for said in islice(SAID.finditer(text), MOST_IN_WORDS):
        found = IN_WORDS.search(text, max(0, said.start() - LONGEST_BEFORE), said.end() + LONGEST_BEFORE)
        if found is None or found.start(found.lastgroup or "") != said.start():
            continue
        name = found.lastgroup or ""
        word = found[name]
        if name == "half":
            morning = HOURS.index(word[5:].lower()) * 60 + 30
            yield InWords(word, found.start(name), (morning, morning + 720))
        else:
            yield InWords(word, found.start(name), (720,))
