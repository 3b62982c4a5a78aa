"""What never becomes a request is answered in the shape of every error, and its connection ends."""

from __future__ import annotations

import json

import pytest

from composition import Service
from tests.support.own_connections import head, served
from tests.support.raw_http import connected
from tests.support.whole_server import START, Client

MALFORMED = {
    "no HTTP at all": b"hello\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no host": b"GET /health/live HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a header without a colon": b"GET /health/live HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n",
    "a space before a colon": b"GET /health/live HTTP/1.1\r\nHost : a\r\n\r\n",
    "a control character": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n",
}
BODIES = {
    "a length that is none": ("Content-Length: abc", b""),
    "two lengths": ("Content-Length: 2\r\nContent-Length: 3", b"{}}"),
    "a length and chunks": ("Content-Length: 2\r\nTransfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n"),
    "a chunk's length that is none": ("Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk's length without end": ("Transfer-Encoding: chunked", b"0" * 5_000),
}


async def refused(service: Service, sent: bytes) -> tuple[int, str]:
    async with connected(served(service)) as wire:
        answer = await wire.ask(sent)
        body = json.loads(answer.body)
        assert (answer["Connection"], answer["X-Content-Type-Options"]) == ("close", "nosniff")
        assert body["request_id"] == answer["X-Request-Id"]
        assert (body["success"], bool(body["error"])) == (False, True)
        assert await wire.ended() == b"", "one answer and no second"
    return answer.status, body["error_code"]


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", sorted(MALFORMED))
async def test_what_is_no_request_is_answered_in_the_shape_of_every_error(service: Service, kind: str) -> None:
    assert await refused(service, MALFORMED[kind]) == (400, "bad_request")


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", sorted(BODIES))
async def test_so_is_a_body_whose_length_cannot_be_told(client: Client, service: Service, kind: str) -> None:
    line, body = BODIES[kind]
    assert await refused(service, head(client, START, line) + body) == (400, "bad_request")
    assert service.open_requests.count == 0, "none waits for the rest of it"


@pytest.mark.gen_test
@pytest.mark.parametrize("end", [b"\r\n\r\n", b""])
async def test_a_head_that_is_too_long_is_answered_so_too(client: Client, service: Service, end: bytes) -> None:
    asked = head(client, "/health/live", method="GET").removesuffix(b"\r\n\r\n") + b"\r\nX: " + b"a" * 70_000 + end
    assert await refused(service, asked) == (431, "head_too_large")
