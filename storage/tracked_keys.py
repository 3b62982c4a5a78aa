"""Reading keys so that their next change is heard, whatever state the tracking link is in.

Owns who watches which key, and the way around: while the link is down the shared pool answers, one round trip at a
time. Refuses to know what the keys hold.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias

from redis import exceptions as redis_errors

from storage.errors import StorageUnavailable
from storage.storage import Storage
from storage.tracking import TrackingLink
from storage.wire import Argument, checked

LOOK_AGAIN_EVERY_S = 0.5  # while nothing tells us what changed, watchers are told to look for themselves


class Reading(NamedTuple):
    """What a key held. ``ttl_ms`` is as PTTL gives it; ``tracked``: the link will report the next change.

    ``asked_at``, in the seconds of ``time.monotonic()``, is before the question, so that what is derived errs early.
    """

    body: bytes | None
    ttl_ms: int
    asked_at: float
    tracked: bool


Read: TypeAlias = Callable[[Reading | StorageUnavailable], None]


class TrackedKeys:
    """An async context manager around its link. ``on_up`` and ``on_lost`` are called before the watchers."""

    def __init__(self, storage: Storage, link: TrackingLink) -> None:
        self._storage = storage
        self._link = link
        self._watchers: dict[bytes, dict[object, Callable[[], None]]] = {}
        self._look_again: asyncio.TimerHandle | None = None
        self._around: list[tuple[bytes, float, Read]] = []
        self._around_reader: asyncio.Task[None] | None = None
        self._alone: set[asyncio.Task[list[Any]]] = set()
        link.on_lost = self._lost
        link.on_up = self._up
        self.on_up: Callable[[], None] = lambda: None
        self.on_lost: Callable[[], None] = lambda: None

    async def __aenter__(self) -> TrackedKeys:
        await self._link.__aenter__()
        if not self._link.up:
            self._keep_looking()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._link.__aexit__(kind, exc, trace)
        if self._look_again is not None:
            self._look_again.cancel()
        if self._around_reader is not None:
            self._around_reader.cancel()
            await asyncio.wait([self._around_reader])
        if self._alone:
            await asyncio.wait(self._alone)

    def watch(self, key: bytes, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` when the key may hold something new; return what ends that.

        Redis reports a key once after each time it was read here: watch, then read, and read again after each call.
        While the link is down and when it is back every watcher is called as well.
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
        """Tell the key's watchers to look again."""
        for changed in list(self._watchers.get(key, {}).values()):
            changed()

    def notify_all(self) -> None:
        for key in list(self._watchers):
            self.notify(key)

    async def run(self, *command: Argument) -> Any:
        """Run a command that only reads, and hear of the next change of its keys; values are bytes.

        Raises:
            StorageUnavailable
        """
        if self._link.up:
            try:
                return await self._link.command(*command)
            except StorageUnavailable:
                if self._link.up:
                    raise
        # In a coroutine of its own: redis-py's timeouts use asyncio.wait_for, which can lose the caller's cancellation
        # in Python 3.11, and a caller that was cancelled would go on.
        alone = asyncio.create_task(self._run_around([command]), name="reads around the tracking link")
        self._alone.add(alone)
        alone.add_done_callback(self._alone.discard)
        return (await asyncio.shield(alone))[0]

    def read(self, key: bytes, read: Read) -> None:
        """Read a string and its remaining time; with the link up they go out together with all others of this tick."""
        asked_at = time.monotonic()
        if not self._link.up:
            self._read_around(key, asked_at, read)
            return
        ttl: list[Any] = []

        def replied(body: Any) -> None:
            # The time was asked for first: the string's own reply is the last word, and an invalidation that comes
            # before it is contained in it.
            body = ttl[0] if isinstance(ttl[0], Exception) else body
            if not isinstance(body, Exception):
                read(Reading(body, ttl[0], asked_at, tracked=True))
            elif self._link.up:
                read(_refusal(body))
            else:
                self._read_around(key, asked_at, read)

        self._link.send((b"PTTL", key), ttl.append)
        self._link.send((b"GET", key), replied)

    def _read_around(self, key: bytes, asked_at: float, read: Read) -> None:
        self._around.append((key, asked_at, read))
        if self._around_reader is None:
            self._around_reader = asyncio.create_task(self._read_all_around(), name="reads around the tracking link")

    async def _read_all_around(self) -> None:
        batch: list[tuple[bytes, float, Read]] = []
        try:
            while self._around:
                batch, self._around = self._around, []
                try:
                    replies = await self._run_around([(name, key) for key, _, _ in batch for name in (b"PTTL", b"GET")])
                except StorageUnavailable as exc:
                    for _, _, read in batch:
                        read(exc)
                else:
                    for (_, asked_at, read), ttl_ms, body in zip(batch, replies[::2], replies[1::2], strict=True):
                        read(Reading(body, ttl_ms, asked_at, tracked=False))
                batch = []
        finally:
            unread, self._around = [*batch, *self._around], []
            self._around_reader = None
            for _, _, read in unread:
                read(StorageUnavailable("unreachable"))

    async def _run_around(self, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
        pool = self._storage.redis.connection_pool

        async def exchange() -> list[Any]:
            connection = await pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py's own omission
            try:
                await connection.send_packed_command(connection.pack_commands(commands))
                return [checked(await connection.read_response()) for _ in commands]
            finally:
                await pool.release(connection)

        try:
            return await self._storage.read("read_around", exchange)
        except redis_errors.ResponseError as exc:
            raise _refusal(exc) from exc

    def _lost(self) -> None:
        self.on_lost()
        self._keep_looking()

    def _keep_looking(self) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
        self._look_again = asyncio.get_running_loop().call_later(LOOK_AGAIN_EVERY_S, self._keep_looking)
        self.notify_all()

    def _up(self) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None
        self.on_up()
        self.notify_all()


def _refusal(reply: Exception) -> StorageUnavailable:
    """Name an error reply to a plain read: not ready to serve, or forbidden by an ACL."""
    try:
        checked(reply)
    except StorageUnavailable as exc:
        return exc
    except redis_errors.ResponseError:
        pass
    return StorageUnavailable("refused")
