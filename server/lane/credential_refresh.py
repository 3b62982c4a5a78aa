"""Checks the credentials of cached polls again, many in one round trip.

An API key is read again every few seconds, and each credential whose record has changed; one by one, for every client
that polls, that would cost more than the polls. Does not know connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from accounts import Identity
from server.lane.header_cache import CachedPoll, HeaderCache
from storage.errors import StorageUnavailable

COLLECT_S = 0.3  # a credential in use is renewed before it is due, so there is time to collect others
BATCH = 500  # credentials in one round trip


class CredentialRefresh:
    """Renews the cache's credentials, or makes the cache forget their blocks."""

    def __init__(self, identity: Identity, cache: HeaderCache) -> None:
        self._identity = identity
        self._cache = cache
        self._due: dict[CachedPoll, list[Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._worker: asyncio.Task[None] | None = None

    def soon(self, known: CachedPoll) -> None:
        """Renew together with others; it is still good."""
        known.caller.renew_at = known.caller.fresh_until
        self._due.setdefault(known, [])
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COLLECT_S, self._start)

    def now(self, known: CachedPoll, then: Callable[[], None]) -> None:
        """Renew at once, and call ``then`` when that has ended, whatever the outcome."""
        self._due.setdefault(known, []).append(then)
        self._start()

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="credential refresh")

    async def _work(self) -> None:
        try:
            while self._due:
                batch = dict(list(self._due.items())[:BATCH])
                for known in batch:
                    del self._due[known]
                try:
                    await self._renew(list(batch))
                finally:
                    for waiting in batch.values():
                        for then in waiting:
                            then()
        finally:
            self._worker = None

    async def _renew(self, batch: list[CachedPoll]) -> None:
        try:
            callers = await self._identity.renew([known.caller for known in batch])
        except StorageUnavailable:
            return  # those that are valid still are served for another moment
        for known, caller in zip(batch, callers, strict=True):
            if caller is None:
                self._cache.forget(known)  # the ordinary handler answers 401
            else:
                known.caller = caller
