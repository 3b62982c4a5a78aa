"""Callers: established identities, remembered for as long as that is safe, and due as soon as their record changes.

A caller's record is what shows that its credential still holds: its API key, or its account's state. Redis reports a
change of it to every process, and the caller's next request is answered when it has been read again. The recheck after
a time finds what was not reported. Refuses to know tokens and signatures.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from storage.errors import RecordUnreadable, StorageUnavailable
from storage.storage import Storage
from storage.tracked_keys import TrackedReads

# A client that polls every second is renewed in time, with the delay in which others are collected.
RENEW_BEFORE_S = 1.5
RETRY_S = 0.5  # how long a caller is served before Redis, which gave no answer, is asked again


class CredentialRecords(Protocol):
    """Where the records of one kind of credential are, and what they say."""

    def record_of(self, account_id: str, digest: bytes) -> tuple[str, ...]:
        """Return the command, name and key first, that reads what shows whether the credential holds."""

    def holds(self, reply: Any) -> bool:
        """Say whether it holds by the command's reply, an unreadable one included."""


class Caller:
    """An established identity, one object for all that remember its credential.

    Times are in the seconds of ``time.monotonic()``. Until ``fresh_until`` requests are answered without a read of the
    record, and from ``renew_at`` on it is read in good time; a change sets both to 0. After ``valid_until`` no request
    is answered without it. A caller without ``recheck_s`` ends then: its token has to be checked. With a ``task_id`` it
    may watch and cancel that task, and do nothing else. ``digest`` is the token's SHA-256.
    """

    __slots__ = (
        "account_id",
        "changes",
        "digest",
        "fresh_until",
        "recheck_s",
        "records",
        "renew_at",
        "reported",
        "task_id",
        "unfollow",
        "valid_until",
    )

    def __init__(
        self,
        account_id: str,
        digest: bytes,
        records: CredentialRecords,
        valid_until: float,
        *,
        task_id: str = "",
        recheck_s: float = 0.0,
    ) -> None:
        self.account_id = account_id
        self.digest = digest
        self.records = records
        self.task_id = task_id
        self.recheck_s = recheck_s
        self.valid_until = valid_until
        self.changes = 0  # how many were reported
        self.reported = False  # whether the next one will be
        self.unfollow: Callable[[], None] | None = None
        self._fresh()

    @property
    def record(self) -> tuple[str, ...]:
        """The command that reads the caller's record: name and key first."""
        return self.records.record_of(self.account_id, self.digest)

    def may_ask_about(self, task_id: str) -> bool:
        """Say whether the credential reaches this task of the account's."""
        return self.task_id in ("", task_id)

    def changed(self) -> None:
        """Note that the record may differ from what was read."""
        self.changes += 1
        self.reported = False
        self.fresh_until = self.renew_at = 0.0

    def renewed(self, asked_at: float, changes: int) -> None:
        """Note that the record was good: it was read after ``asked_at``, and after that number of changes."""
        if self.recheck_s:
            self.valid_until = asked_at + self.recheck_s
        if changes == self.changes:
            self.reported = self.unfollow is not None
            self._fresh()

    def postpone(self) -> None:
        """Note that the record could not be read: the last answer holds for another moment."""
        self.fresh_until = self.renew_at = min(self.valid_until, time.monotonic() + RETRY_S)

    def _fresh(self) -> None:
        self.fresh_until = self.valid_until
        self.renew_at = self.valid_until - min(RENEW_BEFORE_S, self.recheck_s / 2)


class Callers:
    """At most ``limit`` callers by the digests of their tokens; the least used go first, and are followed no more.

    Without ``tracked`` no change is reported.
    """

    def __init__(self, storage: Storage, tracked: TrackedReads | None, limit: int) -> None:
        self._storage = storage
        self._tracked = tracked
        self._limit = limit
        self._remembered: OrderedDict[bytes, Caller] = OrderedDict()

    def __len__(self) -> int:
        return len(self._remembered)

    def find(self, digest: bytes) -> Caller | None:
        """Return the caller whose token has this digest, fresh or not."""
        caller = self._remembered.get(digest)
        if caller is not None:
            self._remembered.move_to_end(digest)
        return caller

    def add(self, caller: Caller) -> None:
        """Remember the caller and follow its record, which is read again before the caller is served next."""
        known = self._remembered.get(caller.digest)
        if known is caller:
            return
        if known is not None:
            self.forget(known)
        if self._tracked is not None:
            _, key, *_ = caller.record
            caller.unfollow = self._tracked.watch(key, caller.changed)
            caller.changed()  # what came before was not reported
        self._remembered[caller.digest] = caller
        while len(self._remembered) > self._limit:
            self.forget(next(iter(self._remembered.values())))

    def forget(self, caller: Caller) -> None:
        """End following the caller's record. A cached poll that still has it renews it before the next answer."""
        if self._remembered.get(caller.digest) is caller:
            del self._remembered[caller.digest]
        if caller.unfollow is not None:
            caller.unfollow()
            caller.unfollow = None
        caller.changed()

    async def renew(self, callers: Sequence[Caller]) -> list[Caller | None]:
        """Read the records again; return the callers to go on with, None for each whose credential is no longer good.

        Those that were forgotten meanwhile are remembered again.

        Raises:
            StorageUnavailable: nothing was found out. Those that are valid still are served for another moment.
        """
        asked_at = time.monotonic()
        current = [self._remembered.get(caller.digest, caller) for caller in callers]
        asked = [caller for caller in dict.fromkeys(current) if caller.recheck_s or asked_at < caller.valid_until]
        changes: dict[Caller, int] = {}
        for caller in asked:
            self.add(caller)  # at the limit it takes the place of another, which counts as a change of that one
            changes[caller] = caller.changes
        try:
            good = await self._are_good(asked)
        except StorageUnavailable:
            for caller in asked:
                caller.postpone()
            raise
        for caller in current:
            if good.get(caller):
                caller.renewed(asked_at, changes[caller])
            else:
                self.forget(caller)
        return [caller if good.get(caller) else None for caller in current]

    async def _are_good(self, callers: Sequence[Caller]) -> dict[Caller, bool]:
        """Read what is not followed yet with tracking; the others, where only the recheck is due, in few commands."""
        replies: dict[Caller, Any] = {}
        unreported = [caller for caller in callers if self._tracked is not None and not caller.reported]
        if self._tracked is not None and unreported:
            reads = (self._tracked.read_tracked(*caller.record) for caller in unreported)
            replies |= zip(unreported, await asyncio.gather(*reads, return_exceptions=True), strict=True)
        by_command: dict[str, list[Caller]] = {}
        for caller in callers:
            if caller not in replies:
                by_command.setdefault(caller.record[0], []).append(caller)
        for name, asked in by_command.items():
            calls = [caller.record[1:] for caller in asked]
            replies |= zip(asked, await self._storage.commands(name, calls), strict=True)
        for reply in replies.values():
            if isinstance(reply, BaseException) and not isinstance(reply, RecordUnreadable):
                raise reply
        return {caller: caller.records.holds(reply) for caller, reply in replies.items()}
