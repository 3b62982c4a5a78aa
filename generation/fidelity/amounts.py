"""Amounts: a value with a currency beside it, or with a word that multiplies it.

Refuses to know dates, times and telephone numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from generation.fidelity import numbers
from generation.fidelity.fact import Key

BELONGS_TO_NUMBER = re.compile(r"\d\Z")


def with_multiplier(value: tuple[str, ...], after: str) -> tuple[str, ...]:
    """Return the values times what the word behind them says: 3 thousand."""
    found = numbers.MULTIPLIER.match(after) if numbers.may_begin(numbers.MULTIPLIER_STARTS, after) else None
    if found is None:
        return value
    zeros = numbers.MULTIPLIERS[found[1] or found[2]]
    return tuple(numbers.multiplied(each, zeros) for each in value)


def currency(left: str, right: str) -> str | None:
    """Return the currency that stands on one side of a number."""
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


def amount(
    value: tuple[str, ...], currency: str | None, digits: str
) -> tuple[tuple[tuple[Key, ...], ...], tuple[Key, ...]]:
    """Return what is wanted and what is offered. An amount without its currency will do: a table's head may name it."""
    plain: list[Key] = [("number", each) for each in value]
    bare: list[Key] = [("bare", each) for each in value]
    if currency is None:
        return each(plain), (*plain, *bare, ("digits", digits))
    own: list[Key] = [(currency, each) for each in value]
    return each(own + bare), (*own, *plain, ("digits", digits))


def each(keys: Iterable[Key]) -> tuple[tuple[Key, ...], ...]:
    """Return the keys as ways to keep a fact: any one of them will do."""
    return tuple([(key,) for key in keys])
