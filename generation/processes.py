"""Which processes are alive and how each does: every one says so every two seconds, and any one tells of all.

What a process says is a hint for people who look; nothing is decided by it. Refuses to know how the numbers come about.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import TracebackType

import structlog
from redis import exceptions as redis_errors

from generation.failures import RecentFailure
from runtime.periodic import Periodic
from storage.errors import UNREADABLE, StorageUnavailable
from storage.storage import Storage

log = structlog.get_logger(__name__)

SAYS_EVERY_S = 2.0
ALIVE_FOR_S = 10.0  # after its last word
FORGOTTEN_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class ProcessState:
    """How one process does. Times in ms of the wall clock; ``oldest_ms``: its oldest unfinished task was created, or 0.

    ``takeovers`` is counted since it started; ``lag_s`` is the latest that its event loop was in the last seconds;
    ``breakers``: model to closed | open | probing.
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


@dataclass(frozen=True, slots=True)
class AliveProcess:
    """What a process said last, ``said_s`` seconds ago."""

    id: str
    said_s: float
    state: ProcessState


class Processes:
    """An async context manager: while it is open, this process says how it does."""

    def __init__(self, storage: Storage, owner: str, state: Callable[[], ProcessState]) -> None:
        self._storage = storage
        self._owner = owner
        self._state = state
        self._key = storage.shared_key("processes", "{00}")
        self._periodic = Periodic("processes", self._say_if_possible, SAYS_EVERY_S)

    async def __aenter__(self) -> Processes:
        await self._say_if_possible()
        await self._periodic.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._periodic.__aexit__(kind, exc, trace)
        with contextlib.suppress(StorageUnavailable):
            await self._storage.command("HDEL", self._key, self._owner)

    async def say(self) -> None:
        """Say how this process does, now.

        Raises:
            StorageUnavailable
        """
        said = json.dumps(asdict(self._state()), separators=(",", ":"))
        await self._storage.run("note_process", [self._key], [self._owner, said, int(FORGOTTEN_AFTER_S * 1000)])

    async def alive(self) -> tuple[int, list[AliveProcess]]:
        """Return the time in ms of Redis' clock, and the processes that are alive, the longest running first.

        Raises:
            StorageUnavailable
        """
        now_ms, *said = await self._storage.run("list_processes", [self._key], [int(ALIVE_FOR_S * 1000)])
        found = []
        for each, ms, how in said:
            with contextlib.suppress(*UNREADABLE):  # what a process did not say: it is forgotten soon
                found.append(AliveProcess(str(each, "ascii"), max(0, now_ms - ms) / 1000, _state(json.loads(how))))
        return now_ms, sorted(found, key=lambda process: (process.state.started_ms, process.id))

    async def _say_if_possible(self) -> None:
        try:
            await self.say()
        except StorageUnavailable:
            return  # said again soon
        except UNREADABLE as exc:  # another type stands there: no start and no other work is stopped by it
            log.error("record_set_aside", key=self._key, error=type(exc).__name__)  # noqa: TRY400  # nothing crashed
            with contextlib.suppress(StorageUnavailable, redis_errors.ResponseError):  # another process was quicker
                await self._storage.command("RENAME", self._key, f"{self._key}:set_aside")


def _state(said: dict[str, object]) -> ProcessState:
    """Read what a process of this or another version said: what we do not know is left out."""
    known = {name: said[name] for name in ProcessState.__dataclass_fields__ if name in said}
    failures = said.get("failures")
    known["failures"] = tuple(RecentFailure(**each) for each in failures) if isinstance(failures, list) else ()
    return ProcessState(**known)  # type: ignore[arg-type]  # JSON that the same class wrote
