"""What of a flood of refusals is logged: some lines, and a count of the rest."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog

from accounts.api_keys import generate_key
from handlers import request_log
from tests.server.lane.conftest import until
from tests.support.raw_http import connected
from tests.support.whole_server import START, Client


@pytest.mark.gen_test
async def test_refusals_beyond_some_a_second_are_counted_in_one_line(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "REFUSALS_A_SECOND", 0)
    wrong = {"Authorization": f"Bearer {generate_key()}"}
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            assert (await client.ask("GET", "/nothing-here")).status == 404
            assert (await client.ask("GET", START, headers=wrong)).status == 401

        def counts() -> list[Any]:
            return [line for line in lines if line["event"] == "requests_refused"]

        await until(lambda: sum(line["count"] for line in counts()) == 6)
    assert set().union(*(line["by"] for line in counts())) == {"unknown 404", "generations 401"}
    assert all(sum(line["by"].values()) == line["count"] for line in counts())
    assert not any("request_id" in line for line in counts()), "it is no line of one request"


@pytest.mark.gen_test
async def test_the_first_refusals_of_a_second_have_a_line_each(client: Client) -> None:
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            assert (await client.ask("GET", "/nothing-here")).status == 404
    assert [line["status"] for line in lines if line["event"] == "request"] == [404] * 3


@pytest.mark.gen_test
async def test_what_succeeds_has_its_line_whatever_was_refused_before(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "REFUSALS_A_SECOND", 0)
    with structlog.testing.capture_logs() as lines:
        assert (await client.ask("GET", "/nothing-here")).status == 404
        assert (await client.ask("GET", "/health/live")).status == 200
    assert [line["route"] for line in lines if line["event"] == "request"] == ["live"]


@pytest.mark.gen_test
@pytest.mark.settings(limits={"unfinished_tasks_per_account": 1})
async def test_a_refusal_s_line_names_account_and_trace_and_the_next_one_of_the_connection_only_its_own(
    client: Client, base_url: str
) -> None:
    await client.start("Write a menu. [[standin:delay=60]]")
    request = json.dumps({"manual_prompt": "Write a menu."}).encode()
    head = f"POST {START} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(request)}\r\n"
    traced = f"{head}Authorization: Bearer {client.api_key}\r\ntraceparent: 00-{'a' * 32}-{'b' * 16}-01\r\n\r\n"
    unknown = f"{head}Authorization: Bearer {generate_key()}\r\n\r\n"
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        async with connected(("127.0.0.1", urlsplit(base_url).port or 0)) as wire:
            for sent, status in ((traced, b" 429 "), (unknown, b" 401 ")):
                wire.writer.write(sent.encode() + request)
                assert status in await wire.reader.readuntil(b"}")
    refused, other = [line for line in lines if line["event"] == "request"]
    assert (refused["status"], refused["account_id"], refused["trace_id"]) == (429, client.account_id, "a" * 32)
    assert other["status"] == 401
    assert not {"account_id", "trace_id"} & other.keys()
    await client.ask("POST", f"{START}cancel/{(await client.ask('GET', START)).json['tasks'][0]['task_id']}/")
