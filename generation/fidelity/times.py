"""Times of day by value: 5pm is 17:00, 8h30 is 8:30, 下午2点 is 14:00. Refuses to know dates."""
# words of many languages

from __future__ import annotations

import re

CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")
DOTTED = re.compile(r"(\d{1,2})\.(\d{2})")
HALF_DAY = re.compile(r" ?(?:([ap])\.? ?m\b\.?)", re.IGNORECASE)
HALF_DAY_NEAR = re.compile(r".{0,10}?\b\d{0,2} ?([ap])\.?m\b", re.IGNORECASE)
HOUR_WORD = re.compile(
    r" ?(?:बजे|(?:h(?![a-z])|uhr\b|[时時点點시])(?: ?(\d{2})(?!\d)(?: ?[分분])?|(半))?)", re.IGNORECASE
)
HOUR_WORD_BEFORE = re.compile(r"(?:(?<!\w)(?:ساعت|الساعة|saat|a las|às|בשעה)) $", re.IGNORECASE)
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
    if 0 < of_day < 780 and of_day != 720 and (AFTERNOON.search(before) or AFTERNOON.search(after)):
        other = of_day - 720 if of_day >= 720 else of_day + 720
        return (of_day, other)
    return (of_day,)
