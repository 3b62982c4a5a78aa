"""The circuit breaker: after failures in a row no call passes for ``open_s`` seconds, then one probe is sent.

Refuses to know what was asked and why it failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from generation.gemini.errors import CircuitOpen, GeminiError


class Breaker:
    """Counts calls, not tries. While it is open only the probe counts, not calls that began before.

    Failures that all came from one account may be caused by its prompts, so they refuse that account alone;
    with failures from a second account it is closed to all. A call without an account ('') counts as any account.
    """

    def __init__(self, failures: int, open_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures_to_open = failures
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._failed_for: set[str] = set()
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> str:
        """closed (all may pass) | open (none, or all but one account) | probing (one call decides)"""
        if self._open_until is None:
            return "closed"
        return "open" if self._open_until > self._clock() and not self._probing else "probing"

    def closed_to(self, account: str) -> bool:
        """Whether a call for this account would have to be a probe, or would be refused."""
        return self._open_until is not None and (self._for_all or account in self._failed_for)

    @property
    def _for_all(self) -> bool:
        return len(self._failed_for) > 1 or "" in self._failed_for

    @contextmanager
    def call(self, account: str = "") -> Iterator[bool]:
        """Let one call pass; the block's outcome is the call's. Yields whether it is the probe.

        A call that says nothing about the other side, cancelled, rate limited or out of its own time, leaves everything
        as it was; when it was the probe, the next may be one.

        Raises:
            CircuitOpen: this one may not pass.
        """
        probe = self._enter(account)
        try:
            yield probe
        except BaseException as exc:
            strikes = exc.strikes if isinstance(exc, GeminiError) else None
            if strikes is not None:
                self._ended(account, probe, failed=strikes)
            elif probe:
                self._probing = False
            raise
        else:
            self._ended(account, probe, failed=False)

    def _enter(self, account: str) -> bool:
        if self._open_until is None or not self.closed_to(account):
            return False
        remaining_s = self._open_until - self._clock()
        if self._probing or remaining_s > 0:
            raise CircuitOpen(open_for_s=round(max(0.0, remaining_s), 1))
        self._probing = True
        return True

    def _ended(self, account: str, probe: bool, *, failed: bool) -> None:
        if probe:
            self._probing = False
        elif self.closed_to(account):
            return
        if not failed:
            self._failures, self._open_until = 0, None
            self._failed_for.clear()
            return
        self._failures += 1
        if not self._for_all:
            self._failed_for.add(account)
        if self._failures >= self._failures_to_open:
            self._open_until = self._clock() + self._open_s
