"""What a run of figures says: which facts stand in it, by the words on both sides.

Refuses to know the text: a run is read alike wherever it stands between the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from generation.fidelity import amounts, dates, hours, numbers, phones
from generation.fidelity.fact import Key

DIGIT = re.compile(r"\d")
LIST_NUMBER = re.compile(r"\n[ #*>-]{0,12}$")
NO_DIGITS = re.compile(r"\D")
SPACED = re.compile(r"\d{1,3}(?: \d{3}){1,5}(?:[.,]\d{1,2})?")
UNIT = re.compile(r" ?(?:km|m|kg|g|%|m²)(?!\w)")
GROUPS_ONLY = re.compile(r"[\d -]+")
SIGNS = " -/("
TWO_NUMBERS = re.compile(r" ?/ ?| - ")  # between two telephone numbers
GROUP = re.compile(r"\d+(?:[.,:']\d+)*")


class Reading(NamedTuple):
    """One fact in a run: where in the run, its kind, what of it must be found, and what else it offers."""

    start: int
    end: int
    kind: str
    ways: tuple[tuple[Key, ...], ...]
    offered: tuple[Key, ...] = ()


def readings(run: str, left: str, right: str) -> list[Reading]:
    """Return what stands in a run; what is before and behind a date in figures is read by itself."""
    if 2 < len(run) < phones.SHORTEST and run.isdigit():
        return [_plain_number(run, left, right)]
    at = run.find(" (", phones.SHORTEST)
    if at > 0 and len(NO_DIGITS.sub("", run[:at])) >= phones.SHORTEST:  # 0800 5550144 (24/7)
        return readings(run[:at], left, "") + _shifted(readings(run[at + 1 :], "", right), at + 1)
    for sign in TWO_NUMBERS.finditer(run, phones.SHORTEST) if len(run) > 2 * phones.SHORTEST else ():
        sides = run[: sign.start()], run[sign.end() :]
        if all(len(NO_DIGITS.sub("", side)) >= phones.SHORTEST for side in sides):
            return readings(sides[0], left, "") + _shifted(readings(sides[1], "", right), sign.end())
    found = _date_in(run)
    if found is None:
        return _readings_without_date(run, left, right)
    begin, end, (wanted, offered) = found
    found_there = _readings_without_date(run[:begin].rstrip(SIGNS), left, "") if DIGIT.search(run[:begin]) else []
    parts: list[Key] = [("number", part.lstrip("0")) for part in re.split(r"\D", run[begin:end])]
    found_there.append(Reading(begin, end, "date", amounts.each(wanted), (*offered, *parts)))
    if rest := DIGIT.search(run, end):
        at = rest.start()
        found_there += _shifted(readings(run[at:], "", right), at)
    return found_there


def _shifted(found: list[Reading], by: int) -> list[Reading]:
    return [Reading(by + start, by + stop, kind, ways, keys) for start, stop, kind, ways, keys in found]


def _plain_number(text: str, left: str, right: str) -> Reading:
    """Read three to six digits with nothing among them."""
    if text[0] == "0":
        return Reading(0, len(text), "number", *_other_digits(text, text, numbers.values(text)))
    value = amounts.with_multiplier((text,), right)
    currency = amounts.currency(left, right)
    return Reading(0, len(text), "amount" if currency else "number", *amounts.amount(value, currency, text))


def _other_digits(
    text: str, digits: str, value: tuple[str, ...]
) -> tuple[tuple[tuple[Key, ...], ...], tuple[Key, ...]]:
    """Return what is wanted and offered where the figures are no number by themselves: 007, 12-345."""
    own: tuple[Key, ...] = (("digits", text),)
    return (own,), (*own, ("digits", digits), *(("number", each) for each in value))


def _date_in(run: str) -> tuple[int, int, tuple[tuple[Key, ...], tuple[Key, ...]]] | None:
    if len(run) < 6:
        return None
    for found in dates.FIGURES.finditer(run):
        begin, end = found.span()
        if (begin and run[begin - 1] not in " (") or (end < len(run) and run[end] not in " -/)("):
            continue
        if (date := dates.in_figures(found[0])) is not None:
            return begin, end, date
    return None


def _readings_without_date(run: str, left: str, right: str) -> list[Reading]:
    digits = NO_DIGITS.sub("", run)
    if len(digits) <= 2 and right[:2] in (". ", ") ") and LIST_NUMBER.search(left):
        if _named_date(run, left, right):
            return _in_parts(run, left, right)
        return []  # the number of a list's item says nothing
    if len(run) > 4:
        if " " in run and (amount := _spaced_amount(run, left, right)) is not None:
            return [amount]
        if len(digits) >= phones.SHORTEST and (phone := _phone(run, digits, right)):
            return [phone]
    return _in_parts(run, left, right)


def _spaced_amount(run: str, left: str, right: str) -> Reading | None:
    """Read "1 250" and "2 400,50" as one number when a currency or a unit stands beside it."""
    if not SPACED.fullmatch(run):
        return None
    currency = amounts.currency(left, right)
    if currency is None and not UNIT.match(right):
        return None
    value = numbers.values(run)
    if not value:
        return None
    return Reading(0, len(run), "amount", *amounts.amount(value, currency, NO_DIGITS.sub("", run)))


def _phone(run: str, digits: str, right: str) -> Reading | None:
    if ":" in run or numbers.CURRENCY_AFTER.match(right):
        return None
    if len(digits) > phones.LONGEST and GROUPS_ONLY.fullmatch(run):
        return Reading(0, len(run), "account", ((("account", digits),),), (("account", digits), *_parts_keys(run)))
    if not phones.looks_like_one(run, digits) or (" " not in run and numbers.GROUPED.fullmatch(run)):
        return None
    wanted, offered = phones.keys(run, digits)
    ways = amounts.each(wanted)
    groups = run.split(" ")
    if len(groups) > 1 and run[0] not in "+(":
        ways += (tuple(("digits", NO_DIGITS.sub("", group)) for group in groups if DIGIT.search(group)),)
        values: tuple[Key, ...] = tuple(("number", value) for value in numbers.values(run))
        ways, offered = (*ways, *amounts.each(values)), (*offered, *values)
    # The groups of a number with a country's code are not offered: with another code it is another number.
    parts = () if phones.is_international(run) else _parts_keys(run)
    return Reading(0, len(run), "telephone", ways, (*offered, *parts))


def _parts_keys(run: str) -> tuple[Key, ...]:
    """Return what a run of several numbers offers to a text that wrote them apart."""
    keys: list[Key] = []
    for group in run.split(" "):
        digits = NO_DIGITS.sub("", group)
        keys.append(("digits", digits))
        if len(digits) > 2 and digits[0] != "0":
            keys += [("number", value) for value in numbers.values(group)]
    return tuple(keys)


def _in_parts(run: str, left: str, right: str) -> list[Reading]:
    if run.isdigit():
        return [_one(run, 0, left, right, run, (left, right))]
    parts = list(_groups(run))
    last = len(parts) - 1
    return [
        _one(
            text,
            begin,
            left if number == 0 else "",
            right if number == last else run[end : end + 2],
            run,
            (left, right),
        )
        for number, (text, begin, end) in enumerate(parts)
    ]


def _groups(run: str) -> Iterator[tuple[str, int, int]]:
    """Return the numbers of a run with where they stand; commas that are in no number part them: 36,38,40."""
    for group in GROUP.finditer(run):
        text, at = group[0], group.start()
        if "," not in text or numbers.values(text):
            yield text, at, group.end()
            continue
        for part in text.split(","):
            yield part, at, at + len(part)
            at += len(part) + 1


def _one(text: str, start: int, before: str, after: str, run: str, around: tuple[str, str]) -> Reading:
    """Read one number of a run; ``around`` is what stands on both sides of the run."""
    end = start + len(text)
    if (len(text) <= 2 or ":" in text or "." in text) and (keys := hours.named(text, before, after, around)):
        return Reading(start, end, "time", amounts.each(keys), keys)
    if len(text) <= 2 and (of_month := dates.after_its_month(text, before, after)):
        return Reading(start, end, "date", *of_month)
    if len(text) <= 2 and (date := _named_date(text, before, after)):
        (days, offered_days), back, ahead = date
        return Reading(
            start - back, end + ahead, "date", amounts.each(days), (*offered_days, ("number", text.lstrip("0")))
        )
    digits, value = NO_DIGITS.sub("", text), numbers.values(text)
    if not value or (len(text) > 1 and text[0] == "0" and text.isdigit()):
        return Reading(start, end, "number", *_other_digits(text, digits, value))
    value = amounts.with_multiplier(value, after)
    if before == around[0] or after == around[1]:
        currency = amounts.currency(before, after)
        if currency is not None:
            return Reading(start, end, "amount", *amounts.amount(value, currency, digits))
    wanted, offered = amounts.amount(value, None, digits)
    of_day = hours.possible(text, run, around) if len(text) <= 2 or "." in text else ()
    return Reading(start, end, "number", (*wanted, *amounts.each(of_day)), (*offered, *of_day))


def _named_date(text: str, before: str, after: str) -> tuple[tuple[tuple[Key, ...], tuple[Key, ...]], int, int] | None:
    """Read a day with the name of a month beside it; also say how far the date goes back and ahead of the day."""
    following = dates.AFTER.match(after)
    date = dates.named(text, following[1], following[2] or "") if following else None
    if following and date:
        return date, 0, following.end()
    preceding, year = dates.BEFORE.search(before), dates.YEAR_AFTER.match(after)
    date = dates.named(text, preceding[1], year[1] if year else "") if preceding else None
    if preceding and date:
        return date, len(before) - preceding.start(), year.end() if year else 0
    return None
