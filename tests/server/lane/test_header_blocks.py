"""Which header blocks are alike: equal bytes, but for values that are new in each request."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from server.lane.header_blocks import VolatileHeaders, is_one_head


def block(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("/ HTTP/1.1", *lines, "")).encode()


def understood(block: bytes) -> HTTPHeaders:
    """What Tornado's parser makes of a block."""
    return HTTPHeaders.parse(block.decode().partition("\r\n")[2].removesuffix("\r\n"))


def learned(*lines: str) -> tuple[VolatileHeaders, bytes | None]:
    volatile = VolatileHeaders()
    return volatile, volatile.learn(block(*lines), understood(block(*lines)))


def test_a_block_without_such_values_is_known_by_its_bytes() -> None:
    assert learned("Host: a", "Cookie: b")[1] == block("Host: a", "Cookie: b")


def test_blocks_that_differ_in_ids_alone_are_alike() -> None:
    volatile, known = learned("Host: a", "X-Request-ID: 1f", "Cookie: b", "traceparent: 00-1-2-01", "tracestate: a=1")
    other = block("Host: a", "X-Request-ID: another-id.7", "Cookie: b", "traceparent: 00-9-9-00", "tracestate: a=9")
    assert volatile.cut(other) == (known, b"another-id.7")


@pytest.mark.parametrize(
    "lines",
    [
        ("Host: a", "X-Request-ID: 1f", "Cookie: c"),
        ("Host: a", "X-Request-ID: 1f", "Cookie: b", "DNT: 1"),
        ("Host: a", "Cookie: b", "X-Request-ID: 1f"),
        ("Host: a", "x-request-id: 1f", "Cookie: b"),
        ("Host: a", "X-Request-ID:1f", "Cookie: b"),
        ("Host: a", "Cookie: b"),
        ("Host: a", "X-Request-ID: 1f", "X-Request-ID: 2f", "Cookie: b"),
        ("Host: a", "X-Request-ID: 1f\r\n folded", "Cookie: b"),
    ],
)
def test_any_other_difference_is_one(lines: tuple[str, ...]) -> None:
    volatile, known = learned("Host: a", "X-Request-ID: 1f", "Cookie: b")
    alike = volatile.cut(block(*lines))
    assert alike is None or alike[0] != known


@pytest.mark.parametrize("value", ["", "a b", "x" * 65, "é", "a\tb", "a;b", "a\nb", "a\rb"])
def test_a_request_id_that_is_not_sane_is_never_cut_out(value: str) -> None:
    volatile, _ = learned("Host: a", "X-Request-ID: 1f")
    assert volatile.cut(block("Host: a", f"X-Request-ID: {value}")) is None


def test_what_comes_twice_is_not_learned() -> None:
    assert learned("X-Request-ID: 1", "X-Request-ID: 2")[1] is None
    assert learned("X-Request-ID: 1", "x-request-id: 2")[1] is None
    assert learned("CF-Ray: 1", "CF-Ray: 2")[1] is None


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nx", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: a\n\nX: b\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\nX: b\r\n\r\n", False),
    ],
)
def test_a_head_ends_where_tornado_ends_it(data: bytes, whole: bool) -> None:
    assert is_one_head(data) is whole
