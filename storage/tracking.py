"""The connection on which a server says when a key that was read over the primary's wire changes.

Owns when reads can be tracked: this connection is there, and the wire's tracking is redirected to it. Only heartbeats
and Redis' own messages travel here, so that no large reply and no queue of commands delays them. Refuses to know what
keys hold.

What was read and was not reported as changed is known to be true up to the moment at which the last answered
heartbeat was sent: Redis sends an invalidation before it answers anything that came after the write. ``sure_until`` is
that moment plus ``STALE_S``. It needs no timer to be right: a silent link or a stopped process runs past it.

A heartbeat is HELLO, which tells the server's role: a master that becomes a replica is left at once, with both
connections, also when nobody writes. HELLO needs no permission and is answered while a script runs.

The reply to a read comes over the other connection, so an invalidation can come before the reply that it is about:
such a reading counts as untracked.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
import time
from typing import Any, Protocol

import structlog
from redis import exceptions as redis_errors

from runtime.exception_facts import named
from storage.errors import StorageUnavailable, storage_errors
from storage.primary import Primary
from storage.wire import Command, Replied, Wire

STALE_S = 1.0  # nothing older than this is answered without asking Redis
BEAT_EVERY_S = 0.1
SILENT_S = 0.7  # a heartbeat unanswered for so long ends the link: together with BEAT_EVERY_S below STALE_S
RECONNECT_FIRST_S = 0.02
RECONNECT_MAX_S = 1.0
LASTED_S = 1.0  # a link that lived this long was no failure
CLIENT_NAME = "prompt-tracking"


log = structlog.get_logger(__name__)


class LinkListener(Protocol):
    """Is called by a link: synchronously, in the order of the wire."""

    def link_up(self, link: TrackingLink) -> None:
        """Reads are tracked from now on."""

    def link_lost(self, link: TrackingLink) -> None:
        """Nothing that was read over the link will be reported any more."""

    def invalidated(self, link: TrackingLink, key: bytes | None) -> None:
        """A key changed; None: every key may have changed."""


class TrackingLink:
    """Follows one primary from ``start`` to ``aclose``. ``tried``: the first attempt has succeeded or failed."""

    def __init__(self, primary: Primary, listener: LinkListener) -> None:
        self.primary = primary
        self._listener = listener
        self._wire: Wire | None = None
        self._reads: Wire | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._beats: collections.deque[float] = collections.deque()  # when those under way were sent
        self._confirmations: list[Replied] = []
        self._under_way: dict[bytes, int] = {}  # tracked reads without their reply, by key
        self._changed_meanwhile: set[bytes] = set()
        self.tried = asyncio.Event()
        self.sure_until = 0.0  # in the seconds of time.monotonic()
        self.losses = 0

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name="tracking link")

    async def aclose(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    @property
    def up(self) -> bool:
        """Whether reads can be tracked."""
        return self._reads is not None

    def read(self, key: bytes, command: Command, replied: Replied, *, before: Command | None = None) -> None:
        """Read one key; ``replied`` gets ``(reply or error, tracked)``, once, and with ``before`` its reply as a third.

        ``tracked``: the key's next change will be reported. ``before`` is a command sent in the same write, untracked.

        Raises:
            StorageUnavailable: the link is down.
        """
        reads = self._reads
        if reads is None:
            raise StorageUnavailable("unreachable")
        earlier: list[Any] = []
        allowed: list[Any] = []
        self._under_way[key] = self._under_way.get(key, 0) + 1

        def answered(reply: Any) -> None:
            unchanged = self._finish(key)
            tracked = unchanged and self._reads is reads and not isinstance(allowed[0], Exception)
            replied((reply, tracked, *earlier))

        if before is not None:
            reads.send(before, earlier.append)
        reads.send(("CLIENT", "CACHING", "YES"), allowed.append)  # the next command is tracked
        reads.send(command, answered)

    def confirm(self, confirmed: Replied) -> None:
        """Hand on the answer to the next heartbeat: by then every change before it was sent has been reported.

        Raises:
            StorageUnavailable: the link is down.
        """
        if self._wire is None:
            raise StorageUnavailable("unreachable")
        self._confirmations.append(confirmed)
        if not self._beats:
            self._beat()

    def _finish(self, key: bytes) -> bool:
        """Note that a read has its reply; say whether no change of its key was reported meanwhile."""
        unchanged = key not in self._changed_meanwhile
        self._under_way[key] -= 1
        if not self._under_way[key]:
            del self._under_way[key]
            self._changed_meanwhile.discard(key)
        return unchanged

    async def _keep(self) -> None:
        """Hold one link at a time for as long as the primary lives."""
        failures = 0
        while True:
            started = time.monotonic()
            wire = Wire(self.primary.login.timeout_s, self._lost, self._pushed)
            try:
                with storage_errors():
                    reads = await self._redirected_to(wire)
                    await self._watch(wire, reads)
            except (StorageUnavailable, redis_errors.RedisError) as exc:
                failures = 1 if time.monotonic() - started > LASTED_S else failures + 1
                if failures in (1, 10):
                    log.warning("tracking_link_down", error=named(exc.__cause__ or exc), failures=failures)
            finally:
                self._lost(wire)
                wire.abort()
                self.tried.set()
            pause_s = min(RECONNECT_FIRST_S * 2 ** min(failures, 10), RECONNECT_MAX_S)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # spreads reconnections, hides nothing

    async def _redirected_to(self, wire: Wire) -> Wire:
        """Connect ``wire`` to the server of the primary's wire, and redirect that wire's invalidations to it.

        Raises:
            StorageUnavailable, RedisError
        """
        reads = await self.primary.connected()
        address, run_id = self.primary.address, self.primary.run_id
        assert address is not None
        entered = await self.primary.login.enter(wire, address, CLIENT_NAME)
        same = entered.run_id == run_id if run_id else wire.peer == reads.peer
        if not same:  # one name, two servers: the one's client ids mean nothing to the other
            self.primary.leave()
            raise StorageUnavailable("unreachable")
        await reads.command("CLIENT", "TRACKING", "ON", "REDIRECT", entered.client_id, "OPTIN")
        if reads.lost.is_set() or wire.lost.is_set():
            raise StorageUnavailable("unreachable")
        return reads

    async def _watch(self, wire: Wire, reads: Wire) -> None:
        """Send heartbeats until one of the two connections is lost."""
        ended = asyncio.Event()

        def lost() -> None:
            self._lost(wire)
            ended.set()

        forget = reads.when_lost(lost)
        wire.when_lost(lost)
        self._wire, self._reads = wire, reads
        self._listener.link_up(self)
        self.tried.set()
        try:
            while not ended.is_set():
                if self._beats and time.monotonic() > self._beats[0] + SILENT_S:
                    raise StorageUnavailable("timeout")
                self._beat()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_EVERY_S):  # wait_for of Python 3.11 can swallow our cancellation
                        await ended.wait()
        finally:
            forget()
        raise StorageUnavailable("unreachable")

    def _beat(self) -> None:
        assert self._wire is not None
        self._beats.append(time.monotonic())
        self._wire.send(("HELLO",), self._beaten)

    def _beaten(self, answer: Any) -> None:
        sent_at = self._beats.popleft()
        if isinstance(answer, dict) and self._wire is not None and not self.primary.demoted(answer):
            self.sure_until = sent_at + STALE_S
        confirmations, self._confirmations = self._confirmations, []
        for confirmed in confirmations:
            confirmed(answer)

    def _pushed(self, push: list[Any]) -> None:
        if push[0] == b"invalidate":
            for key in push[1] if push[1] is not None else (None,):
                self._changed_meanwhile |= self._under_way.keys() if key is None else self._under_way.keys() & {key}
                self._listener.invalidated(self, key)

    def _lost(self, wire: Wire) -> None:
        if self._wire is wire:
            self._wire = self._reads = None
            self.losses += 1
            self.sure_until = 0.0
            self._listener.link_lost(self)
