"""What happens when Redis says that a record is not of the type that it should be: somebody else wrote over it.

A record that can be made anew is renamed, so that the call can be repeated; of another one the caller hears by name.
Either is logged with its key and counted. Refuses to repair: what was written is for the operator to look at.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis import exceptions as redis_errors

from storage.errors import RecordUnreadable
from storage.record_kinds import RecordKinds
from storage.wire import Command

ENDING = ":set_aside"
FOUND_BY_SCRIPT = "UNREADABLE"  # the error of lua/include/readable.lua, before the key
AGAIN_AFTER_S = 60.0  # one key is logged and counted so often, however often it is asked for
REMEMBERED = 1_000
LEFT_FOR_S = 600

log = structlog.get_logger(__name__)

Ask = Callable[[str, Command], Any]  # key, command: awaits the reply


class SpoiltRecords:
    """Looks which of a refused call's keys are spoilt. ``found`` is told of each, once in a minute."""

    def __init__(self, ask: Ask, kinds: RecordKinds, found: Callable[[], None]) -> None:
        self._ask = ask
        self._kinds = kinds
        self._found = found
        self._noted: dict[str, float] = {}  # key → when (time.monotonic()); the oldest first

    def note(self, key: str, exc: BaseException) -> bool:
        """Log and count a record that cannot be read; return False when that was done less than a minute ago."""
        now = time.monotonic()
        if now < self._noted.get(key, -AGAIN_AFTER_S) + AGAIN_AFTER_S:
            return False
        self._noted.pop(key, None)
        self._noted[key] = now
        while len(self._noted) > REMEMBERED:
            del self._noted[next(iter(self._noted))]
        log.error("record_set_aside", redis_key=key, error=type(exc).__name__)
        self._found()
        return True

    async def make_way(self, keys: Sequence[str], exc: redis_errors.ResponseError) -> None:
        """Return when the refused call can be repeated, because the spoilt ones of its keys are out of the way.

        Where none is spoilt, another caller was quicker.

        Raises:
            RecordUnreadable: one of them cannot be made anew.
            ResponseError: ``exc``, which is about no record.
            StorageUnavailable
        """
        if not str(exc).startswith(("WRONGTYPE", FOUND_BY_SCRIPT)):
            raise exc
        types = await asyncio.gather(*(self._ask(key, ("TYPE", key)) for key in keys))
        wrong = [key for key, found in zip(keys, types, strict=True) if self._is_wrong(key, str(found, "ascii"))]
        lasting = [key for key in wrong if not self._is_replaceable(key)] or ([] if wrong else _named(keys, exc))
        for key in lasting:
            self.note(key, exc)
        if lasting:
            raise RecordUnreadable(lasting) from exc
        for key in [key for key in wrong if not self._is_string(key)] or wrong:  # a string is written over
            await self.rename(key, exc)

    async def rename(self, key: str, exc: BaseException) -> None:
        """Put a record out of the way, under its name and an ending.

        Raises:
            StorageUnavailable
        """
        self.note(key, exc)
        with contextlib.suppress(redis_errors.ResponseError):  # it is gone: another process was quicker
            await self._ask(key, ("RENAME", key, f"{key}{ENDING}"))

    async def let_expire(self, key: str, exc: BaseException) -> None:
        """Leave a record to its writer, who writes over it; when nobody does, it is gone after some minutes.

        Redis is told once in a minute, however often the record is read.

        Raises:
            StorageUnavailable
        """
        if not self.note(key, exc):
            return
        with contextlib.suppress(redis_errors.ResponseError):
            await self._ask(key, ("EXPIRE", key, LEFT_FOR_S, "NX"))

    def _is_wrong(self, key: str, found: str) -> bool:
        kind = self._kinds.of(key)
        return kind is not None and found not in ("none", kind.type)

    def _is_string(self, key: str) -> bool:
        kind = self._kinds.of(key)
        return kind is not None and kind.type == "string"

    def _is_replaceable(self, key: str) -> bool:
        kind = self._kinds.of(key)
        return kind is not None and kind.replaceable


def _named(keys: Sequence[str], exc: redis_errors.ResponseError) -> list[str]:
    """Return the key that a script named because of what it holds, or nothing."""
    named = [key for key in keys if f"{exc} ".startswith(f"{FOUND_BY_SCRIPT} {key} ")]
    return sorted(named, key=len)[-1:]
