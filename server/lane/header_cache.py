"""Caches header blocks of polls that the ordinary stack has parsed, authenticated and answered.

A browser that polls sends the same bytes again and again. What Tornado's parser and the ordinary identity made of them
once holds for the same bytes until the credential in them is due for another check. Does not know what stands in a
block (``header_blocks.py``), sockets and documents.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

from tornado.httputil import HTTPHeaders

from accounts import Caller
from server.lane.header_blocks import VolatileHeaders, is_one_head
from server.lane.poll_limits import Bucket

REFUSED_BLOCKS = 1_000  # kept apart, so that a flood of wrong keys drives no good block out


class CachedPoll:
    """The meaning of a cached block.

    ``lines`` are those of the answer that depend on the block, after the line break before them. ``caller`` says how
    long the credential holds. ``task_id`` is empty, or the only task that the credential is for.
    """

    __slots__ = (
        "block",
        "bucket",
        "caller",
        "key_prefix",
        "lines",
        "task_id",
        "used",
    )

    def __init__(self, caller: Caller, key_prefix: bytes, lines: bytes, bucket: Bucket) -> None:
        self.caller = caller
        self.task_id = caller.task_id.encode()
        self.key_prefix = key_prefix
        self.lines = lines
        self.bucket = bucket
        self.block = b""
        self.used = False


class RefusedPoll:
    """A block whose credential was refused; ``lines`` as in a CachedPoll.

    Whether the credential still is refused, only ``accounts`` knows: what it found is not remembered here.
    """

    __slots__ = ("authorization", "lines", "used")

    def __init__(self, authorization: str | None, lines: bytes) -> None:
        self.authorization = authorization
        self.lines = lines
        self.used = False


Entry = TypeVar("Entry", CachedPoll, RefusedPoll)


class HeaderCache:
    """At most ``entries`` blocks; the least used go first."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._blocks: OrderedDict[bytes, CachedPoll] = OrderedDict()
        self._refused: OrderedDict[bytes, RefusedPoll] = OrderedDict()
        self._volatile = VolatileHeaders()

    def __len__(self) -> int:
        return len(self._blocks) + len(self._refused)

    def find(self, block: bytes) -> tuple[CachedPoll | None, bytes]:
        """Return the block's meaning, and the request id in it that is to be echoed."""
        known, request_id = self._blocks.get(block), b""
        if known is None and self._volatile and (alike := self._volatile.cut(block)):
            known, request_id = self._blocks.get(alike[0]), alike[1]
        if known is not None:
            known.used = True
        return known, request_id

    def find_refused(self, block: bytes) -> tuple[RefusedPoll | None, bytes]:
        """Return the entry of a block whose credential was refused, and the request id in it."""
        alike = self._volatile.cut(block)
        if alike is None or (refused := self._refused.get(alike[0])) is None:
            return None, b""
        refused.used = True
        return refused, alike[1]

    def add(self, block: bytes, headers: HTTPHeaders, known: CachedPoll) -> None:
        """Cache a block's meaning; ``headers`` are its headers as Tornado has parsed them."""
        if (cached_as := self._cacheable(block, headers)) is not None:
            known.block = cached_as
            self._blocks[cached_as] = known
            _shrink(self._blocks, self._entries)

    def add_refused(self, block: bytes, headers: HTTPHeaders, refused: RefusedPoll) -> None:
        """Cache a block whose credential was refused."""
        if (cached_as := self._cacheable(block, headers)) is not None:
            self._refused[cached_as] = refused
            _shrink(self._refused, REFUSED_BLOCKS)

    def forget(self, known: CachedPoll) -> None:
        self._blocks.pop(known.block, None)

    def _cacheable(self, block: bytes, headers: HTTPHeaders) -> bytes | None:
        return self._volatile.learn(block, headers) if is_one_head(block) else None


def _shrink(blocks: OrderedDict[bytes, Entry], entries: int) -> None:
    while len(blocks) > entries:
        oldest, entry = blocks.popitem(last=False)
        if entry.used:
            entry.used = False
            blocks[oldest] = entry  # a second chance: cheaper than moving it at every look-up
