"""Moves old ledger entries out of Redis into archive files: first the disk has them, then Redis drops them.

May be interrupted anywhere and repeated: an account's step is one script, which drops only what was read and written.
Refuses to know what a file looks like: ``archives.py`` does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from accounts.account_index import AccountIndex, printable
from accounts.archives import ArchiveFile, Section
from accounts.audit import Replay
from accounts.ledger import Carried, read_entry
from storage.errors import UNREADABLE
from storage.storage import Storage

ACCOUNTS_PER_BATCH = 100
ENTRIES_PER_BATCH = 1_000  # of one account


@dataclass
class Archived:
    """What a run did. ``refused``: accounts whose old entries cannot be read or do not add up; they stay."""

    accounts: set[str] = field(default_factory=set)
    entries: int = 0
    refused: list[str] = field(default_factory=list)
    file: Path | None = None


class Archiving:
    def __init__(self, storage: Storage, index: AccountIndex) -> None:
        self._storage = storage
        self._index = index

    async def archive(self, folder: Path, days: float) -> Archived:
        """Move the entries that are older than ``days`` into a new file of ``folder``.

        Raises:
            StorageUnavailable: what was moved so far is whole; repeat it.
            OSError: nothing was dropped that the disk does not have.
        """
        archived, file = Archived(), ArchiveFile(folder)
        page: list[str] = []
        try:
            async for account_id in self._index.ids():
                page.append(account_id)
                if len(page) == ACCOUNTS_PER_BATCH:
                    await self._move(page, file, days, archived)
                    page = []
            await self._move(page, file, days, archived)
        finally:
            file.close()
        archived.file = file.path if file.written else None
        return archived

    async def _move(self, accounts: list[str], file: ArchiveFile, days: float, archived: Archived) -> None:
        """Move the old entries of these accounts, a batch of each at a time."""
        while accounts:
            found = await asyncio.gather(*(self._section(account_id, days, archived) for account_id in accounts))
            sections = [section for section in found if section is not None]
            if not sections:
                return
            await asyncio.to_thread(file.append, sections)
            dropped = await self._storage.run_many("archive_entries", [self._drop(section) for section in sections])
            archived.entries += sum(count for count in dropped if count > 0)
            archived.accounts |= {section.account_id for section in sections}
            accounts = [section.account_id for section in sections if len(section.entries) == ENTRIES_PER_BATCH]

    async def _section(self, account_id: str, days: float, archived: Archived) -> Section | None:
        keys, old_ms = self._keys(account_id), int(days * 86_400_000)
        try:
            last, sums, rows = await self._storage.run("read_old_entries", keys, [old_ms, ENTRIES_PER_BATCH])
            before = Carried.of(str(last, "ascii"), sums)
            entries = [read_entry(*row) for row in rows]
        except UNREADABLE:
            archived.refused.append(printable(account_id))
            return None
        replay = Replay(before)
        for entry in entries:
            replay.add(entry)
        if replay.first_wrong:
            archived.refused.append(printable(account_id))
            return None
        return Section(account_id, before, replay.carried, entries) if entries else None

    def _drop(self, section: Section) -> tuple[list[str], list[str]]:
        ms, _, number = section.after.last.partition("-")
        following = f"{ms}-{int(number) + 1}"
        return self._keys(section.account_id), [section.before.last, section.after.last, section.after.sums, following]

    def _keys(self, account_id: str) -> list[str]:
        return [self._storage.key(account_id, part) for part in ("ledger", "ledger_archived")]
