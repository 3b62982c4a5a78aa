"""Looking again at the credentials of those who poll, many in one round trip.

An API key is good for seconds only (a revoked one must stop working); asked about one by one, by everybody who polls,
keys would cost more than their polls. Refuses to know connections.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from accounts import Identity
from server.lane.header_cache import PollMemo, Remembered
from storage.errors import StorageUnavailable

TOGETHER_S = 0.3  # who polls on is renewed before it is due, so there is time to collect
MOST_AT_ONCE = 500
TRY_AGAIN_S = 0.5


class Renewals:
    """Renews what the memo remembers, or has the memo forget it."""

    def __init__(self, identity: Identity, memo: PollMemo) -> None:
        self._identity = identity
        self._memo = memo
        self._due: dict[Remembered, list[Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._worker: asyncio.Task[None] | None = None

    def soon(self, known: Remembered) -> None:
        """Renew together with others; it is still good."""
        known.renew_at = known.valid_until
        self._due.setdefault(known, [])
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TOGETHER_S, self._start)

    def now(self, known: Remembered, then: Callable[[], None]) -> None:
        """Renew at once, and call ``then`` whatever comes of it."""
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
            self._worker = asyncio.create_task(self._work(), name="renewals")

    async def _work(self) -> None:
        try:
            while self._due:
                batch = dict(list(self._due.items())[:MOST_AT_ONCE])
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

    async def _renew(self, batch: list[Remembered]) -> None:
        try:
            callers = await self._identity.renew([known.authorization for known in batch])
        except StorageUnavailable:
            for known in batch:
                known.renew_at = time.monotonic() + TRY_AGAIN_S  # each is good until it is due
            return
        for known, caller in zip(batch, callers, strict=True):
            if caller is None or caller.account_id != known.account_id:
                self._memo.forget(known)  # the ordinary handler knows how to say 401
            else:
                known.renew(caller)
