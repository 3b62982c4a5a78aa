"""Requests as proxies, browsers and other languages' clients write them: other words for the same thing."""

from __future__ import annotations

import gzip
import json
import uuid
from urllib.parse import urlsplit

import pytest

from generation import Event
from handlers.events import render
from tests.support.raw_http import connected, request
from tests.support.whole_server import START, SYNCHRONOUS, Client

ORIGIN = "https://app.example"
MANUAL = "Answer for our bakery. Call +49 30 1234567."


def address(client: Client) -> tuple[str, int]:
    return "127.0.0.1", urlsplit(client.base_url).port or 0


@pytest.mark.gen_test
async def test_head_answers_wherever_get_does_without_a_body(client: Client) -> None:
    task_id = await client.start(MANUAL)
    await client.finished(task_id)
    paths = ["/", "/health/live", "/health/ready", "/metrics", START, "/api/v1/account/", "/api/v1/account/ledger/"]
    paths += [f"{START}status/{task_id}/", f"{START}events/{task_id}/", f"{START}status/{uuid.uuid4()}/", "/nothing"]
    for path in paths:
        got, head = await client.ask("GET", path), await client.ask("HEAD", path)
        assert (head.status, head.body) == (got.status, b""), path
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert (await client.ask("HEAD", SYNCHRONOUS)).status == 405


@pytest.mark.gen_test
@pytest.mark.parametrize("action", ["status", "events", "cancel"])
async def test_a_task_id_may_come_in_capitals(client: Client, action: str) -> None:
    task_id = await client.start(MANUAL)
    final = await client.finished(task_id)
    method = "POST" if action == "cancel" else "GET"
    answer = await client.ask(method, f"{START}{action}/{task_id.upper()}/")
    assert answer.status == 200
    assert json.dumps(final["task_id"]).encode() in answer.body


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "target", ["http://app.example{}", "HTTPS://app.example:8443{}", "http://u:p@app.example{}?x=1"]
)
async def test_a_target_may_name_the_host(client: Client, target: str) -> None:
    async with connected(address(client)) as wire:
        for path, status in (("/health/live", 200), (START, 200), ("/nothing", 404)):
            sent = request("GET", target.format(path), f"Bearer {client.api_key}")
            assert (await wire.ask(sent)).status == status


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf8",
        'application/json;charset="UTF-8"',
        "application/json; version=1; charset=Utf-8",
        "application/json; charset=us-ascii",
        "application/json; charset=utf_8",
        "application/json; charset=unicode-1-1-utf-8",
        "application/json; charset=",
        "application/vnd.api+json",
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
async def test_utf8_has_several_names_and_may_begin_with_its_mark(
    client: Client, content_type: str, mark: bytes
) -> None:
    body = mark + json.dumps({"manual_prompt": MANUAL}).encode()
    answer = await client.ask("POST", START, body, headers={"Content-Type": content_type})
    assert answer.status == 202, answer.body
    await client.finished(answer.json["task_id"])


@pytest.mark.gen_test
@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1", "windows-1252", "utf-7"])
async def test_json_in_another_charset_is_refused(client: Client, charset: str) -> None:
    body = json.dumps({"manual_prompt": MANUAL}).encode()
    answer = await client.ask("POST", START, body, headers={"Content-Type": f"application/json; charset={charset}"})
    assert (answer.status, answer.json["error_code"]) == (415, "unsupported_media_type")


@pytest.mark.gen_test
@pytest.mark.parametrize("given", ["bearer {}", "BEARER {}", "Bearer   {}"])
async def test_a_credentials_scheme_has_any_case_and_any_distance(client: Client, given: str) -> None:
    for _ in range(3):
        answer = await client.ask("GET", START, headers={"Authorization": given.format(client.api_key)})
        assert answer.status == 200


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "path",
    [
        *(f"{START}status/%ff/", f"{START}events/%FE%ff/", f"{START}cancel/%80/", f"{START}?before=%ff"),
        *("/api/v1/admin/accounts/%ff/", "/api/v1/account/ledger/?limit=%c3", "/docs/%ff", "/static/%ff", "/%ff"),
    ],
)
async def test_a_target_that_is_no_text_is_refused_in_the_shape_of_every_error(client: Client, path: str) -> None:
    for method in ("GET", "POST", "PATCH"):
        answer = await client.ask(method, path)
        assert 400 <= answer.status < 500
        assert answer.json["success"] is False
        assert answer.json["error_code"]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("coding", "named"), [("gzip", "gzip"), ("br", "br"), ("identity, gzip", "gzip"), ("", "gzip")]
)
async def test_a_compressed_body_is_refused_in_words(client: Client, coding: str, named: str) -> None:
    body = gzip.compress(json.dumps({"manual_prompt": MANUAL}).encode())
    answer = await client.ask("POST", START, body, headers={"Content-Encoding": coding})
    assert (answer.status, answer.json["error_code"]) == (415, "unsupported_media_type")
    assert f"compressed ({named})" in answer.json["error"]


@pytest.mark.gen_test
@pytest.mark.parametrize("character", ["a", "é", "س", "\u20ac", "😀"])
@pytest.mark.parametrize("escaped", [False, True])
async def test_the_limit_is_in_characters_however_json_spells_them(
    client: Client, character: str, escaped: bool
) -> None:
    body = json.dumps({"manual_prompt": character * 20_000}, ensure_ascii=escaped).encode()
    answer = await client.ask("POST", START, body)
    assert answer.status == 202, answer.body
    await client.ask("POST", f"{START}cancel/{answer.json['task_id']}/")
    too_long = json.dumps({"manual_prompt": character * 20_001}, ensure_ascii=escaped).encode()
    assert (await client.ask("POST", START, too_long)).json["error_code"] == "manual_prompt_too_long"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "text",
    [
        "\u200b\ufeff\u2060",
        "\u00a0\u3000",
        "\u00ad\u200e\u202e",
        "\u3164\u115f",
        "\u2800",
        "\U000e0041",
        "\u034f\ufe0f",
    ],
)
async def test_what_nobody_can_see_is_no_prompt(client: Client, text: str) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": text})
    assert (answer.status, answer.json["error_code"]) == (400, "manual_prompt_required")


@pytest.mark.gen_test
@pytest.mark.settings(server={"cors_allowed_origins": [ORIGIN], "cors_allowed_headers": ["X-Datadog-Trace-Id"]})
async def test_a_page_may_send_what_tracing_adds_and_what_is_configured(client: Client) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Authorization": ""}
    preflight = await client.ask("OPTIONS", START, headers=asked)
    allowed = {name.strip().lower() for name in preflight.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"traceparent", "tracestate", "baggage", "sentry-trace", "x-datadog-trace-id", "authorization"} <= allowed


@pytest.mark.gen_test
@pytest.mark.settings(server={"cors_allowed_origins": [ORIGIN]})
async def test_the_preflight_of_another_origin_says_what_is_wrong(client: Client) -> None:
    asked = {"Origin": "https://www.app.example", "Access-Control-Request-Method": "POST", "Authorization": ""}
    preflight = await client.ask("OPTIONS", START, headers=asked)
    assert (preflight.status, preflight.json["error_code"]) == (403, "origin_not_allowed")
    assert "https://www.app.example" in preflight.json["error"]
    assert "cors_allowed_origins" in preflight.json["error"]
    assert "Access-Control-Allow-Origin" not in preflight.headers


def test_no_character_of_an_event_can_be_taken_for_a_line_break() -> None:
    text = json.dumps({"text": "a\u2028b\u2029c\u0085d\x0b\x0c\x1c\x1d\x1e\r\né"}, ensure_ascii=False)
    lines = render(Event("1-0", "chunk", text.encode())).decode().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["id", "event", "data", ""]
    assert json.loads(lines[2].removeprefix("data: ")) == json.loads(text)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("forwarded", "begins"),
    [
        ("/prompts", "/prompts/api/"),
        ("/a/b-c/", "/a/b-c/api/"),
        ("", "/api/"),
        ("prompts", "/api/"),
        ("//evil.example", "/api/"),
        ("/..", "/api/"),
        ("/a\\b", "/api/"),
        ("/a?b", "/api/"),
    ],
)
async def test_a_status_url_begins_with_the_prefix_that_the_proxy_names(
    client: Client, forwarded: str, begins: str
) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL}, headers={"X-Forwarded-Prefix": forwarded})
    assert answer.json["status_url"].startswith(begins)
    assert answer.headers["Location"] == answer.json["status_url"]
    await client.finished(answer.json["task_id"])


@pytest.mark.gen_test
@pytest.mark.settings(server={"path_prefix": "/prompts"})
async def test_a_status_url_begins_with_the_configured_prefix(client: Client) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": MANUAL})
    assert answer.json["status_url"] == f"/prompts{START}status/{answer.json['task_id']}/"
    await client.finished(answer.json["task_id"])


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "path", ["/", "/health/live", START, "/nothing", f"{START}status/{uuid.UUID(int=7)}/", "/metrics"]
)
async def test_no_answer_is_to_be_taken_for_another_type(client: Client, path: str) -> None:
    assert (await client.ask("GET", path)).headers["X-Content-Type-Options"] == "nosniff"
