"""Times of day that a number may be, by the words and figures around it. Refuses to know what else it may be."""

from __future__ import annotations

import re

from generation.fidelity import times
from generation.fidelity.fact import Key

RANGE_WORD = re.compile(
    r" ?(?:[点點时時分시h] ?)?(?:a|à|às|as|to|bis|до|até|al|تا|إلى|حتى|עד|से|तक|到|至|から|부터|until|till"
    r"|'[dt][ae]n)(?:[ \d]|$)"
)
RANGE_WORD_BEFORE = re.compile(r"(?:(?<![^\W\d])(?:a|à|às|as|to|bis|до|até|al|تا|إلى|حتى|עד|से|until|till) |[到至]) ?$")
RANGE_SIGN = re.compile(r"(?<=\d) ?- ?(?=\d)")


def _in_range(run: str, left: str, right: str) -> bool:
    if RANGE_SIGN.search(run) is not None or right.lstrip()[:1] == "-" or left.rstrip()[-1:] == "-":
        return True
    return RANGE_WORD.match(right) is not None or RANGE_WORD_BEFORE.search(left) is not None


def possible(text: str, run: str, around: tuple[str, str]) -> tuple[Key, ...]:
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


def named(text: str, before: str, after: str, around: tuple[str, str]) -> tuple[Key, ...]:
    """Return the times that a number is which is written as one: 5pm, 17:30, 17 Uhr."""
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
