"""Facts made of figures: amounts, times, dates, telephone numbers, codes, plain numbers.

Refuses to know literals (links, accounts, …): they are blanked out before. A run of figures is read once, whatever
text it comes in again with the same words beside it.
"""

from __future__ import annotations

import re

from generation.fidelity import amounts, codes, dates, day_ranges, numbers, runs, times
from generation.fidelity.fact import Fact, Facts, Key

# A pattern that starts with a set of signs is searched for several times as fast as one that starts with a look behind
# or with something optional: so the look behind comes after the first sign.
# Figures and what may stand between them in one number, date, time or range; 20 groups at most.
RUN = re.compile(
    r"[+(\d](?:(?<=[+(])[+(]?\d)?(?<=\d)\d{0,39}(?:(?:\) ?[-/]? ?\(?|[.,:/'](?=\d)| ?[-/] ?\(?| \(?|\()\d{1,40}){0,19}"
)
HOUR_AND_MINUTE = re.compile(
    r"(\d(?<![\d.,:].)\d?) ?(?:[hH]|[uU][hH][rR]|[时時点點시]) ?([0-5]\d)(?![\d:])(?: ?[分분])?"
)
BULLETS = "\n #*>-"
LEFT, RIGHT = 14, 26  # characters beside a run that say what it is
Memo = dict[tuple[str, str, str], list[runs.Reading]]  # by what stands before a run, the run, and what stands behind it


def read(text: str, facts: Facts, memo: Memo) -> None:
    """Add the text's figures and codes; ``memo`` is shared by the texts of one comparison."""
    rest = HOUR_AND_MINUTE.sub(_as_clock, _read_mixed(codes.read(text, facts), facts))
    line_start = 0
    for line in rest.split("\n"):
        if facts.full:
            break
        for run in RUN.finditer(line) if line else ():
            known = (_before(line, run.start()), run[0], _behind(line, run.end()))
            readings = memo.get(known)
            if readings is None:
                readings = memo[known] = runs.readings(run[0], known[0], known[2])
            at = line_start + run.start()
            for start, stop, kind, ways, offered in readings:
                facts.add_any(Fact(kind, text[at + start : at + stop], at + start, ways), offered)
            if facts.full:
                break
        line_start += len(line) + 1
    for said in times.in_words(text):
        hours: tuple[Key, ...] = tuple(("time", str(of_day)) for of_day in said.of_day)
        word = ("time in words", said.text.lower())
        facts.add_any(Fact("time", said.text, said.start, amounts.each((*hours, word))), (*hours, word))
    day_ranges.share_years(text, facts)
    day_ranges.share_months(text, facts)
    if "年" in text or "년" in text:
        _add_years(text, facts)


def _add_years(text: str, facts: Facts) -> None:
    """Let the days of 2027年2月6日 count as dates too; they are read without their years."""
    whole: dict[int, Key] = {
        date.start(3): ("date", f"{date[1]}-{date[2].lstrip('0')}-{date[3].lstrip('0')}")
        for date in dates.CJK.finditer(text)
    }
    for key in whole.values():
        facts.keys[key] += 1
    facts.found = [
        fact._replace(ways=(*fact.ways, (whole[fact.start],))) if fact.kind == "date" and fact.start in whole else fact
        for fact in facts.found
    ]


def _read_mixed(text: str, facts: Facts) -> str:
    """Add numbers such as 1万2千; return the text with them blanked out."""
    if not numbers.MIXED_SIGN.search(text):
        return text

    def taken(found: re.Match[str]) -> str:
        value = numbers.mixed(found)
        if not value or facts.full:
            return found[0]
        begin, end = found.span()
        currency = amounts.currency(text[max(0, begin - LEFT) : begin], text[end : end + RIGHT])
        kind = "amount" if currency else "number"
        ways, offered = amounts.amount(value, currency, value[0])
        facts.add_any(Fact(kind, found[0], begin, ways), offered)
        return "\0" * len(found[0])

    return numbers.MIXED.sub(taken, text)


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
