"""Dates by value: 30/11/2026 is 30 November 2026. A date in figures keeps the order of its parts, or it is another one.

Refuses to know times and calendars beyond the names of their months.
"""
# ruff: noqa: RUF001, E501  # names of months in many languages

from __future__ import annotations

import re
import unicodedata

from generation.fidelity.fact import Key

FIGURES = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})")
NAMES = (
    ("january jan januar jänner enero janvier janv gennaio janeiro ocak января январь يناير ינואר जनवरी"),
    ("february feb februar febrero février févr febbraio fevereiro şubat февраля февраль فبراير פברואר फरवरी फ़रवरी"),
    ("march mar märz mrz marzo mars março mart марта март مارس מרץ मार्च"),
    ("april apr abril avril aprile nisan апреля апрель أبريل ابريل אפריל अप्रैल"),
    ("may mai mayo maggio maio mayıs мая май مايو מאי मई"),
    ("june jun juni junio juin giugno junho haziran июня июнь يونيو יוני जून"),
    ("july jul juli julio juillet juil luglio julho temmuz июля июль يوليو יולי जुलाई"),
    ("august aug agosto août ağustos августа август أغسطس אוגוסט अगस्त"),
    ("september sep sept septiembre septembre settembre setembro eylül сентября сентябрь سبتمبر ספטמבר सितंबर सितम्बर"),
    ("october oct oktober okt octubre octobre ottobre outubro ekim октября октябрь أكتوبر אוקטובר अक्टूबर"),
    ("november nov noviembre novembre novembro kasım ноября ноябрь نوفمبر נובמבר नवंबर नवम्बर"),
    (
        "december dec dezember dez diciembre décembre déc dicembre dezembro aralık декабря декабрь ديسمبر דצמבר दिसंबर दिसम्बर"
    ),
)
MONTHS = {
    unicodedata.normalize("NFKC", name): str(number) for number, names in enumerate(NAMES, 1) for name in names.split()
}
PERSIAN = ["فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"]
MONTHS |= {name: f"j{number}" for number, name in enumerate(PERSIAN, 1)}
MONTHS |= {"ב" + name: number for name, number in list(MONTHS.items()) if "\u05d0" <= name[0] <= "\u05ea"}
PERSIAN_CENTURIES = ("13", "14")
AFTER = re.compile(
    r"(?:\.|st|nd|rd|th|er|\.º)? ?(?:de |of |d')?([^\W\d_]{2,12}(?![\u0900-\u0963])|[\u0900-\u0963]{2,10})\.?(?:,? ?(?:de |del )?(\d{4})\b)?",
    re.IGNORECASE,
)
BEFORE = re.compile(r"([^\W\d_]{3,12})\.? $")
YEAR_AFTER = re.compile(r"(?:st|nd|rd|th)?,? (\d{4})\b")
CJK = re.compile(r"(\d{4})[年년] ?(\d{1,2})[月월] ?(\d{1,2})[日일]")

MONTH_BEFORE = re.compile(r"(\d{1,2})[月월] ?$")
DAY_AFTER = ("日", "号", "號", "일")


def after_its_month(day: str, before: str, after: str) -> tuple[tuple[tuple[Key, ...], ...], tuple[Key, ...]] | None:
    """Return the ways to keep the day of 7月15日, which may become 7/15, and what it offers; None: it is no such day."""
    month = MONTH_BEFORE.search(before) if after.startswith(DAY_AFTER) else None
    if month is None or not _is_day(day.lstrip("0"), month[1].lstrip("0")):
        return None
    key, number = ("day", f"{month[1].lstrip('0')}-{day.lstrip('0')}"), ("number", day.lstrip("0"))
    return ((key,), (("number", month[1].lstrip("0")), number)), (key, number)


def in_figures(text: str) -> tuple[tuple[Key, ...], tuple[Key, ...]] | None:
    """Return the keys of which one must be found, and those that the date offers; None: it is no date."""
    parts = FIGURES.fullmatch(text)
    if parts is None:
        return None
    first, second, third = (part.lstrip("0") or "0" for part in (parts[1], parts[3], parts[4]))
    if len(parts[1]) == 4:
        if not _is_day(third, second) or len(parts[4]) > 2:
            return None
        key = ("date", f"{first}-{second}-{third}")
        keys = (key, ("date", f"{first}-j{second}-{third}")) if first[:2] in PERSIAN_CENTURIES else (key,)
        return (*keys, ("figures", f"{third}/{second}/{first}")), keys
    if len(parts[1]) > 2 or len(parts[4]) not in (2, 4):
        return None
    year = third if len(parts[4]) == 4 else f"20{parts[4]}"
    readings = [
        ("date", f"{year}-{month}-{day}") for day, month in ((first, second), (second, first)) if _is_day(day, month)
    ]
    if not readings:
        return None
    key = ("figures", f"{first}/{second}/{year}")
    offered = [key, *(("date read", reading) for _, reading in readings)]
    return (key, *readings), tuple(offered)


def named(day: str, month: str, year: str) -> tuple[tuple[Key, ...], tuple[Key, ...]] | None:
    """Return the same for a day and a month's name; ``year`` may be empty."""
    number = MONTHS.get(month.casefold().rstrip("."))
    if number is None or not _is_day(day.lstrip("0"), number.removeprefix("j")):
        return None
    day = day.lstrip("0")
    short = ("day", f"{number}-{day}")
    if not year:
        return (short,), (short, ("number", number))
    whole = ("date", f"{year}-{number}-{day}")
    return (whole, ("date read", whole[1])), (whole, short, ("number", number))


def with_year_of(day: Key, later: Key) -> Key | None:
    """Return the first day of "1 June to 15 September 2027" with its year; None where the second tells none."""
    if day[0] != "day" or later[0] != "date":
        return None
    year, *end = later[1].replace("j", "").split("-")
    begin = day[1].replace("j", "").split("-")
    if [int(part) for part in begin] > [int(part) for part in end]:
        year = str(int(year) - 1)
    return "date", f"{year}-{day[1]}"


def _is_day(day: str, month: str) -> bool:
    return day.isdigit() and month.isdigit() and 1 <= int(day) <= 31 and 1 <= int(month) <= 12
