"""Reads keys and reports their next change, whatever state the tracking links are in.

Owns the link of each primary, the watchers of each key, and the reads while a link is down: those are ordinary
commands, and no change is reported. Refuses to know what the keys hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TypeAlias

from redis import exceptions as redis_errors

from storage.errors import StorageUnavailable
from storage.primary import Primary
from storage.storage import Storage
from storage.tracking import TrackingLink
from storage.wire import Argument, checked

NOTIFY_UNTRACKED_EVERY_S = 0.5  # while no link reports changes, watchers are notified at this interval


class TrackedReading(NamedTuple):
    """What a key held. ``ttl_ms`` is as PTTL gives it; ``link`` will report the next change, or is None.

    ``asked_at``, in the seconds of ``time.monotonic()``, is before the question, so that what is derived errs early.
    """

    body: bytes | None
    ttl_ms: int
    asked_at: float
    link: TrackingLink | None


class TrackedReads(Protocol):
    """Reads whose next change is reported, also after a connection was lost."""

    def watch(self, key: str, changed: Callable[[], None]) -> Callable[[], None]: ...

    async def read_tracked(self, name: str, key: str, *arguments: Argument) -> Any: ...


Read: TypeAlias = Callable[[TrackedReading | StorageUnavailable], None]


class TrackedKeys:
    """An async context manager around its links. ``on_up`` and ``on_lost`` are called with a link, before watchers.

    ``on_invalidated`` is called with each key that changed, None for all; it calls ``notify`` when it has finished.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._topology = storage.topology
        self._links: dict[Primary, TrackingLink] = {}
        self._watchers: dict[bytes, dict[object, Callable[[], None]]] = {}
        self._notify_timer: asyncio.TimerHandle | None = None
        self._untracked: list[tuple[bytes, float, Read]] = []
        self._untracked_reader: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._losses_before = 0
        self.on_up: Callable[[TrackingLink], None] = lambda _link: None
        self.on_lost: Callable[[TrackingLink], None] = lambda _link: None
        self.on_invalidated: Callable[[bytes | None], None] = lambda _key: None

    async def __aenter__(self) -> TrackedKeys:
        """Start, and return when the first attempt to connect to each server has succeeded or failed."""
        self._topology.joined, self._topology.parted = self._joined, self._parted
        for primary in self._topology.all():
            self._joined(primary)
        for link in list(self._links.values()):
            await link.tried.wait()
        if not self._all_up:
            self._notify_untracked()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._topology.joined = self._topology.parted = lambda _primary: None
        for primary in list(self._links):
            self._parted(primary)
        if self._closing:
            await asyncio.wait(self._closing)
        if self._notify_timer is not None:
            self._notify_timer.cancel()
        if self._untracked_reader is not None:
            self._untracked_reader.cancel()
            await asyncio.wait([self._untracked_reader])

    @property
    def losses(self) -> int:
        """The number of times that a link was lost since the start."""
        return self._losses_before + sum(link.losses for link in self._links.values())

    def link_of(self, key: bytes) -> TrackingLink | None:
        """Return the link of the key's server, when it is up."""
        link = self._links.get(self._topology.of(key))
        return link if link is not None and link.up else None

    def watch(self, key: bytes, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` when the key may have a new value; return the function that ends that.

        Redis reports a key once after each time it was read here: watch, then read, and read again after each call.
        While the key's link is down and when it is back every watcher is called as well.
        """
        token = object()
        self._watchers.setdefault(key, {})[token] = changed

        def unwatch() -> None:
            watchers = self._watchers.get(key, {})
            watchers.pop(token, None)
            if not watchers:
                self._watchers.pop(key, None)

        return unwatch

    def notify(self, key: bytes) -> None:
        """Call the key's watchers."""
        for changed in list(self._watchers.get(key, {}).values()):
            changed()

    def notify_all(self) -> None:
        for key in list(self._watchers):
            self.notify(key)

    async def run(self, name: str, key: str, *arguments: Argument) -> Any:
        """Run a command that only reads one key, and track the key's next change; values are bytes.

        Raises:
            StorageUnavailable
        """
        if (link := self.link_of(key.encode())) is not None:
            answer: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()
            link.read(
                key.encode(),
                (name, key, *arguments),
                lambda told: None if answer.done() else answer.set_result(told),
            )
            reply, tracked = await answer
            if not isinstance(reply, Exception):
                if not tracked:
                    asyncio.get_running_loop().call_soon(self.notify, key.encode())  # it changed meanwhile
                return reply
        return await self._storage.command(name, key, *arguments)

    def read(self, key: bytes, read: Read) -> None:
        """Read a string and its remaining time; all reads of this turn go out together."""
        asked_at = time.monotonic()
        link = self.link_of(key)
        if link is None:
            self._read_untracked(key, asked_at, read)
            return

        def replied(told: tuple[Any, ...]) -> None:
            # The time was asked for first: the string's own reply is the last word.
            body, tracked, ttl_ms = told
            if isinstance(body, Exception) or isinstance(ttl_ms, Exception):
                self._read_untracked(key, asked_at, read)
            else:
                read(TrackedReading(body, ttl_ms, asked_at, link if tracked else None))

        link.read(key, ("GET", key), replied, before=("PTTL", key))

    def link_up(self, link: TrackingLink) -> None:
        if self._notify_timer is not None and self._all_up:
            self._notify_timer.cancel()
            self._notify_timer = None
        self.on_up(link)
        self.notify_all()

    def link_lost(self, link: TrackingLink) -> None:
        self.on_lost(link)
        self._notify_untracked()

    def invalidated(self, link: TrackingLink, key: bytes | None) -> None:  # noqa: ARG002  # LinkListener's signature
        self.on_invalidated(key)

    @property
    def _all_up(self) -> bool:
        return all(link.up for link in self._links.values())

    def _joined(self, primary: Primary) -> None:
        if primary not in self._links:
            link = self._links[primary] = TrackingLink(primary, self)
            link.start()

    def _parted(self, primary: Primary) -> None:
        if (link := self._links.pop(primary, None)) is not None:
            closing = asyncio.create_task(link.aclose(), name="tracking link closes")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            self._losses_before += link.losses

    def _read_untracked(self, key: bytes, asked_at: float, read: Read) -> None:
        self._untracked.append((key, asked_at, read))
        if self._untracked_reader is None:
            self._untracked_reader = asyncio.create_task(self._read_all_untracked(), name="reads untracked")

    async def _read_all_untracked(self) -> None:
        batch: list[tuple[bytes, float, Read]] = []
        try:
            while self._untracked:
                batch, self._untracked = self._untracked, []
                results = await asyncio.gather(*(self._read_one_untracked(key) for key, _, _ in batch))
                for (_, asked_at, read), result in zip(batch, results, strict=True):
                    read(result if isinstance(result, StorageUnavailable) else TrackedReading(*result, asked_at, None))
                batch = []
        finally:
            unread, self._untracked = [*batch, *self._untracked], []
            self._untracked_reader = None
            for _, _, read in unread:
                read(StorageUnavailable("unreachable"))

    async def _read_one_untracked(self, key: bytes) -> tuple[bytes | None, int] | StorageUnavailable:
        try:
            ttl_ms, body = await self._storage.read_untracked([("PTTL", key), ("GET", key)])
        except redis_errors.ResponseError as exc:
            with contextlib.suppress(StorageUnavailable):
                await self._storage.spoilt.let_expire(str(key, "utf-8", "replace"), exc)
            return _refusal(exc)
        except (StorageUnavailable, redis_errors.RedisError) as exc:
            return _refusal(exc)
        return body, ttl_ms

    def _notify_untracked(self) -> None:
        if self._notify_timer is not None:
            self._notify_timer.cancel()
        self._notify_timer = asyncio.get_running_loop().call_later(NOTIFY_UNTRACKED_EVERY_S, self._notify_untracked)
        for key in list(self._watchers):
            if self.link_of(key) is None:
                self.notify(key)


def _refusal(reply: Exception) -> StorageUnavailable:
    """Name an error reply to a plain read: not ready to serve, or forbidden by an ACL."""
    try:
        checked(reply)
    except StorageUnavailable as exc:
        return exc
    except redis_errors.ResponseError:
        pass
    return StorageUnavailable("refused")
