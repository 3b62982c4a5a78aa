"""Counts and limits the event streams and waits that each account has open in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from handlers.errors import TooManyStreams


class OpenStreams:
    """``per_account``: at most so many at a time; 0 for no limit."""

    def __init__(self, per_account: int) -> None:
        self._per_account = per_account
        self._open: dict[str, int] = {}
        self._of_kind = {"stream": 0, "poll": 0}

    @property
    def by_kind(self) -> Mapping[str, int]:
        """The number of each kind that are open, of all accounts."""
        return self._of_kind

    @contextmanager
    def place(self, account_id: str, kind: Literal["stream", "poll"]) -> Iterator[None]:
        """Count one while the block lasts; ``poll`` is one that waits.

        Raises:
            TooManyStreams
        """
        count = self._open.get(account_id, 0)
        if self._per_account and count >= self._per_account:
            raise TooManyStreams(self._per_account)
        self._open[account_id] = count + 1
        self._of_kind[kind] += 1
        try:
            yield
        finally:
            self._of_kind[kind] -= 1
            self._open[account_id] -= 1
            if not self._open[account_id]:
                del self._open[account_id]
