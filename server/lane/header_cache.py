"""Header blocks of polls that the ordinary stack has accepted and authenticated, and what it answered them with.

A browser that polls sends the same bytes again and again. What Tornado's parser and the ordinary identity made of them
once holds for the same bytes until the credential in them is due for another look. Refuses to know what stands in a
block (``header_blocks.py``), sockets and documents.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from tornado.httputil import HTTPHeaders

from accounts import Caller
from server.lane.header_blocks import Spellings
from server.lane.poll_limits import Bucket

RENEW_BEFORE_S = 1.5  # who polls every second is seen in time, with the while in which renewals are collected


class Remembered:
    """What a block stands for.

    ``lines`` are those of the answer that depend on the block, after the line break before them. ``valid_until``, in
    the seconds of ``time.monotonic()``, is how long the credential is good; from ``renew_at`` on it is looked at again.
    """

    __slots__ = (
        "account_id",
        "authorization",
        "block",
        "bucket",
        "key_prefix",
        "lines",
        "renew_at",
        "used",
        "valid_until",
    )

    def __init__(self, caller: Caller, authorization: str, key_prefix: bytes, lines: bytes, bucket: Bucket) -> None:
        self.account_id = caller.account_id
        self.authorization = authorization
        self.key_prefix = key_prefix
        self.lines = lines
        self.bucket = bucket
        self.block = b""
        self.used = False
        self.renew(caller)

    def renew(self, caller: Caller) -> None:
        """Take over until when the credential is good."""
        now = time.monotonic()
        self.valid_until = caller.valid_until
        self.renew_at = self.valid_until - min(RENEW_BEFORE_S, (self.valid_until - now) / 2)


class PollMemo:
    """At most ``entries`` blocks; the least used go first."""

    def __init__(self, entries: int) -> None:
        self._most = entries
        self._blocks: OrderedDict[bytes, Remembered] = OrderedDict()
        self._spellings = Spellings()

    def __len__(self) -> int:
        return len(self._blocks)

    def find(self, block: bytes) -> tuple[Remembered | None, bytes]:
        """Return what the block stands for, and the request id in it that is to be echoed."""
        known, request_id = self._blocks.get(block), b""
        if known is None and self._spellings and (alike := self._spellings.cut(block)):
            known, request_id = self._blocks.get(alike[0]), alike[1]
        if known is not None:
            known.used = True
        return known, request_id

    def add(self, block: bytes, headers: HTTPHeaders, remembered: Remembered) -> None:
        """Remember what a block stands for whose headers Tornado has understood."""
        known_as = self._spellings.learn(block, headers)
        if known_as is None:
            return
        remembered.block = known_as
        self._blocks[known_as] = remembered
        while len(self._blocks) > self._most:
            oldest, entry = self._blocks.popitem(last=False)
            if entry.used:
                entry.used = False
                self._blocks[oldest] = entry  # a second chance: cheaper than moving it at every look

    def forget(self, remembered: Remembered) -> None:
        self._blocks.pop(remembered.block, None)
