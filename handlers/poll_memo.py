"""Header blocks of polls that the ordinary stack has accepted and authenticated, and what it answered them with.

A browser that polls sends the same bytes again and again. What Tornado's parser and the ordinary identity made of them
once holds for the same bytes until the credential in them is due for another look. Nothing here reads a header: a block
is known, byte for byte, or it is not. Refuses to know sockets and documents.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from accounts import Caller
from handlers.poll_limits import Bucket

HEAD_END = re.compile(rb"\r?\n\r?\n")  # where Tornado's parser ends a head

# With one of these a request has a body, wants another protocol or another answer, or is never the same twice.
NEVER_REMEMBERED = (
    *("Content-Length", "Transfer-Encoding", "Expect", "Upgrade"),
    *("If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "Range", "X-Request-Id"),
)
# The ordinary answer's headers in their order: these first, with values of their own in each answer …
FIRST = ["Content-Type", "Date", "X-Request-Id"]
# … then any of these, which depend on the header block alone, then what depends on the document.
OF_THE_BLOCK = frozenset({"Cache-Control", "Vary", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"})
OF_THE_DOCUMENT = ("Retry-After", "Content-Length")


RENEW_BEFORE_S = 1.5  # a client that polls every second is seen in time


class Remembered:
    """What a block stands for.

    ``headers`` are the answer's lines that depend on the block, after the line break before them. ``valid_until``, in
    the seconds of ``time.monotonic()``, is how long the credential is good; from ``renew_at`` on it is looked at again.
    """

    __slots__ = ("account_id", "authorization", "bucket", "headers", "key_prefix", "renew_at", "used", "valid_until")

    def __init__(self, caller: Caller, authorization: str, key_prefix: bytes, headers: bytes, bucket: Bucket) -> None:
        self.account_id = caller.account_id
        self.authorization = authorization
        self.key_prefix = key_prefix
        self.headers = headers
        self.bucket = bucket
        self.used = False
        self.renew(caller)

    def renew(self, caller: Caller) -> None:
        """Take over until when the credential is good; its own seconds are those of the epoch."""
        now = time.monotonic()
        self.valid_until = now + caller.valid_until - time.time()
        self.renew_at = self.valid_until - min(RENEW_BEFORE_S, (self.valid_until - now) / 2)


class PollMemo:
    """At most ``entries`` blocks; the least used go first."""

    def __init__(self, entries: int) -> None:
        self._most = entries
        self._blocks: OrderedDict[bytes, Remembered] = OrderedDict()
        self.get = self._blocks.get  # bound once: this is asked for every poll

    def __len__(self) -> int:
        return len(self._blocks)

    def add(self, block: bytes, remembered: Remembered) -> None:
        self._blocks[block] = remembered
        while len(self._blocks) > self._most:
            oldest, entry = self._blocks.popitem(last=False)
            if entry.used:
                entry.used = False
                self._blocks[oldest] = entry  # a second chance: cheaper than moving it at every look

    def forget(self, block: bytes) -> None:
        self._blocks.pop(block, None)


def is_whole_head(data: bytes) -> bool:
    """Say whether Tornado's parser would find one head in the data and nothing after it."""
    end = HEAD_END.search(data)
    return end is not None and end.end() == len(data)


def may_be_remembered(request: HTTPServerRequest) -> bool:
    """Say whether every request with the same bytes is answered alike, as Tornado has understood them."""
    headers = request.headers
    return (
        request.method == "GET"
        and request.version == "HTTP/1.1"
        and headers.get("Connection", "keep-alive").lower() == "keep-alive"
        and not any(name in headers for name in NEVER_REMEMBERED)
    )


def lines_of_the_block(answer: HTTPHeaders) -> bytes | None:
    """Return the lines of an ordinary answer that depend on the request's block; None if it has any of other kinds."""
    lines = [(name, value) for name, value in answer.get_all() if name not in OF_THE_DOCUMENT]
    if [name for name, _ in lines[:3]] != FIRST or not OF_THE_BLOCK.issuperset(name for name, _ in lines[3:]):
        return None
    return b"\r\n" + b"".join(f"{name}: {value}\r\n".encode("latin1") for name, value in lines[3:])
