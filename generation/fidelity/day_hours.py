"""Opening hours that took each other's days: "Mon-Fri 9-18, Sat 10-14" told as "Mon-Fri 10-14, Sat 9-18".

Refuses to know what else a fact stands beside. Pure; linear in the texts' length.
"""
# ruff: noqa: RUF001  # words of many languages

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import combinations, islice

from generation.fidelity.fact import Fact, Facts, Key

NAMES = (
    "mon monday mondays mo montag montags lun lundi lunes lunedì seg segunda pzt pazartesi пн понедельник понедельника",
    "tue tues tuesday tuesdays di dienstag dienstags mar mardi martes martedì ter terça sal salı вт вторник вторника",
    "wed wednesday wednesdays mi mittwoch mittwochs mer mercredi mercoledì mié mie miércoles qua quarta çar çarşamba"
    " ср среда среду среды",
    "thu thur thurs thursday thursdays do donnerstag donnerstags jeu jeudi giovedì jue jueves qui quinta per perşembe"
    " чт четверг четверга",
    "fri friday fridays fr freitag freitags ven vendredi venerdì vie viernes sex sexta cum cuma"
    " пт пятница пятницу пятницы",
    "sat saturday saturdays sa samstag samstags sam samedi sabato sáb sab sábado sábados cmt cumartesi"
    " сб суббота субботу субботы",
    "sun sunday sundays so sonntag sonntags dim dimanche dom domenica domingo domingos paz pazar"
    " вс воскресенье воскресенья",
)
DAYS = {name: number for number, names in enumerate(NAMES) for name in names.split()}
WORD = re.compile(r"[^\W\d_]+")
JOINED = re.compile(
    r"\.?,? ?(?:-|to the|to|through|until|bis|al|au|a|à|по|till|e|and|und|y|et|и|ve|&)? ?(?:el |le |les )?",
    re.IGNORECASE,
)
HOURS = frozenset({"time", "number"})
MOST_DAYS = 60  # of one text
JOIN_REACH, HOURS_REACH = 30, 60  # characters behind a day in which another one, and the hours, belong to it
Days = tuple[int, int]  # the first and the last of them
Group = tuple[Days, int, int]  # the days and where they begin and end in the text


def exchanged_hours(draft: Facts, answer: Facts) -> set[Key]:
    """Return the draft's hours of which two pairs have each other's days in the answer."""
    ours = _hours_of_days(draft)
    theirs = _hours_of_days(answer) if len(ours) > 1 else {}
    both = [days for days in ours if days in theirs]
    offered = {days: [_told(fact, answer) for fact in theirs[days]] for days in both}
    moved: set[Key] = set()
    for first, second in combinations(both, 2):
        if (
            _fit(ours[first], offered[second])
            and _fit(ours[second], offered[first])
            and not _fit(ours[first], offered[first])
            and not _fit(ours[second], offered[second])
        ):
            moved.update(fact.ways[0][0] for fact in (*ours[first], *ours[second]))
    return moved


def _told(fact: Fact, facts: Facts) -> set[Key]:
    return {key for way in fact.ways for key in way} | set(facts.offered(fact))


def _fit(hours: list[Fact], offered: list[set[Key]]) -> bool:
    return all(any(keys.issuperset(way) for way in fact.ways) for fact, keys in zip(hours, offered, strict=True))


def _hours_of_days(facts: Facts) -> dict[Days, list[Fact]]:
    """Return the two facts behind each group of days in its line; groups that a text names twice tell nothing."""
    hours = sorted((fact for fact in facts.found if fact.kind in HOURS), key=lambda fact: fact.start)
    if len(hours) < 4:
        return {}
    starts, groups = [fact.start for fact in hours], _groups(facts.text)
    told: dict[Days, list[Fact]] = {}
    twice: set[Days] = set()
    for number, (days, _, end) in enumerate(groups, 1):
        following = groups[number][1] if number < len(groups) else len(facts.text)
        stop = min(following, end + HOURS_REACH)
        line_end = facts.text.find("\n", end, stop)
        behind = _between(hours, starts, end, stop if line_end < 0 else line_end)
        if len(behind) == 2:
            twice |= {days} & told.keys()
            told[days] = behind
    return {days: behind for days, behind in told.items() if days not in twice}


def _between(hours: list[Fact], starts: list[int], begin: int, stop: int) -> list[Fact]:
    at = bisect_left(starts, begin)
    return [fact for fact in hours[at : at + 2] if fact.start < stop]


def _groups(text: str) -> list[Group]:
    """Return the days of a text; those of "Mon to Fri" and of "Sat, Sun" are one group."""
    named = ((word, DAYS[name]) for word in WORD.finditer(text) if (name := word[0].casefold()) in DAYS)
    groups: list[Group] = []
    for word, day in islice(named, MOST_DAYS):
        if groups:
            (first, _), begin, end = groups[-1]
            if word.start() - end < JOIN_REACH and JOINED.fullmatch(text, end, word.start()):
                groups[-1] = (first, day), begin, word.end()
                continue
        groups.append(((day, day), word.start(), word.end()))
    return groups
