"""An answer says when its connection ends with it; a refusal ends none whose request had come whole."""

from __future__ import annotations

import asyncio
import json

import pytest

from accounts.api_keys import generate_key
from composition import Service
from handlers.admin.routes import ADMIN_ROUTES
from tests.support.own_connections import head, served
from tests.support.raw_http import RawConnection, connected
from tests.support.whole_server import START, SYNCHRONOUS, Client

ADMIN = sorted(pattern.replace("([^/]+)", "x").replace("/?", "/") for pattern, _ in ADMIN_ROUTES.values())
BEFORE_THE_BODY = [START, SYNCHRONOUS, *ADMIN]  # every route that asks who it is before it reads a body
FORM = "Content-Type: application/x-www-form-urlencoded"


def refusals(client: Client, path: str, *lines: str) -> list[tuple[int, bytes]]:
    """Return the heads of requests that are refused before a body is read, each with the answer's status."""
    stranger = head(client, path, *lines).replace(client.api_key.encode(), generate_key().encode())
    asked = [(401, stranger), (405, head(client, path, *lines, method="BREW"))]
    return [*asked, (403, head(client, path, *lines))] if path in ADMIN else asked


async def goes_on(wire: RawConnection, client: Client) -> bool:
    return (await wire.ask(head(client, "/health/live", method="GET"))).status == 200


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "body", [("Content-Length: 3", b"{}"), ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n")]
)
async def test_who_is_refused_before_the_body_is_read_is_told_that_the_connection_ends(
    client: Client, service: Service, body: tuple[str, bytes]
) -> None:
    address = served(service)
    for path in BEFORE_THE_BODY:
        for status, asked in refusals(client, path, body[0]):
            async with connected(address) as wire:
                answer = await wire.ask(asked + body[1])
                assert (answer.status, "Connection" in answer) == (status, True), path
                assert answer["Connection"] == "close"
                assert await wire.ended() == b""


@pytest.mark.gen_test
@pytest.mark.parametrize(("lines", "body"), [([], b""), (["Content-Length: 0"], b""), (["Content-Length: 2"], b"{}")])
async def test_a_request_that_comes_whole_leaves_the_connection_open_however_it_is_refused(
    client: Client, service: Service, lines: list[str], body: bytes
) -> None:
    async with connected(served(service)) as wire:
        for path in BEFORE_THE_BODY:
            for status, asked in refusals(client, path, *lines):
                for each in (asked, asked.replace(b"POST", b"GET", 1)):
                    answer = await wire.ask(each + body)
                    assert (answer.status, "Connection" in answer) == (status, False), path
            assert await goes_on(wire, client)


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/health/live", "/nothing", START, SYNCHRONOUS, ADMIN[0]])
async def test_who_sends_too_much_is_told_that_the_connection_ends(client: Client, service: Service, path: str) -> None:
    async with connected(served(service)) as wire:
        answer = await wire.ask(head(client, path, "Content-Length: 400000000"))
        assert (answer.status, answer["Connection"]) == (413, "close")
        assert await wire.ended() == b""


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0.001, "submits_burst_per_account": 1})
async def test_a_request_whose_body_was_read_leaves_the_connection_open_however_it_is_refused(
    client: Client, service: Service
) -> None:
    body = json.dumps({"manual_prompt": "Write a menu."}).encode()
    length = f"Content-Length: {len(body)}"
    async with connected(served(service)) as wire:
        for status, asked in (
            (202, head(client, START, length)),
            (429, head(client, START, length)),
            (415, head(client, START, length, FORM)),
            (405, head(client, START, length, method="DELETE")),
            (404, head(client, "/nothing", length)),
            (404, head(client, f"{START}cancel/x/", length)),
            (401, head(client, f"{START}cancel/x/", length).replace(client.api_key.encode(), generate_key().encode())),
        ):
            answer = await wire.ask(asked + body)
            assert (answer.status, "Connection" in answer) == (status, False)
        assert await goes_on(wire, client)


@pytest.mark.gen_test
@pytest.mark.parametrize(("body", "connection"), [(b"{}", "Keep-Alive"), (b"{", "close")])
async def test_a_client_of_http_1_0_is_promised_no_connection_that_ends(
    client: Client, service: Service, body: bytes, connection: str
) -> None:
    asked = head(client, START, "Content-Length: 2", "Connection: keep-alive", method="BREW")
    async with connected(served(service)) as wire:
        answer = await wire.ask(asked.replace(b"HTTP/1.1", b"HTTP/1.0") + body)
        assert (answer.status, answer["Connection"]) == (405, connection)
        if connection == "close":
            assert await wire.ended() == b""
        else:
            assert await goes_on(wire, client)


@pytest.mark.gen_test
async def test_an_answer_to_a_request_that_was_waiting_when_the_drain_began_says_so_too(
    client: Client, service: Service
) -> None:
    task_id = await client.start("Write a menu. [[standin:delay=20]]")
    async with connected(served(service)) as wire:
        wire.writer.write(head(client, f"{START}status/{task_id}/?wait=20&after=999", method="GET"))
        while not service.open_requests.waiting:  # noqa: ASYNC110  # the server decides
            await asyncio.sleep(0.02)
        assert await service.open_requests.drain(30)
        answer = await wire.answer()
        assert (answer.status, answer["Connection"]) == (200, "close")
