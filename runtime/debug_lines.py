"""Debug lines of a few accounts while the log has a higher level: accounts by name, or a share of all.

The number of lines a second is bounded, and the next line that is written says how many were dropped. Refuses to know
what is logged: a line belongs to an account when it has its ``account_id``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from hashlib import sha256
from typing import Any

import structlog

from runtime.settings import LogSettings

LEVELS = ("debug", "info", "warning", "error")


def debug_by_account(settings: LogSettings) -> bool:
    """Say whether only some accounts have debug lines."""
    return settings.level != "debug" and bool(settings.debug_accounts or settings.debug_share)


class DebugLines:
    """A processor that passes every line of the log's level, and the chosen accounts' lines below it."""

    def __init__(self, settings: LogSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._below = frozenset(LEVELS[: LEVELS.index(settings.level)])
        self._accounts = frozenset(settings.debug_accounts)
        self._share = settings.debug_share
        self._most = settings.debug_lines_per_second
        self._clock = clock
        self._second = 0
        self._written = self._dropped = 0

    def __call__(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if method not in self._below:
            return event
        if not self._chosen(event.get("account_id")) or not self._fits():
            raise structlog.DropEvent
        if self._dropped:
            event["debug_lines_dropped"], self._dropped = self._dropped, 0
        return event

    def _chosen(self, account_id: object) -> bool:
        if not isinstance(account_id, str):
            return False
        return account_id in self._accounts or _place(account_id) < self._share

    def _fits(self) -> bool:
        if (second := int(self._clock())) != self._second:
            self._second, self._written = second, 0
        if self._written >= self._most:
            self._dropped += 1
            return False
        self._written += 1
        return True


def _place(account_id: str) -> float:
    """Return a number from 0 to 1, the same for an account in every process."""
    return int.from_bytes(sha256(account_id.encode()).digest()[:4]) / 2**32
