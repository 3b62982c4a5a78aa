"""Limits how fast an account may submit: the script's two numbers, and the accounts refused a moment ago.

The bucket itself is one key in Redis, shared by all processes. The refusals kept here only spare Redis repeated
submits. Refuses to know how a refusal looks.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict

from generation.errors import TooManySubmits
from generation.submits_left import Allowance, SubmitsLeft, TaskRoom
from runtime.settings import LimitSettings

UNABLE_FACTOR = 10  # one submit of an account that cannot pay counts as so many
RATE_OF_UNABLE = 10.0  # submits per second that this counts in where others have no limit
MAX_REFUSED = 10_000
REMEMBERED_S = 1.0  # then Redis is asked: tokens may have been bought, and the account pays again


class SubmitLimits:
    """``interval_ms`` is what one submit takes out of the bucket, 0 for no limit; ``size_ms`` is what the bucket holds.

    ``unable_ms`` is what a submit of an account that cannot pay takes. That limit is always there: such submits fill
    Redis for nothing.
    """

    def __init__(self, limits: LimitSettings) -> None:
        rate = limits.submits_per_second_per_account
        counted_ms = max(1, round(1000 / (rate or RATE_OF_UNABLE)))
        self.interval_ms = counted_ms if rate else 0
        self.unable_ms = counted_ms * UNABLE_FACTOR
        self.size_ms = counted_ms * limits.submits_burst_per_account
        self._quota = limits.submits_burst_per_account
        self._unfinished = limits.unfinished_tasks_per_account
        self._window_s = max(1, math.ceil(self.size_ms / 1000))
        self._refused: OrderedDict[str, tuple[float, float]] = OrderedDict()  # remembered until, next submit at

    def check(self, account_id: str) -> None:
        """Refuse at once an account that was refused and did not wait.

        Raises:
            TooManySubmits
        """
        if account_id not in self._refused:
            return
        now = time.monotonic()
        until, next_at = self._refused[account_id]
        if now < until:
            raise TooManySubmits(next_at - now, self._quota, self._window_s)
        del self._refused[account_id]

    def left(self, drawn_ms: int, unfinished: int, each_ms: int) -> SubmitsLeft:
        """Return what is left with ``drawn_ms`` of the bucket used and ``unfinished`` tasks.

        ``each_ms``: what a submit of this account takes, as the script found it.
        """
        room = TaskRoom(self._unfinished, max(0, self._unfinished - unfinished))
        return SubmitsLeft(self.allowance(drawn_ms, each_ms), room, each_ms)

    def allowance(self, drawn_ms: int, each_ms: int) -> Allowance | None:
        """Return how many submits of ``each_ms`` the bucket has left with ``drawn_ms`` of it used.

        None where there is no limit.
        """
        if not each_ms:
            return None
        size_ms = max(self.size_ms, each_ms)  # the script lets one pass however small the bucket is
        free_ms = size_ms - drawn_ms
        remaining = max(0, free_ms) // each_ms
        next_ms = (remaining + 1) * each_ms
        more_in_ms = next_ms - free_ms if next_ms <= size_ms else 0
        return Allowance(self._quota, self._window_s, remaining, math.ceil(more_in_ms / 1000))

    def refused(self, account_id: str, wait_s: float) -> TooManySubmits:
        """Remember a refusal of the script's and return the error to raise."""
        now = time.monotonic()
        self._refused[account_id] = (now + min(wait_s, REMEMBERED_S), now + wait_s)
        if len(self._refused) > MAX_REFUSED:
            self._refused.popitem(last=False)
        return TooManySubmits(wait_s, self._quota, self._window_s)
