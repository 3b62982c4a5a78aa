"""A bounded local copy of status documents that is coherent with Redis across processes.

Owns what this process knows of documents and how long it may use that; refuses to know how documents are made.
A document that is not terminal is answered only while its server's tracking link vouches for it
(``storage/tracking.py``), so none is older than one second. A terminal document never changes: it is known for certain
until it expires, Redis or not. No document is answered after its expiry, by the clock, and no version after a higher
one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from functools import partial
from types import TracebackType
from typing import Any, TypeAlias

from generation.document import Document, is_document
from generation.known_documents import MAX_BYTES, KnownDocuments
from generation.lost_documents import LostDocuments
from storage.errors import StorageUnavailable
from storage.storage import Storage
from storage.tracked_keys import TrackedKeys, TrackedReading
from storage.tracking import STALE_S, TrackingLink
from storage.wire import Argument

STATUS_TTL_S = 600
SWEEP_EVERY_S = 20.0  # expiries are reported over the link: those of documents read before it was lost are not
UNTRACKED_S = STALE_S / 2  # how long a document is good that no invalidation will come for
TRACKED_WITHIN_S = 0.1  # of being written here

Found: TypeAlias = Callable[[Document | StorageUnavailable | None], None]


class _Fetch:
    """A read that Redis has not answered yet, and its waiters."""

    __slots__ = ("asked_at", "rewritten", "waiting")

    def __init__(self) -> None:
        self.asked_at = time.monotonic()
        self.rewritten = False
        self.waiting: list[Found] = []


class StatusCopy:
    """An async context manager around its links.

    Holds ``entries`` documents of ``max_bytes`` in all: the least used go first, the expired by themselves.
    A document that is missing while its task is unfinished is written again, to live ``status_ttl_s``.
    """

    def __init__(
        self, storage: Storage, *, entries: int, max_bytes: int = MAX_BYTES, status_ttl_s: int = STATUS_TTL_S
    ) -> None:
        self._storage = storage
        self._lost = LostDocuments(storage, status_ttl_s)
        self._keys = TrackedKeys(storage)
        self._sweeping: asyncio.TimerHandle | None = None
        self._documents = KnownDocuments(entries, max_bytes)
        self._fetches: dict[bytes, _Fetch] = {}
        self._unsure: dict[TrackingLink, list[tuple[bytes, Found]]] = {}
        self._untracked: set[bytes] = set()
        self._tracking: asyncio.TimerHandle | None = None
        self._working: set[asyncio.Task[None]] = set()
        self._keys.on_invalidated = self._invalidated
        self._keys.on_lost = self._keys.on_up = self._documents.trust_nothing_of
        self.reads = 0

    async def __aenter__(self) -> StatusCopy:
        await self._keys.__aenter__()
        self._sweep()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in (self._tracking, self._sweeping):
            if timer is not None:
                timer.cancel()
        for working in self._working:
            working.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._keys.__aexit__(kind, exc, trace)

    def __len__(self) -> int:
        return len(self._documents)

    @property
    def link_losses(self) -> int:
        """The number of times that a tracking link was lost since the start."""
        return self._keys.losses

    def key(self, account_id: str, task_id: str) -> bytes:
        """Name a task's document as ``peek_key`` and ``look_up`` want it."""
        return self._storage.key(account_id, "status", task_id).encode()

    def peek_key(self, key: bytes) -> Document | None:
        """Return the document if it is known for certain, without asking Redis; ``key`` as ``key`` makes it."""
        document = self._documents.get(key)
        if document is not None:
            now = time.monotonic()
            if now < document.good_until and (document.link is None or now < document.link.sure_until):
                document.used = True
                return document
        return None

    def last_known(self, key: bytes) -> Document | None:
        """Return the version that was known last, which may be out of date; its progress never falls."""
        return self._documents.get(key)

    async def document(self, account_id: str, task_id: str) -> Document | None:
        """Return the document, or None when there is no such task (any more).

        Raises:
            StorageUnavailable: it is not known for certain and Redis cannot be asked.
        """
        result: asyncio.Future[Document | StorageUnavailable | None] = asyncio.get_running_loop().create_future()
        self.look_up(self.key(account_id, task_id), lambda found: None if result.done() else result.set_result(found))
        found = await result
        if isinstance(found, StorageUnavailable):
            raise found.with_traceback(None)  # many may wait for one error, and each would add to its traceback
        return found

    def look_up(self, key: bytes, found: Found) -> None:
        """Call ``found`` once with the document, None, or the error: at once, or when Redis has been asked."""
        if (document := self.peek_key(key)) is not None:
            found(document)
            return
        document = self._documents.get(key)
        link = document.link if document is not None and time.monotonic() < document.good_until else None
        if link is not None and link.up:
            # Only the link has not vouched for a moment: one heartbeat is the answer for all, whatever their number.
            unsure = self._unsure.setdefault(link, [])
            unsure.append((key, found))
            if len(unsure) == 1:
                link.confirm(partial(self._confirmed, link))
        else:
            self._fetch(key, found)

    async def wait(self, account_id: str, task_id: str, after_version: int, timeout_s: float) -> Document | None:
        """Return the document as soon as it is terminal or its version is above ``after_version``; else as it is then.

        Raises:
            StorageUnavailable: as ``document``.
        """
        deadline = time.monotonic() + timeout_s
        changed = asyncio.Event()
        unwatch = self._keys.watch(self.key(account_id, task_id), changed.set)
        try:
            while True:
                changed.clear()
                document = await self.document(account_id, task_id)
                left_s = deadline - time.monotonic()
                if document is None or document.terminal or document.version > after_version or left_s <= 0:
                    return document
                try:
                    async with asyncio.timeout(left_s if document.tracked else min(left_s, UNTRACKED_S)):
                        await changed.wait()
                except TimeoutError:
                    continue
        finally:
            unwatch()

    def put(self, account_id: str, task_id: str, body: bytes, ttl_s: float) -> None:
        """Apply a document that this process has just written; a higher version that is known already stays."""
        key = self.key(account_id, task_id)
        now = time.monotonic()
        self._documents.store(key, body, now + ttl_s, now + UNTRACKED_S, None)
        self._track_soon(key)
        self._keys.notify(key)

    def watch(self, key: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` when any key of Redis may have a new value; return the function that ends that.

        Redis reports a key once after each time it was read here (``read_tracked``, ``document``): watch, then read,
        and read again after each call. While the link is down and when it is back every watcher is called as well.
        """
        return self._keys.watch(key.encode(), changed)

    async def read_tracked(self, name: str, key: str, *arguments: Argument) -> Any:
        """Run a command that only reads, so that its key's watchers are called at the next change; values are bytes.

        Raises:
            StorageUnavailable
        """
        return await self._keys.run(name, key, *arguments)

    def _track_soon(self, key: bytes) -> None:
        """Make Redis report the document's next change, which another process may write.

        Not at once: a task's first stages are milliseconds apart, and each is written here.
        """
        self._untracked.add(key)
        if self._tracking is None:
            self._tracking = asyncio.get_running_loop().call_later(TRACKED_WITHIN_S, self._track)

    def _track(self) -> None:
        untracked, self._untracked, self._tracking = self._untracked, set(), None
        for key in untracked:
            document = self._documents.get(key)
            if document is not None and document.link is None and self._keys.link_of(key) is not None:
                self._fetch(key)

    def _invalidated(self, key: bytes | None) -> None:
        if key is None:
            self._documents.clear()
            self._keys.notify_all()
            return
        document = self._documents.get(key)
        if document is not None and time.monotonic() < document.expires_at:
            self._distrust(document)
            self._fetch(key)  # its end notifies
        else:
            self._documents.forget(key)
            self._keys.notify(key)

    def _distrust(self, document: Document) -> None:
        # What changed it is younger than the last heartbeat that was answered: until STALE_S after that the old one
        # will do.
        if document.link is not None:
            document.good_until = min(document.good_until, document.link.sure_until)
            document.link = None

    def _confirmed(self, link: TrackingLink, _answer: Any) -> None:
        for key, found in self._unsure.pop(link, []):
            self.look_up(key, found)

    def _fetch(self, key: bytes, found: Found | None = None) -> None:
        """Read a document, once for all concurrent callers; a late reply may hold an old version."""
        fetch = self._fetches.get(key)
        if fetch is None or time.monotonic() - fetch.asked_at > UNTRACKED_S:
            fetch = self._fetches[key] = _Fetch()
            self.reads += 1
            self._keys.read(key, partial(self._fetched, key, fetch))
        if found is not None:
            fetch.waiting.append(found)

    def _fetched(self, key: bytes, fetch: _Fetch, reading: TrackedReading | StorageUnavailable) -> None:
        result: Document | StorageUnavailable | None = None
        if isinstance(reading, StorageUnavailable):
            result = reading
        elif reading.body is None:
            self._documents.forget(key)
            if fetch.rewritten:
                result = StorageUnavailable("refused")  # lost again at once
            elif fetch.waiting:
                self._work(self._rewrite(key, fetch), "looks for the task of a document that is missing")
                return
        elif not is_document(reading.body):
            result = StorageUnavailable("refused")  # a running task writes the next one
            self._let_expire(key)
        else:
            _, ttl_ms, asked_at, link = reading
            # -1 is a key that never expires, -2 one that was created between the two questions.
            expires_at = asked_at + ttl_ms / 1000 if ttl_ms >= 0 else asked_at + UNTRACKED_S
            result = self._documents.store(key, reading.body, expires_at, asked_at + UNTRACKED_S, link)
        self._answer(key, fetch, result)

    def _answer(self, key: bytes, fetch: _Fetch, result: Document | StorageUnavailable | None) -> None:
        if self._fetches.get(key) is fetch:
            del self._fetches[key]
        for found in fetch.waiting:
            found(result)
        if isinstance(result, Document) and not result.terminal and result.link is None and self._keys.link_of(key):
            self._fetch(key)  # it changed, or the link came back, meanwhile: its watchers rely on it
        self._keys.notify(key)

    async def _rewrite(self, key: bytes, fetch: _Fetch) -> None:
        """Answer that a document is missing, unless its task is unfinished: then write it again and read it."""
        fetch.rewritten = True
        try:
            if await self._lost.rewrite(key):
                self._keys.read(key, partial(self._fetched, key, fetch))
            else:
                self._answer(key, fetch, None)
        except StorageUnavailable as exc:
            self._answer(key, fetch, exc)
        except asyncio.CancelledError:
            self._answer(key, fetch, StorageUnavailable("unreachable"))
            raise

    def _let_expire(self, key: bytes) -> None:
        self._work(self._leave(str(key, "utf-8")), "lets what is no document expire")

    def _work(self, work: Coroutine[Any, Any, None], name: str) -> None:
        working = asyncio.create_task(work, name=name)
        self._working.add(working)
        working.add_done_callback(self._working.discard)

    async def _leave(self, key: str) -> None:
        with contextlib.suppress(StorageUnavailable):
            await self._storage.spoilt.let_expire(key, ValueError())

    def _sweep(self) -> None:
        """Forget what has expired."""
        self._documents.forget_expired()
        self._sweeping = asyncio.get_running_loop().call_later(SWEEP_EVERY_S, self._sweep)
