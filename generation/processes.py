"""The processes that are alive, and the state of each: every one reports every two seconds, and any one can read all.

Reports are for people to read; nothing is decided by them. Refuses to know where the numbers come from.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any

from generation.failures import RecentFailure
from generation.hours import last_hour
from generation.last_hour import LastHour
from generation.process_notes import ProcessNotes
from runtime.periodic import Periodic
from storage.errors import UNREADABLE
from storage.storage import Storage

SAYS_EVERY_S = 2.0
SAYS_HOUR_EVERY_S = 10.0  # a few kilobytes
ALIVE_FOR_S = 10.0  # after its last report
FORGOTTEN_AFTER_S = 60.0
OLDEST_KEPT = 10  # unfinished tasks in a report, and in the overview
HOUR_S = 3_600.0  # how long the last hour of a process that has ended counts


@dataclass(frozen=True, slots=True)
class UnfinishedTask:
    """A task that a process holds; ``created_ms`` is of Redis' clock."""

    account_id: str
    task_id: str
    created_ms: int
    running: bool


@dataclass(frozen=True, slots=True)
class ProcessState:
    """The state of one process. Times in ms of the wall clock; ``oldest_ms``: its oldest unfinished task's start, or 0.

    ``takeovers`` is counted since it started; ``lag_s`` is the latest that its event loop was in the last seconds;
    ``breakers``: model to closed | open | probing; ``oldest``: its oldest unfinished tasks, the oldest first.
    """

    version: str
    started_ms: int
    running: int
    waiting: int
    oldest_ms: int
    takeovers: int
    lag_s: float
    breakers: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[RecentFailure, ...] = ()
    oldest: tuple[UnfinishedTask, ...] = ()


@dataclass(frozen=True, slots=True)
class AliveProcess:
    """The latest report of a process, ``said_s`` seconds ago."""

    id: str
    said_s: float
    state: ProcessState


class Processes:
    """An async context manager: while it is open, this process reports its state and its last hour."""

    def __init__(
        self, storage: Storage, owner: str, state: Callable[[], ProcessState], hour: LastHour | None = None
    ) -> None:
        self._owner = owner
        self._state = state
        self._hour = hour or LastHour()
        self._hour_due = 0.0
        self._notes = ProcessNotes(storage, "processes", FORGOTTEN_AFTER_S)
        self._hours = ProcessNotes(storage, "hours_of_processes", HOUR_S)
        self._periodic = Periodic("processes", self._say_if_possible, SAYS_EVERY_S)

    async def __aenter__(self) -> Processes:
        await self._say_if_possible()
        await self._periodic.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._periodic.__aexit__(kind, exc, trace)
        await self._say_hour()
        await self._notes.take_back(self._owner)

    async def say(self) -> None:
        """Report the state of this process now.

        Raises:
            StorageUnavailable
        """
        await self._notes.say(self._owner, asdict(self._state()))
        await self._say_hour()

    async def alive(self) -> tuple[int, list[AliveProcess]]:
        """Return the time in ms of Redis' clock, and the processes that are alive, the longest running first.

        Raises:
            StorageUnavailable
        """
        now_ms, notes = await self._notes.said_within(ALIVE_FOR_S)
        found = []
        for note in notes:
            with contextlib.suppress(*UNREADABLE):  # what a process did not say: it is forgotten soon
                found.append(AliveProcess(note.process, max(0, now_ms - note.at_ms) / 1000, _state(note.said)))
        return now_ms, sorted(found, key=lambda process: (process.state.started_ms, process.id))

    async def last_hour(self) -> dict[str, Any]:
        """Return the whole service's last hour, as ``generation.hours`` shapes it.

        Raises:
            StorageUnavailable
        """
        return last_hour(*await self._hours.said_within(HOUR_S))

    async def _say_if_possible(self) -> None:
        await self._notes.say_if_possible(self._owner, asdict(self._state()))
        if time.monotonic() >= self._hour_due:
            await self._say_hour()

    async def _say_hour(self) -> None:
        """Report the last hour again if a task has ended since: minutes are reported by their age, so it stays true."""
        if self._hour.changed:
            self._hour_due = time.monotonic() + SAYS_HOUR_EVERY_S
            told = self._hour.told()
            self._hour.changed = not await self._hours.say_if_possible(self._owner, told) or self._hour.changed


def _state(said: dict[str, object]) -> ProcessState:
    """Read the report of a process of any version: unknown members are left out."""
    known = {name: said[name] for name in ProcessState.__dataclass_fields__ if name in said}
    failures = said.get("failures")
    known["failures"] = tuple(RecentFailure(**each) for each in failures) if isinstance(failures, list) else ()
    oldest = said.get("oldest")
    known["oldest"] = tuple(UnfinishedTask(**each) for each in oldest) if isinstance(oldest, list) else ()
    return ProcessState(**known)  # type: ignore[arg-type]  # JSON that the same class wrote
