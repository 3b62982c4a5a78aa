"""The poll limit of each account: one token bucket, shared by the express lane and the ordinary handler.

Does not know what is polled and how a refusal looks.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from weakref import WeakValueDictionary

MAX_BUCKETS = 100_000  # kept for accounts whose polls are not cached; the longest unused bucket goes first


class Bucket:
    """Fills with ``per_second`` tokens a second up to one second's worth, but at least to one."""

    __slots__ = ("__weakref__", "_at", "_per_second", "_size", "_tokens")

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._size = self._tokens = max(per_second, 1.0)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take a token if there is one. ``now`` is in seconds of any one clock; 0 tokens a second are no limit."""
        if not self._per_second:
            return True
        tokens = self._tokens + (now - self._at) * self._per_second
        self._at = now
        if tokens > self._size:
            tokens = self._size
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True


class PollLimits:
    """The buckets of all accounts that poll."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._recent: OrderedDict[str, Bucket] = OrderedDict()
        self._buckets: WeakValueDictionary[str, Bucket] = WeakValueDictionary()  # those that the lane uses among them
        self.quota = max(1, int(per_second))
        self.window_s = max(1, math.ceil(1 / per_second)) if per_second else 1

    def bucket(self, account_id: str) -> Bucket:
        """Return the account's bucket, the same object for as long as anything refers to it."""
        bucket = self._buckets.get(account_id)
        if bucket is None:
            bucket = self._buckets[account_id] = Bucket(self._per_second)
        self._recent[account_id] = bucket
        self._recent.move_to_end(account_id)
        if len(self._recent) > MAX_BUCKETS:
            self._recent.popitem(last=False)
        return bucket
