"""Compares the header blocks of polls, and decides which of them can be cached by their bytes.

Two blocks are alike when they are equal, byte for byte, except for the values that proxies and browsers' tracing write
anew into each request: those are cut out before blocks are compared. Nothing here parses a header: blocks that are
alike mean the same because Tornado's parser has parsed one of them.
"""

from __future__ import annotations

import re

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from runtime.request_ids import SANE_REQUEST_ID

HEAD_END = re.compile(rb"\r?\n\r?\n")  # where Tornado's parser ends a head

# With one of these a request has a body, or asks for another protocol or another answer.
NEVER_CACHED = (
    *("Content-Length", "Transfer-Encoding", "Expect", "Upgrade"),
    *("If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "Range"),
)
# Header names as Tornado writes them → as clients and proxies write them. None changes the answer, except that the
# request id is echoed.
REQUEST_ID = "X-Request-Id"
VOLATILE = {
    REQUEST_ID: ("X-Request-ID", "X-Request-Id", "x-request-id"),
    "Traceparent": ("traceparent", "Traceparent"),
    "Tracestate": ("tracestate", "Tracestate"),
    "X-Amzn-Trace-Id": ("X-Amzn-Trace-Id", "x-amzn-trace-id"),
    "Cf-Ray": ("CF-Ray", "Cf-Ray", "CF-RAY", "cf-ray"),
    "X-Cloud-Trace-Context": ("X-Cloud-Trace-Context", "x-cloud-trace-context"),
}
SANE_REQUEST_ID_BYTES = re.compile(SANE_REQUEST_ID.pattern.encode())
PLAIN_VALUE = re.compile(rb"[!-~]{1,256}")

# The ordinary answer's headers in their order: first these, with new values in each answer …
FIRST = [b"Content-Type", b"Date", b"X-Request-Id"]
# … then any of these, which depend on the block alone …
OF_THE_BLOCK = frozenset(
    (
        *(b"Cache-Control", b"X-Content-Type-Options"),
        *(b"Vary", b"Access-Control-Allow-Origin", b"Access-Control-Expose-Headers"),
    )
)
# … then any of these, which depend on the document or the error.
OF_THE_ANSWER = frozenset((b"Retry-After", b"Ratelimit-Policy", b"Ratelimit", b"Www-Authenticate", b"Content-Length"))


class VolatileHeaders:
    """The headers whose values are new in each request, with their names as clients have written them so far."""

    def __init__(self) -> None:
        self._met: dict[bytes, re.Pattern[bytes]] = {}

    def __bool__(self) -> bool:
        return bool(self._met)

    def cut(self, block: bytes) -> tuple[bytes, bytes] | None:
        """Return the block without the values, and the request id (or nothing); None if a value is not plain."""
        request_id = b""
        for name, plain in self._met.items():
            begin = block.find(name) + len(name)
            if begin < len(name):
                continue
            end = block.find(b"\r\n", begin)
            value = block[begin:end]
            if not plain.fullmatch(value):
                return None
            if plain is SANE_REQUEST_ID_BYTES:
                request_id = value
            block = block[:begin] + block[end:]
        return block, request_id

    def learn(self, block: bytes, headers: HTTPHeaders) -> bytes | None:
        """Return the block as ``cut`` will return it for those that are alike; None if it cannot be cached.

        ``headers`` are what Tornado has parsed this very block into.
        """
        for name, forms in VOLATILE.items():
            if name not in headers:
                continue
            lines = [line for line in (f"\r\n{form}: ".encode() for form in forms) if line in block]
            if len(lines) != 1 or len(headers.get_list(name)) != 1:
                return None
            self._met[lines[0]] = SANE_REQUEST_ID_BYTES if name == REQUEST_ID else PLAIN_VALUE
        known = self.cut(block)
        if known is None or known[1] != headers.get(REQUEST_ID, "").encode("latin1"):
            return None
        return known[0]


def is_one_head(data: bytes) -> bool:
    """Say whether Tornado's parser would find one head in the data and nothing after it."""
    end = HEAD_END.search(data)
    return end is not None and end.end() == len(data)


def can_be_cached(request: HTTPServerRequest) -> bool:
    """Say whether all requests with the same bytes are answered alike, as Tornado has parsed them."""
    headers = request.headers
    return (
        request.method == "GET"
        and request.version == "HTTP/1.1"
        and headers.get("Connection", "keep-alive").lower() == "keep-alive"
        and not any(name in headers for name in NEVER_CACHED)
    )


def lines_of_the_block(head: bytes) -> bytes | None:
    """Return the lines of an ordinary answer's head that depend on the request's block, after a line end.

    None when the head has a line of any other kind: then the answer may depend on more than the block.
    """
    lines = head.split(b"\r\n")[1:]
    named = [(line.partition(b":")[0], line) for line in lines if line]
    rest = [(name, line) for name, line in named[len(FIRST) :] if name not in OF_THE_ANSWER]
    if [name for name, _ in named[: len(FIRST)]] != FIRST or not OF_THE_BLOCK.issuperset(name for name, _ in rest):
        return None
    return b"\r\n" + b"".join(line + b"\r\n" for _, line in rest)
