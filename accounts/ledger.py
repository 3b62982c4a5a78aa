"""The ledger: every movement of an account's tokens, as entries of a stream, the oldest of which may be archived.

Reads only. Lua fragments write each entry in the same step as the numbers that it explains; ``archiving.py`` moves old
entries to files.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from accounts.errors import InvalidEntryId
from storage.errors import UNREADABLE
from storage.storage import Storage

ENTRY_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
LARGEST_PART = 2**64 - 1  # of a stream's id. Source: Redis documentation, "Entry IDs"
ENTRIES_PER_READ = 1_000
TOKEN_KINDS = ("input", "output", "thoughts", "cached", "tool")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement. ``kind``: grant | hold | settle | release; balance, held and charged are those after it.

    ``estimated``: the tokens are an estimate, because the task was stopped before Gemini reported any. ``usage``: how
    many of each kind were used (input | output | thoughts | cached | tool), of those that were.
    """

    id: str
    at: str
    kind: str
    tokens: int
    balance: int
    held: int
    charged: int
    task_id: str
    reason: str
    uncollected: int
    estimated: bool = False
    usage: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Carried:
    """What the archived entries of a ledger, up to the one with the id ``last``, add up to; all empty: none are.

    ``holds``: task id → tokens, of the tasks whose end comes later.
    """

    last: str = ""
    granted: int = 0
    charged: int = 0
    holds: Mapping[str, int] = field(default_factory=dict)

    @property
    def sums(self) -> str:
        """All but ``last``, as JSON that is the same for the same sums."""
        sums = {"granted": self.granted, "charged": self.charged, "holds": dict(self.holds)}
        return json.dumps(sums, sort_keys=True, separators=(",", ":"))

    @classmethod
    def of(cls, last: str, sums: str | bytes) -> Carried:
        """Read what ``sums`` wrote.

        Raises:
            KeyError, TypeError, ValueError
        """
        if not last:
            return cls()
        members = json.loads(sums)
        holds = {str(task): int(tokens) for task, tokens in members["holds"].items()}
        return cls(last, int(members["granted"]), int(members["charged"]), holds)


class Ledger:
    """Reads entries, newest first for people and oldest first for the audit."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def page(self, account_id: str, limit: int, before: str | None) -> tuple[list[LedgerEntry], str | None]:
        """Return up to ``limit`` entries older than ``before``, newest first, and the ``before`` of the next page.

        Raises:
            InvalidEntryId, StorageUnavailable
        """
        if before is not None:
            match = ENTRY_ID.fullmatch(before)
            if match is None or max(int(match[1]), int(match[2])) > LARGEST_PART:
                raise InvalidEntryId(before)
            if int(match[1]) == int(match[2]) == 0:
                return [], None  # Redis refuses a range that ends before its first id
        newest = f"({before}" if before else "+"
        key = self._storage.key(account_id, "ledger")
        entries = await self._storage.command("XREVRANGE", key, newest, "-", "COUNT", limit + 1)
        page = []
        for entry_id, fields in entries[:limit]:
            try:
                page.append(read_entry(entry_id, fields))
            except UNREADABLE as exc:
                self._storage.spoilt.note(f"{key} {entry_id!r}", exc)
        return page, str(entries[limit - 1][0], "ascii") if len(entries) > limit else None

    async def entry(self, account_id: str, entry_id: str) -> LedgerEntry | None:
        """Return one entry, or None when it is archived."""
        key = self._storage.key(account_id, "ledger")
        found = await self._storage.command("XRANGE", key, entry_id, entry_id)
        with self._storage.reading(f"{key} {entry_id}"):
            return read_entry(*found[0]) if found else None

    async def carried(self, account_id: str) -> Carried:
        """Return what the archived entries add up to.

        Raises:
            StorageUnavailable; KeyError, TypeError or ValueError where that is not one of ours.
        """
        key = self._storage.key(account_id, "ledger_archived")
        last, sums = await self._storage.command("HMGET", key, "last", "sums")
        return Carried.of(str(last or b"", "ascii"), sums or b"")

    async def until(self, account_id: str, last_id: str) -> AsyncIterator[LedgerEntry]:
        """Yield the entries up to and with ``last_id`` (empty: none), oldest first; later ones do not change them.

        Raises:
            StorageUnavailable; KeyError or ValueError where an entry is not one of ours.
        """
        key, oldest = self._storage.key(account_id, "ledger"), "-"
        while last_id:
            entries = await self._storage.command("XRANGE", key, oldest, last_id, "COUNT", ENTRIES_PER_READ)
            for entry_id, fields in entries:
                yield read_entry(entry_id, fields)
            if len(entries) < ENTRIES_PER_READ or entries[-1][0] == last_id.encode():
                return
            oldest = f"({str(entries[-1][0], 'ascii')}"


def read_entry(entry_id: bytes, members: Sequence[bytes]) -> LedgerEntry:
    """Return an entry as the stream has it.

    Raises:
        KeyError, ValueError: it is not one of ours.
    """
    fields = dict(zip(members[::2], members[1::2], strict=True))
    return LedgerEntry(
        id=str(entry_id, "ascii"),
        at=moment_of(str(entry_id, "ascii")),
        kind=str(fields[b"kind"], "ascii"),
        tokens=int(fields[b"tokens"]),
        balance=int(fields[b"balance"]),
        held=int(fields[b"held"]),
        charged=int(fields[b"charged"]),
        task_id=str(fields[b"task"], "ascii"),
        reason=str(fields[b"reason"], "utf-8"),
        uncollected=int(fields[b"uncollected"]),
        estimated=b"estimated" in fields,
        usage={kind: int(fields[kind.encode()]) for kind in TOKEN_KINDS if kind.encode() in fields},
    )


def moment_of(entry_id: str) -> str:
    """Return when an entry was written; its id begins with that, in ms."""
    return datetime.fromtimestamp(int(entry_id.split("-")[0]) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
