"""Days that share their year or month with the day behind them: "1 June to 15 September 2027".

Refuses to know how a date is written.
"""

from __future__ import annotations

import re
from itertools import pairwise

from generation.fidelity import amounts, dates, ranges
from generation.fidelity.fact import Facts
from generation.fidelity.lists import lists_on

ORDINAL = re.compile(r"^(?:er|st|nd|rd|th)\b")
DAY = re.compile(r"\d{1,2}")
MOST_DAYS = 31  # of a month
YEAR_REACH = 12  # characters between the two days of a range


def share_years(text: str, facts: Facts) -> None:
    """Let a day without a year be kept with the year of the date behind it: "1 June to 15 September 2027"."""
    places = [place for place, fact in enumerate(facts.found) if fact.kind == "date"]
    for place, following in pairwise(places):
        fact, later = facts.found[place], facts.found[following]
        between = text[fact.start + len(fact.text) : later.start]
        if len(between) > YEAR_REACH or "\n" in between or ";" in between or "," in between:
            continue
        if (whole := dates.with_year_of(fact.ways[0][0], later.ways[0][0])) is not None:
            facts.found[place] = fact._replace(ways=(*fact.ways, *amounts.each((whole, ("date read", whole[1])))))
            facts.keys[whole] += 1


def share_months(text: str, facts: Facts) -> None:
    """Let the first day of "2 to 23 August 2027" and of "19 or 12 August" count as a date too."""
    for first, later in pairwise(facts.found):
        if (
            first.ways[0][0][0] in ("day", "date") and later.kind == "number" and DAY.fullmatch(later.text)
        ):  # May 19 or 12
            begin, day = first.start + len(first.text), int(later.text)
            if 0 < day <= MOST_DAYS and 0 <= later.start - begin <= YEAR_REACH and lists_on(text[begin : later.start]):
                *year, month, _ = first.ways[0][0][1].split("-")
                facts.keys["day", f"{month}-{day}"] += 1
            continue
        sort, value = later.ways[0][0]
        if sort not in ("day", "date") or first.kind != "number" or not DAY.fullmatch(first.text):
            continue
        begin, day = first.start + len(first.text), int(first.text)
        *year, month, last = value.split("-")
        if not (0 <= later.start - begin <= YEAR_REACH and 0 < day <= MOST_DAYS):
            continue
        between = ORDINAL.sub("", text[begin : later.start])
        if (day < int(last) and ranges.joins(between)) or lists_on(between):
            facts.keys["day", f"{month}-{day}"] += 1
            if year:
                facts.keys["date", f"{year[0]}-{month}-{day}"] += 1
