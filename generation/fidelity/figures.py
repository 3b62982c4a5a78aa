"""Facts made of figures: amounts, times, dates, telephone numbers, codes, plain numbers.

Refuses to know literals (links, accounts, …): they are blanked out before. A run of figures is read once, whatever
text it comes in again with the same words beside it.
"""
# ruff: noqa: RUF001  # patterns are easier to read whole

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice, pairwise
from typing import NamedTuple

from generation.fidelity import dates, numbers, phones, ranges, times
from generation.fidelity.fact import Fact, Facts, Key

# A pattern that starts with a set of signs is searched for several times as fast as one that starts with a look behind
# or with something optional: so the look behind comes after the first sign.
# Figures and what may stand between them in one number, date, time or range; 20 groups at most.
RUN = re.compile(
    r"[+(\d](?:(?<=[+(])[+(]?\d)?(?<=\d)\d{0,39}(?:(?:\) ?[-/]? ?\(?|[.,:/'](?=\d)| ?[-/] ?\(?| \(?|\()\d{1,40}){0,19}"
)
# A token with letters and figures; "$" and its like may stand inside of a password.
CODE = re.compile(
    r"(?:(?<![A-Za-z0-9\u00c0-\u04ff_\-./#@:+*&=~$^!?%])|(?<=[\u05d0-\u05ea]-))"
    r"(?:[A-Za-z\u00c0-\u04ff][A-Za-z\u00c0-\u04ff_\-./#@:+*&=~$^!?%]{0,60}\d|\d[0-9_\-./#@:+*&=~$^!?%]{0,60}[A-Za-z\u00c0-\u04ff])"
    r"[A-Za-z0-9\u00c0-\u04ff_\-./#@:+*&=~$^!?%]{0,120}"
)
HOUR_AND_MINUTE = re.compile(
    r"(\d(?<![\d.,:].)\d?) ?(?:[hH]|[uU][hH][rR]|[时時点點시]) ?([0-5]\d)(?![\d:])(?: ?[分분])?"
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
LIST_NUMBER = re.compile(r"\n[ #*>-]{0,12}$")
NO_DIGITS = re.compile(r"\D")
SPACED = re.compile(r"\d{1,3}(?: \d{3}){1,5}(?:[.,]\d{1,2})?")
UNIT = re.compile(r" ?(?:km|m|kg|g|%|m²)(?!\w)")
GROUPS_ONLY = re.compile(r"[\d -]+")
SIGNS = " -/("
BELONGS_TO_NUMBER = re.compile(r"\d\Z")
BULLETS = "\n #*>-"
RANGE_WORD = re.compile(
    r" ?(?:[点點时時分시h] ?)?(?:a|à|às|as|to|bis|до|até|al|تا|إلى|حتى|עד|से|तक|到|至|から|부터|until|till"
    r"|'[dt][ae]n)(?:[ \d]|$)"
)
RANGE_WORD_BEFORE = re.compile(r"(?:(?<![^\W\d])(?:a|à|às|as|to|bis|до|até|al|تا|إلى|حتى|עד|से|until|till) |[到至]) ?$")
GROUP = re.compile(r"\d+(?:[.,:']\d+)*")
RANGE_SIGN = re.compile(r"(?<=\d) ?- ?(?=\d)")
MOST_CODES = 300  # of each rare sort
DAY = re.compile(r"\d{1,2}")
YEAR_REACH = 12  # characters between the two days of a range
LEFT, RIGHT = 14, 26  # characters beside a run that say what it is


class Reading(NamedTuple):
    """One fact in a run: where in the run, its kind, what of it must be found, and what else it offers."""

    start: int
    end: int
    kind: str
    ways: tuple[tuple[Key, ...], ...]
    offered: tuple[Key, ...] = ()


Memo = dict[tuple[str, str, str], list[Reading]]  # by what stands before a run, the run, and what stands behind it


def read(text: str, facts: Facts, memo: Memo) -> None:
    """Add the text's figures and codes; ``memo`` is shared by the texts of one comparison."""
    rest = HOUR_AND_MINUTE.sub(_as_clock, _read_mixed(_read_codes(text, facts), facts))
    line_start = 0
    for line in rest.split("\n"):
        if facts.full:
            break
        for run in RUN.finditer(line) if line else ():
            known = (_before(line, run.start()), run[0], _behind(line, run.end()))
            readings = memo.get(known)
            if readings is None:
                readings = memo[known] = _readings(run[0], known[0], known[2])
            at = line_start + run.start()
            for start, stop, kind, ways, offered in readings:
                facts.add_any(Fact(kind, text[at + start : at + stop], at + start, ways), offered)
            if facts.full:
                break
        line_start += len(line) + 1
    for said in times.in_words(text):
        hours: tuple[Key, ...] = tuple(("time", str(of_day)) for of_day in said.of_day)
        word = ("time in words", said.text.lower())
        facts.add_any(Fact("time", said.text, said.start, _each((*hours, word))), (*hours, word))
    _share_years(text, facts)
    _share_months(text, facts)
    if "年" in text or "년" in text:
        for date in dates.CJK.finditer(text):
            facts.keys["date", f"{date[1]}-{date[2].lstrip('0')}-{date[3].lstrip('0')}"] += 1


def _read_mixed(text: str, facts: Facts) -> str:
    """Add numbers such as 1万2千; return the text with them blanked out."""
    if not numbers.MIXED_SIGN.search(text):
        return text

    def taken(found: re.Match[str]) -> str:
        value = numbers.mixed(found)
        if not value or facts.full:
            return found[0]
        begin, end = found.span()
        currency = _currency(text[max(0, begin - LEFT) : begin], text[end : end + RIGHT])
        kind = "amount" if currency else "number"
        ways, offered = _amount(value, currency, value[0])
        facts.add_any(Fact(kind, found[0], begin, ways), offered)
        return "\0" * len(found[0])

    return numbers.MIXED.sub(taken, text)


def _share_years(text: str, facts: Facts) -> None:
    """Let a day without a year be kept with the year of the date behind it: "1 June to 15 September 2027"."""
    places = [place for place, fact in enumerate(facts.found) if fact.kind == "date"]
    for place, following in pairwise(places):
        fact, later = facts.found[place], facts.found[following]
        between = text[fact.start + len(fact.text) : later.start]
        if len(between) > YEAR_REACH or "\n" in between or ";" in between or "," in between:
            continue
        if (whole := dates.with_year_of(fact.ways[0][0], later.ways[0][0])) is not None:
            facts.found[place] = fact._replace(ways=(*fact.ways, *_each((whole, ("date read", whole[1])))))
            facts.keys[whole] += 1


def _share_months(text: str, facts: Facts) -> None:
    """Let the first day of "2 to 23 August 2027" count as a date too."""
    for first, later in pairwise(facts.found):
        sort, value = later.ways[0][0]
        if sort not in ("day", "date") or first.kind != "number" or not DAY.fullmatch(first.text):
            continue
        begin, day = first.start + len(first.text), int(first.text)
        *year, month, last = value.split("-")
        if 0 <= later.start - begin <= YEAR_REACH and 0 < day < int(last) and ranges.joins(text[begin : later.start]):
            facts.keys["day", f"{month}-{day}"] += 1
            if year:
                facts.keys["date", f"{year[0]}-{month}-{day}"] += 1


def _as_clock(found: re.Match[str]) -> str:
    """Write "8h30" as "8:30", in as many characters, so that everything stays in its place."""
    return f"{found[1]}:{found[2]}".ljust(len(found[0]))


def _before(line: str, begin: int) -> str:
    """Return what stands before a run in its own sentence: the same words make the same reading."""
    if begin >= LEFT:
        left = line[begin - LEFT : begin]
    else:
        left = "\n" + line[:begin]
        if left.strip(BULLETS):
            left = left.lstrip(BULLETS)
    return left[left.rindex(". ") + 2 :] if ". " in left else left


def _behind(line: str, end: int) -> str:
    right = line[end : end + RIGHT]
    return right[: right.index(". ", 1)] if ". " in right[1:] else right


def _read_codes(text: str, facts: Facts) -> str:
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
    if CAPITALS_THEN_DIGITS.search(word):
        return False
    return all(PLAIN_PART.fullmatch(part) for part in re.split(r"[-/+:*&~!?=@]|\.(?=[^\W\d])|(?<=[^\W\d])\.", word))


def _readings(run: str, left: str, right: str) -> list[Reading]:
    """Read a run; where a date in figures stands in it, what is before and behind is read by itself."""
    if 2 < len(run) < phones.SHORTEST and run.isdigit():
        return [_plain_number(run, left, right)]
    found = _date_in(run)
    if found is None:
        return _readings_without_date(run, left, right)
    begin, end, (wanted, offered) = found
    readings = _readings_without_date(run[:begin].rstrip(SIGNS), left, "") if DIGIT.search(run[:begin]) else []
    parts: list[Key] = [("number", part.lstrip("0")) for part in re.split(r"\D", run[begin:end])]
    readings.append(Reading(begin, end, "date", _each(wanted), (*offered, *parts)))
    if rest := DIGIT.search(run, end):
        at = rest.start()
        readings += [
            Reading(at + start, at + stop, kind, ways, keys)
            for start, stop, kind, ways, keys in _readings(run[at:], "", right)
        ]
    return readings


def _plain_number(text: str, left: str, right: str) -> Reading:
    """Read three to six digits with nothing among them."""
    if text[0] == "0":
        return Reading(0, len(text), "number", *_other_digits(text, text, numbers.values(text)))
    value = _multiplied((text,), right)
    currency = _currency(left, right)
    return Reading(0, len(text), "amount" if currency else "number", *_amount(value, currency, text))


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
    currency = _currency(left, right)
    if currency is None and not UNIT.match(right):
        return None
    value = numbers.values(run)
    if not value:
        return None
    return Reading(0, len(run), "amount", *_amount(value, currency, NO_DIGITS.sub("", run)))


def _phone(run: str, digits: str, right: str) -> Reading | None:
    if ":" in run or numbers.CURRENCY_AFTER.match(right):
        return None
    if len(digits) > phones.LONGEST and GROUPS_ONLY.fullmatch(run):
        return Reading(0, len(run), "account", ((("account", digits),),), (("account", digits), *_parts_keys(run)))
    if not phones.looks_like_one(run, digits) or (" " not in run and numbers.GROUPED.fullmatch(run)):
        return None
    wanted, offered = phones.keys(run, digits)
    ways = _each(wanted)
    groups = run.split(" ")
    if len(groups) > 1 and run[0] not in "+(":
        ways += (tuple(("digits", NO_DIGITS.sub("", group)) for group in groups if DIGIT.search(group)),)
        values: tuple[Key, ...] = tuple(("number", value) for value in numbers.values(run))
        ways, offered = (*ways, *_each(values)), (*offered, *values)
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
    parts = list(GROUP.finditer(run))
    last = len(parts) - 1
    return [
        _one(
            part[0],
            part.start(),
            left if number == 0 else "",
            right if number == last else run[part.end() : part.end() + 2],
            run,
            (left, right),
        )
        for number, part in enumerate(parts)
    ]


def _in_range(run: str, left: str, right: str) -> bool:
    if RANGE_SIGN.search(run) is not None or right.lstrip()[:1] == "-" or left.rstrip()[-1:] == "-":
        return True
    return RANGE_WORD.match(right) is not None or RANGE_WORD_BEFORE.search(left) is not None


def _one(text: str, start: int, before: str, after: str, run: str, around: tuple[str, str]) -> Reading:
    """Read one number of a run; ``around`` is what stands on both sides of the run."""
    end = start + len(text)
    if (len(text) <= 2 or ":" in text or "." in text) and (keys := _time(text, before, after, around)):
        return Reading(start, end, "time", _each(keys), keys)
    if len(text) <= 2 and (of_month := dates.after_its_month(text, before, after)):
        return Reading(start, end, "date", *of_month)
    if len(text) <= 2 and (date := _named_date(text, before, after)):
        (days, offered_days), back, ahead = date
        return Reading(start - back, end + ahead, "date", _each(days), (*offered_days, ("number", text.lstrip("0"))))
    digits, value = NO_DIGITS.sub("", text), numbers.values(text)
    if not value or (len(text) > 1 and text[0] == "0" and text.isdigit()):
        return Reading(start, end, "number", *_other_digits(text, digits, value))
    value = _multiplied(value, after)
    if before == around[0] or after == around[1]:
        currency = _currency(before, after)
        if currency is not None:
            return Reading(start, end, "amount", *_amount(value, currency, digits))
    wanted, offered = _amount(value, None, digits)
    hours = _hours(text, run, around) if len(text) <= 2 or "." in text else ()
    return Reading(start, end, "number", (*wanted, *_each(hours)), (*offered, *hours))


def _hours(text: str, run: str, around: tuple[str, str]) -> tuple[Key, ...]:
    """Return the times that a number may be which stands in a range ("9-17") or is written with a dot ("9.30")."""
    right = around[1]
    part_of_day = text.isdigit() and times.PART_OF_DAY.match(right.lstrip())  # 5 de la tarde
    named = times.HOUR_WORD_BEFORE.search(around[0]) if text.isdigit() else None  # saat 14
    if not (part_of_day or named or times.DOTTED.fullmatch(text) or _in_range(run, *around)):
        return ()
    hour, _, minute = text.partition(".")
    if len(hour) > 2 or (not minute.isdigit() and minute) or len(minute) not in (0, 2):
        return ()
    of_day = times.minutes(hour, minute)
    if of_day is None:
        return ()
    if of_day <= 720 and (half := times.HALF_DAY_NEAR.match(right)) and half[1] in "pP":
        return (("time", str(of_day)), ("time", str(of_day % 720 + 720)))
    if text.isdigit() and times.after_noon_in_range(text, around[0] + run[: run.rindex(text)]):
        return (("time", str(of_day)), ("time", str(of_day % 720 + 720)))
    return tuple(("time", str(each)) for each in times.possible(of_day, "", right))


def _multiplied(value: tuple[str, ...], after: str) -> tuple[str, ...]:
    found = numbers.MULTIPLIER.match(after) if numbers.may_begin(numbers.MULTIPLIER_STARTS, after) else None
    if found is None:
        return value
    zeros = numbers.MULTIPLIERS[found[1] or found[2]]
    return tuple(numbers.multiplied(each, zeros) for each in value)


def _time(text: str, before: str, after: str, around: tuple[str, str]) -> tuple[Key, ...]:
    clock = times.CLOCK.fullmatch(text)
    dotted = times.DOTTED.fullmatch(text) if clock is None else None
    if clock is None and dotted is None and len(text) > 2:
        return ()
    parts = clock or dotted
    of_day = times.minutes(parts[1], parts[2]) if parts else times.minutes(text, "")
    if of_day is None:
        return ()
    if half := times.HALF_DAY.match(after):
        return (("time", str(times.half_day(of_day, half[1]))),)
    if clock is None:
        word = times.HOUR_WORD.match(after)
        if word is None:
            return ()
        if dotted is None:
            of_day += 30 if word[2] else int(word[1]) if word[1] and int(word[1]) < 60 else 0
    keys: tuple[Key, ...] = tuple(
        ("time", str(each)) for each in times.possible(of_day, before or around[0], around[1])
    )
    # "24 h" may be a length as well as a time of day.
    # but 15時 is none: that would be 15時間.
    no_length = clock or len(text) > 2 or (after.lstrip()[:1] in times.HOUR_SIGNS and after.strip()[1:2] != "間")
    return keys if no_length else (*keys, ("number", text.lstrip("0") or "0"))


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


def _currency(left: str, right: str) -> str | None:
    if numbers.may_begin(numbers.CURRENCY_STARTS, right[:3].lower()):
        after = numbers.CURRENCY_AFTER.match(right)
        if after is None and (multiplier := numbers.MULTIPLIER.match(right)):
            after = numbers.CURRENCY_AFTER.match(right, multiplier.end())
        if after:
            return numbers.CURRENCY_OF[after[1].lower()]
    before, _, word = left.rstrip(" -.(").rpartition(" ")
    word = word.lower().lstrip('("*+')
    if BELONGS_TO_NUMBER.search(before if word in numbers.CURRENCY_OF else word[:-1]):
        return None  # 120 € (05.15
    return numbers.CURRENCY_OF.get(word) or numbers.CURRENCY_OF.get(word[-1:])


def _amount(
    value: tuple[str, ...], currency: str | None, digits: str
) -> tuple[tuple[tuple[Key, ...], ...], tuple[Key, ...]]:
    """Return what is wanted and what is offered. An amount without its currency will do: a table's head may name it."""
    plain: list[Key] = [("number", each) for each in value]
    bare: list[Key] = [("bare", each) for each in value]
    if currency is None:
        return _each(plain), (*plain, *bare, ("digits", digits))
    own: list[Key] = [(currency, each) for each in value]
    return _each(own + bare), (*own, *plain, ("digits", digits))


def _each(keys: Iterable[Key]) -> tuple[tuple[Key, ...], ...]:
    return tuple([(key,) for key in keys])
