"""An account's usage by day and by month of UTC: read from numbers that each end of a task adds to.

Reads only; accounts/lua/include/note_usage.lua writes. Refuses to know prices.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from accounts.errors import InvalidPeriod
from accounts.ledger import TOKEN_KINDS
from storage.storage import Storage

OUTCOMES = ("completed", "fallback", "failed", "cancelled")
COUNTED = ("generations", *OUTCOMES, "tokens", *TOKEN_KINDS)
MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
MONTHS_PER_REPORT = 12


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """``period``: 2025-01-10 or 2025-01. ``tokens`` are those charged; the kinds those that Gemini reported."""

    period: str
    generations: int
    completed: int
    fallback: int
    failed: int
    cancelled: int
    tokens: int
    input: int
    output: int
    thoughts: int
    cached: int
    tool: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class UsageReport:
    """Reads the numbers of one account."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def days(self, account_id: str, month: str = "") -> list[PeriodUsage]:
        """Return the days of a month (2025-01; this one unless given) on which something was used, the oldest first.

        Raises:
            InvalidPeriod, StorageUnavailable
        """
        first = _first_day(month)
        days = [first + timedelta(days=after) for after in range(31)]
        return await self._read(account_id, [day.isoformat() for day in days if day.month == first.month])

    async def months(self, account_id: str, until: str = "") -> list[PeriodUsage]:
        """Return the twelve months up to one (this one unless given) in which something was used, the oldest first.

        Raises:
            InvalidPeriod, StorageUnavailable
        """
        last = _first_day(until)
        number = 12 * last.year + last.month - 1
        months = [divmod(each, 12) for each in range(max(0, number - MONTHS_PER_REPORT + 1), number + 1)]
        return await self._read(account_id, [f"{year:04}-{month + 1:02}" for year, month in months])

    async def recorded(self, account_id: str) -> list[PeriodUsage]:
        """Return every day and month in which something was used.

        Raises:
            StorageUnavailable
        """
        key = self._storage.key(account_id, "usage")
        names = await self._storage.command("HKEYS", key)
        with self._storage.reading(key):
            periods = {str(name, "ascii").rpartition(":")[0] for name in names}
        return await self._read(account_id, sorted(periods)) if periods else []

    async def _read(self, account_id: str, periods: list[str]) -> list[PeriodUsage]:
        key = self._storage.key(account_id, "usage")
        names = [f"{period}:{what}" for period in periods for what in COUNTED]
        stored = await self._storage.command("HMGET", key, *names)
        with self._storage.reading(key):
            counts = [int(count or 0) for count in stored]
        rows = [counts[at : at + len(COUNTED)] for at in range(0, len(counts), len(COUNTED))]
        return [PeriodUsage(period, *row) for period, row in zip(periods, rows, strict=True) if any(row)]


def _first_day(month: str) -> date:
    if not month:
        return datetime.now(UTC).date().replace(day=1)
    found = MONTH.fullmatch(month)
    if found is None or int(found[1]) == 0:
        raise InvalidPeriod(month)
    return date(int(found[1]), int(found[2]), 1)
