"""Archive files: ledger entries that are no longer in Redis, as JSON lines, and the proof that they are all there.

A file is a row of sections: one line that names the account, what was carried before and after, and how many entries
follow; then those, one a line. A section counts once its sums are carried in Redis: one that was written in vain, by a
run that was interrupted, is ignored. Refuses to know where entries come from.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from accounts.audit import Replay
from accounts.ledger import Carried, LedgerEntry

PATTERN = "ledger-*.jsonl"


@dataclass(frozen=True, slots=True)
class Section:
    """Entries of one account, oldest first: those after ``before.last`` up to and with ``after.last``."""

    account_id: str
    before: Carried
    after: Carried
    entries: Sequence[LedgerEntry]

    def lines(self) -> bytes:
        head = {"account_id": self.account_id, "entries": len(self.entries)}
        head |= {"before": _members(self.before), "after": _members(self.after)}
        return b"".join(json.dumps(each).encode() + b"\n" for each in (head, *(e.as_dict() for e in self.entries)))


class ArchiveFile:
    """One run's file in ``folder``, made with the first section; nobody but its owner may read it."""

    def __init__(self, folder: Path) -> None:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.path = folder / f"ledger-{moment}-{secrets.token_hex(4)}.jsonl"
        self._file: BinaryIO | None = None

    @property
    def written(self) -> bool:
        return self._file is not None

    def append(self, sections: Sequence[Section]) -> None:
        """Write sections, and return when the disk has them.

        Raises:
            OSError
        """
        if self._file is None:
            self._file = open(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")  # noqa: SIM115
            _sync_folder(self.path.parent)
        for section in sections:
            self._file.write(section.lines())
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class Archives:
    """All files of a folder, read once; then each account can be checked against them."""

    def __init__(self, folder: Path) -> None:
        """Read the files.

        Raises:
            OSError
        """
        self._proven: dict[str, dict[tuple[str, str], Carried]] = defaultdict(dict)  # account: after → before
        self._wrong: dict[str, str] = {}
        for path in sorted(folder.glob(PATTERN)):
            for account_id, before, after, problem in _sections(path):
                if problem:
                    self._wrong[account_id] = problem
                else:
                    self._proven[account_id][after.last, after.sums] = before

    def problems(self, account_id: str, carried: Carried) -> tuple[str, ...]:
        """Return which of the entries that the account carries forward are missing or do not add up."""
        sections = self._proven.get(account_id, {})
        while carried.last:
            before = sections.get((carried.last, carried.sums))
            if before is None:
                why = f"; {self._wrong[account_id]}" if account_id in self._wrong else ""
                return (f"no archive explains what is carried forward up to entry {carried.last}{why}",)
            carried = before
        return ()


def _sections(path: Path) -> Iterator[tuple[str, Carried, Carried, str]]:
    """Yield each whole section's account, sums before and after, and what is wrong with it, or nothing."""
    with path.open("rb") as lines:
        for line in lines:
            try:
                head = json.loads(line)
                account_id, before, after = head["account_id"], _carried(head["before"]), _carried(head["after"])
                rows = [next(lines, b"") for _ in range(head["entries"])]
            except (ValueError, TypeError, KeyError):
                return  # a run was interrupted here, or the file is none: what it should prove will be missing
            yield account_id, before, after, _problem(path, before, after, rows)


def _problem(path: Path, before: Carried, after: Carried, rows: Sequence[bytes]) -> str:
    replay, last = Replay(before), _place(before.last)
    try:
        for row in rows:
            entry = LedgerEntry(**json.loads(row))
            if _place(entry.id) <= last:
                return f"{path.name}: entry {entry.id} is not in its place"
            last = _place(entry.id)
            replay.add(entry)
    except (ValueError, TypeError):
        return f"{path.name}: an entry after {replay.carried.last or 'the first'} cannot be read"
    if replay.first_wrong:
        return f"{path.name}: it does not add up from entry {replay.first_wrong} on"
    return "" if replay.carried == after else f"{path.name}: entries up to {after.last} add up to something else"


def _place(entry_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in entry_id.split("-")) if entry_id else ()


def _members(carried: Carried) -> dict[str, Any]:
    return {"last": carried.last, **json.loads(carried.sums)}


def _carried(members: dict[str, Any]) -> Carried:
    return Carried.of(members["last"], json.dumps(members))


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that the new file's name is on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
