"""Checks that this program knows the layout of the stored data, by its version.

One key names the version. It grows only with a layout that older programs would misread; a program reads every version
up to its own. Refuses to know what the layout is: docs/architecture.md has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

import structlog

from storage.errors import SchemaTooNew, StorageMisconfigured, StorageUnavailable
from storage.record_kinds import RecordKind
from storage.storage import Storage
from storage.tracked_keys import TrackedReads

SCHEMA_VERSION = 1
RECORDS = {"schema": RecordKind("string", replaceable=True)}

log = structlog.get_logger(__name__)


async def check_schema(storage: Storage, known: int = SCHEMA_VERSION) -> None:
    """Return when the data can be read; data of an older version, or without one, gets ``known``, in one atomic step.

    A version that is none was written by somebody else: it is set aside, and stops no start. Where only the version's
    own server is out of reach (a part of a cluster), nothing is checked: the rest is served.

    Raises:
        SchemaTooNew: the data is newer than this program.
        StorageMisconfigured
    """
    key = storage.shared_key("schema")
    try:
        stored: bytes = await storage.run("raise_schema", [key], [known])
        if not stored.isdigit():
            await storage.spoilt.rename(key, ValueError(stored))
            stored = await storage.run("raise_schema", [key], [known])
    except StorageUnavailable as exc:
        if isinstance(exc, StorageMisconfigured):
            raise
        log.warning("schema_not_checked", reason=exc.reason)
        return
    if stored != b"%d" % known:
        shown = stored[:20].decode("utf-8", "backslashreplace")
        raise SchemaTooNew(
            f"the data in Redis has schema version {shown} ({key}), and this program knows {known} and older ones: "
            "start the version that wrote the data, or a newer one"
        )


class SchemaGuard:
    """An async context manager: while it is open, it notices a version that is too new as soon as it is written.

    ``outdated`` is called once, with the error that a start would end with. A version that is gone or older, as in
    another Redis, is raised again.
    """

    def __init__(
        self,
        storage: Storage,
        reads: TrackedReads,
        outdated: Callable[[StorageMisconfigured], None],
        known: int = SCHEMA_VERSION,
    ) -> None:
        self._storage = storage
        self._reads = reads
        self._outdated = outdated
        self._known = known
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> SchemaGuard:
        self._work = asyncio.create_task(self._follow(), name="follows the schema version")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _follow(self) -> None:
        changed = asyncio.Event()
        key = self._storage.shared_key("schema")
        unwatch = self._reads.watch(key, changed.set)
        try:
            while True:
                changed.clear()
                try:
                    if await self._reads.read_tracked("GET", key) != b"%d" % self._known:
                        await check_schema(self._storage, self._known)
                except SchemaTooNew as exc:
                    log.error("schema_too_new", problem=exc.sentence)  # noqa: TRY400  # the sentence says it all
                    self._outdated(exc)
                    return
                except StorageUnavailable:  # also a password that somebody changes: the new one, or the old, may come
                    pass  # the watcher is called when Redis is back
                await changed.wait()
        finally:
            unwatch()
