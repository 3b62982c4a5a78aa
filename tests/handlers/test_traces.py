"""One trace over a generation, seen by a collector of our own: submit, stages, Gemini, repairs, takeovers."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from tornado.httpclient import AsyncHTTPClient

from accounts import AdminKeys
from accounts.api_keys import generate_key
from handlers.admin.base import AdminHandler
from handlers.admin.routes import ADMIN_ROUTES
from handlers.paths import ADMIN
from runtime.settings import TraceSettings
from runtime.trace_start import TracesUnusable, open_tracing
from runtime.tracing import headers_of, trace_context, trace_id_of
from tests.chaos.world import SHORT_LEASES, a_world
from tests.support.storage import OpenStorage
from tests.support.waiting import eventually
from tests.support.whole_server import START, Client, make_client

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry is an extra")

from runtime import otlp
from tests.support.otlp_collector import CollectedSpan, Collector, collector

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CLIENTS = f"00-{TRACE}-{PARENT}-01"
SUBMIT = f"POST {START}"
MALFORMED = (CLIENTS + "-more", CLIENTS + "\n", CLIENTS[:-1] + "g")
DRAFT = "A menu for our café: 12 dishes, 1.250,00 EUR in all. Call 030 1234567."


@pytest.fixture(autouse=True)
def sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")


@pytest.fixture
def collected() -> Iterator[Collector]:
    with collector() as collecting:
        yield collecting


@pytest.fixture
def changes(request: pytest.FixtureRequest, collected: Collector) -> dict[str, dict[str, Any]]:
    marker = request.node.get_closest_marker("settings")
    given = dict(marker.kwargs) if marker else {}
    return given | {"traces": {"endpoint": collected.url} | given.get("traces", {})}


async def spans_of(collected: Collector, trace_id: str, *, least: int) -> list[CollectedSpan]:
    def there() -> list[CollectedSpan]:
        return [span for span in collected.spans if span.trace_id == trace_id]

    assert await asyncio.to_thread(eventually, lambda: len(there()) >= least and "generation" in names(there()))
    return there()


def names(spans: list[CollectedSpan]) -> set[str]:
    return {span.name for span in spans}


@pytest.mark.gen_test
async def test_one_trace_leads_from_the_client_over_submit_and_stages_to_gemini(
    client: Client, collected: Collector
) -> None:
    task_id = await client.start(DRAFT, traceparent=CLIENTS)
    document = await client.finished(task_id)
    assert document["fidelity"] == "kept"
    spans = await spans_of(collected, TRACE, least=8)
    by_name = {span.name: span for span in spans}
    submit, generation = by_name[SUBMIT], by_name["generation"]
    gemini = by_name["generate_content gemini-3.8-flash"]
    assert (submit.parent_id, submit.kind, submit.service) == (PARENT, 2, "prompt-server")
    assert submit.attributes["http.response.status_code"] == 202
    assert submit.attributes["prompt.task_id"] == generation.attributes["prompt.task_id"] == task_id
    assert (generation.parent_id, generation.attributes["prompt.outcome"]) == (submit.span_id, "generated")
    assert (gemini.parent_id, gemini.kind) == (generation.span_id, 3)
    stages = [span for span in spans if span.name.startswith("stage ")]
    assert [span.name for span in stages] == [
        f"stage {name}" for name in ("initializing", "checking", "generating", "waiting", "finalizing")
    ]
    assert {span.parent_id for span in stages} == {generation.span_id}
    assert not any(span.failed for span in spans)


@pytest.mark.gen_test
async def test_a_request_to_gemini_is_told_in_the_names_of_the_conventions(
    client: Client, collected: Collector
) -> None:
    document = await client.finished(await client.start(DRAFT, traceparent=CLIENTS))
    spans = await spans_of(collected, TRACE, least=8)
    told = next(span.attributes for span in spans if span.kind == 3)
    assert told["gen_ai.operation.name"] == "generate_content"
    assert told["gen_ai.provider.name"] == "gcp.gemini"
    assert told["gen_ai.request.model"] == told["gen_ai.response.model"] == "gemini-3.8-flash"
    assert (told["gen_ai.request.stream"], told["gen_ai.request.reasoning.level"]) == (True, "low")
    assert told["gen_ai.response.finish_reasons"] == ["STOP"]
    used = told["gen_ai.usage.input_tokens"] + told["gen_ai.usage.output_tokens"]
    assert used == document["tokens_used"]
    assert 0 < told["gen_ai.usage.reasoning.output_tokens"] < told["gen_ai.usage.output_tokens"]
    assert told["gen_ai.usage.cache_read.input_tokens"] == 0
    assert told["gen_ai.response.time_to_first_chunk"] > 0


@pytest.mark.gen_test
@pytest.mark.settings(gemini={"backend": "vertex"})
async def test_vertex_ai_is_told_as_another_provider(client: Client, collected: Collector) -> None:
    await client.finished(await client.start(DRAFT, traceparent=CLIENTS))
    told = [span.attributes for span in await spans_of(collected, TRACE, least=8) if span.kind == 3]
    assert {span["gen_ai.provider.name"] for span in told} == {"gcp.vertex_ai"}


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "failed", [False, pytest.param(True, marks=pytest.mark.settings(gemini={"api_key": "one that is refused"}))]
)
async def test_the_counting_of_a_short_balance_s_tokens_is_a_span_of_its_own(
    storage: OpenStorage, http_client: AsyncHTTPClient, base_url: str, collected: Collector, failed: bool
) -> None:
    poor = await make_client(storage, http_client, base_url, tokens=2_000)
    await poor.finished(await poor.start("Запишите 12 блюд. " * 40, traceparent=CLIENTS))
    spans = await spans_of(collected, TRACE, least=5)
    [counting] = [span for span in spans if span.name == "count_tokens gemini-3.8-flash"]
    by_id = {span.span_id: span.name for span in spans}
    assert (counting.kind, counting.failed, by_id[counting.parent_id]) == (3, failed, "generation")
    assert counting.attributes["gen_ai.operation.name"] == "count_tokens"
    assert counting.attributes["gen_ai.provider.name"] == "gcp.gemini"
    assert counting.attributes["gen_ai.request.model"] == "gemini-3.8-flash"
    assert not any(name.startswith("gen_ai.usage") for name in counting.attributes), "a count is not billed"


@pytest.mark.gen_test
async def test_no_text_of_a_user_s_or_gemini_s_is_in_a_trace(client: Client, collected: Collector) -> None:
    document = await client.finished(await client.start(DRAFT, traceparent=CLIENTS))
    await spans_of(collected, TRACE, least=8)
    for text in ("café", "1.250,00", document["prompt"][:20], client.api_key, client.account_id):
        assert text.encode() not in collected.received


@pytest.mark.gen_test
@pytest.mark.settings(traces={"texts": True})
async def test_the_texts_are_there_when_a_setting_says_so(client: Client, collected: Collector) -> None:
    await client.finished(await client.start(DRAFT, traceparent=CLIENTS))
    spans = await spans_of(collected, TRACE, least=8)
    told = next(span.attributes for span in spans if span.kind == 3)
    asked = json.loads(told["gen_ai.input.messages"])[0]
    assert asked["role"] == "user"
    assert "1.250,00 EUR" in asked["parts"][0]["content"]
    answered = json.loads(told["gen_ai.output.messages"])[0]
    assert "1.250,00" in answered["parts"][0]["content"]
    assert answered["finish_reason"] == "STOP"
    assert json.loads(told["gen_ai.system_instructions"])[0]["type"] == "text"


@pytest.mark.gen_test
async def test_a_repair_is_a_second_request_under_a_span_of_that_name(client: Client, collected: Collector) -> None:
    document = await client.finished(
        await client.start(DRAFT + " [[standin:fault=fact_lost,first=1]]", traceparent=CLIENTS)
    )
    spans = await spans_of(collected, TRACE, least=10)
    repair = next(span for span in spans if span.name == "repair")
    calls = [span for span in spans if span.kind == 3]
    assert [call.parent_id == repair.span_id for call in calls] == [False, True], document


@pytest.mark.gen_test
async def test_each_try_is_a_span_and_a_failed_one_says_why(client: Client, collected: Collector) -> None:
    await client.finished(await client.start(DRAFT + " [[standin:fault=overloaded,first=1]]", traceparent=CLIENTS))
    first, second = [span for span in await spans_of(collected, TRACE, least=9) if span.kind == 3]
    assert (first.failed, first.attributes["error.type"]) == (True, "ServerFailed")
    assert (second.failed, second.attributes["http.request.resend_count"]) == (False, 1)
    assert second.attributes["gen_ai.response.finish_reasons"] == ["STOP"]
    assert "gen_ai.response.finish_reasons" not in first.attributes, "Gemini gave none"
    began = [("gen_ai.response.time_to_first_chunk" in span.attributes) for span in (first, second)]
    assert began == [False, True], "an error's body is no answer that has begun"


@pytest.mark.gen_test
@pytest.mark.settings(traces={"texts": True})
async def test_a_try_without_an_answer_has_no_text_of_one(client: Client, collected: Collector) -> None:
    await client.finished(await client.start(DRAFT + " [[standin:fault=overloaded,first=1]]", traceparent=CLIENTS))
    first, second = [span for span in await spans_of(collected, TRACE, least=9) if span.kind == 3]
    told = [("gen_ai.output.messages" in span.attributes) for span in (first, second)]
    assert told == [False, True]


@pytest.mark.gen_test
async def test_a_cancelled_generation_is_no_error_in_its_trace_and_no_loss_in_the_log(
    client: Client, collected: Collector
) -> None:
    with structlog.testing.capture_logs() as lines:
        task_id = await client.start(DRAFT + " [[standin:delay=60]]", traceparent=CLIENTS)
        document: dict[str, Any] = {"progress": 0, "version": 0}
        while document["progress"] < 70:
            document = (await client.status(task_id, f"?wait=5&after={document['version']}")).json
        await client.ask("POST", f"{START}cancel/{task_id}/")
        spans = await spans_of(collected, TRACE, least=6)
    generation = next(span for span in spans if span.name == "generation")
    assert generation.attributes["prompt.outcome"] == "cancelled"
    assert {"generate_content gemini-3.8-flash", "stage generating"} <= names(spans)
    assert not any(span.failed for span in spans)
    assert [line["event"] for line in lines if line["event"].startswith("task_")] == ["task_cancelled"]


def test_whoever_works_for_a_task_when_it_is_cancelled_elsewhere_drained_or_lost_says_so_in_its_trace(
    collected: Collector,
) -> None:
    async def scenario() -> list[str]:
        settings = {**SHORT_LEASES, "traces__endpoint": collected.url, "server__drain_timeout_s": 0.1}
        async with a_world(settings=settings) as world:
            await world.standin.behave(delay_s=300)
            client = await world.client()
            owner = await world.serve()
            other = await world.serve()
            ids = {}
            for name in ("cancelled", "lost"):
                ids[name] = await client.submit(DRAFT, url=owner.url)
                await client.finished(ids[name], until=lambda document: document["progress"] >= 70)
            cancelled = await client.ask("POST", f"{START}cancel/{ids['cancelled']}/", url=other.url)
            assert cancelled.status == 200, cancelled
            assert await asyncio.to_thread(eventually, lambda: "cancelled" in outcomes(collected))
            owner.freeze()
            await client.finished(ids["lost"], until=lambda document: document["attempt"] == 2, within_s=60)
            owner.thaw()
            assert await asyncio.to_thread(eventually, lambda: "lost" in outcomes(collected))
            await other.stop()
            assert await asyncio.to_thread(eventually, lambda: "handed_back" in outcomes(collected))
            await owner.stop()
            return [owner.process.log()]

    [log] = asyncio.run(scenario())
    assert {name: span.failed for name, span in outcomes(collected).items()} == {
        "cancelled": False,
        "lost": True,
        "handed_back": False,
    }
    told = {line["event"]: line for line in lines_of(log)}
    assert told["task_cancelled"]["task_id"] != told["task_lost"]["task_id"]
    assert told["task_lost"]["reason"] in ("TaskFenced", "LeaseLost")


def outcomes(collected: Collector) -> dict[str, CollectedSpan]:
    return {str(span.attributes.get("prompt.outcome")): span for span in collected.named("generation")}


@pytest.mark.gen_test
async def test_polls_waits_and_lists_are_not_traced_and_a_trace_of_our_own_begins_without_a_client_s(
    client: Client, collected: Collector
) -> None:
    task_id = await client.start(DRAFT, traceparent=MALFORMED[0])
    for path in (f"status/{task_id}/", f"status/{task_id}/?wait=5", f"events/{task_id}/", ""):
        await client.ask("GET", START + path, headers={"traceparent": CLIENTS})
    await client.finished(task_id)
    assert await asyncio.to_thread(eventually, lambda: bool(collected.named("generation")))
    assert [span.name for span in collected.spans if span.kind == 2] == [SUBMIT]
    assert collected.named(SUBMIT)[0].parent_id == ""
    assert len({span.trace_id for span in collected.spans}) == 1


@pytest.mark.gen_test
async def test_what_an_operator_changes_is_traced_with_the_task_and_without_the_account(
    client: Client, storage: OpenStorage, collected: Collector
) -> None:
    key = {"Authorization": f"Bearer {(await AdminKeys(storage).create('shop')).key}"}
    task_id = await client.start(DRAFT + " [[standin:delay=60]]")
    path = f"{ADMIN}/accounts/{client.account_id}/"
    for asked in (path, f"{path}tasks/", f"{ADMIN}/overview/"):
        await client.ask("GET", asked, headers=key)
    cancel = f"{ADMIN}/accounts/{{account_id}}/tasks/{{task_id}}/cancel/"
    answer = await client.ask("POST", f"{path}tasks/{task_id}/cancel/", headers=key | {"traceparent": CLIENTS})
    await client.ask("DELETE", f"{path}keys/", headers=key)
    assert await asyncio.to_thread(eventually, lambda: bool(collected.named(f"DELETE {ADMIN}/accounts/")))
    assert {span.name for span in collected.spans if ADMIN in span.name} == {
        f"POST {cancel}",
        f"DELETE {ADMIN}/accounts/{{account_id}}/keys/",
    }
    [span] = collected.named(f"POST {cancel}")
    assert (span.trace_id, span.attributes["prompt.task_id"], span.attributes["url.path"]) == (TRACE, task_id, cancel)
    assert span.attributes["prompt.request_id"] == answer.headers["X-Request-ID"]
    assert client.account_id.encode() not in collected.received


@pytest.mark.gen_test
async def test_whoever_has_no_valid_key_makes_no_span_and_a_key_sent_for_an_id_is_in_none(
    client: Client, collected: Collector
) -> None:
    unknown = {"Authorization": f"Bearer {generate_key()}", "traceparent": CLIENTS}
    for path in (START, f"{START}cancel/{client.account_id}/", f"{ADMIN}/accounts/"):
        assert (await client.ask("POST", path, {}, headers=unknown)).status == 401
    cancel, key = f"{START}cancel/{{task_id}}/", {"X-Request-ID": client.api_key, "traceparent": CLIENTS}
    answer = await client.ask("POST", f"{START}cancel/{client.api_key}/", headers=key)
    assert answer.status == 404
    assert answer.headers["X-Request-ID"] != client.api_key
    assert await asyncio.to_thread(eventually, lambda: bool(collected.named(f"POST {cancel}")))
    assert [(span.name, span.trace_id) for span in collected.spans] == [(f"POST {cancel}", TRACE)]
    assert client.api_key.encode() not in collected.received


@pytest.mark.parametrize(("pattern", "handler"), ADMIN_ROUTES.values(), ids=ADMIN_ROUTES)
def test_every_route_by_which_an_operator_changes_something_is_traced(
    pattern: str, handler: type[AdminHandler]
) -> None:
    changes = {"post", "patch", "delete"} & vars(handler).keys()
    told = re.sub(r"{[a-z_]+}", "([^/]+)", handler.traced_as)
    assert told == (pattern.removesuffix("?") if changes else "")


@pytest.mark.gen_test
async def test_a_trace_that_its_client_does_not_keep_is_not_kept_here(client: Client, collected: Collector) -> None:
    await client.finished(await client.start(DRAFT, traceparent=CLIENTS[:-1] + "0"))
    await client.finished(await client.start(DRAFT))
    assert await asyncio.to_thread(eventually, lambda: bool(collected.named("generation")))
    assert TRACE not in {span.trace_id for span in collected.spans}


def test_a_takeover_begins_a_trace_that_links_to_its_submit_and_the_log_has_both_ids(collected: Collector) -> None:
    async def scenario() -> list[str]:
        async with a_world(settings={**SHORT_LEASES, "traces__endpoint": collected.url}) as world:
            first = await world.serve()
            client = await world.client()
            await world.standin.behave(delay_s=300)
            answer = await client.submit_once(DRAFT, headers={"X-Request-ID": "mine"})
            task_id = str(answer.json["task_id"])
            await client.finished(task_id, until=lambda document: document["progress"] >= 70)
            assert await asyncio.to_thread(eventually, lambda: bool(collected.named(SUBMIT)))
            await first.kill()
            await world.standin.behave()
            second = await world.serve()
            assert (await client.finished(task_id, within_s=60))["attempt"] == 2
            await second.stop()
            return [server.process.log() for server in (first, second)]

    logs = asyncio.run(scenario())
    (submit,), (taken_over,) = collected.named(SUBMIT), collected.named("generation")
    assert taken_over.links == ((submit.trace_id, submit.span_id),)
    assert (taken_over.attributes["prompt.attempt"], taken_over.parent_id) == (2, "")
    assert taken_over.trace_id != submit.trace_id
    assert events_of(logs[0], submit.trace_id) == {"request", "stage"}
    assert events_of(logs[1], taken_over.trace_id) == {"stage", "gemini_answered"}
    assert events_of(logs[1], submit.trace_id) == {"task_taken_over"}
    next_attempt = [line for line in lines_of(logs[1]) if line.get("trace_id") == taken_over.trace_id]
    assert {line["submit_trace_id"] for line in next_attempt} == {submit.trace_id}
    told = [line for log in logs for line in lines_of(log) if "task_id" in line and line.get("method") != "GET"]
    assert {line["request_id"] for line in told} == {taken_over.attributes["prompt.request_id"]} == {"mine"}


@pytest.mark.gen_test
@pytest.mark.parametrize("kept", [True, False])
async def test_a_takeover_s_trace_is_kept_where_that_of_its_submit_is(collected: Collector, kept: bool) -> None:
    async with open_tracing(TraceSettings(endpoint=collected.url)) as tracing:
        with tracing.span("generation", link=CLIENTS if kept else CLIENTS[:-1] + "0") as span:
            assert (span.trace_id == TRACE) is not kept
    assert bool(collected.named("generation")) is kept


def lines_of(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def events_of(log: str, trace_id: str) -> set[str]:
    return {line["event"] for line in lines_of(log) if line.get("trace_id") == trace_id}


def test_what_traceparent_headers_may_look_like() -> None:
    assert trace_id_of(trace_context(CLIENTS, "")) == TRACE
    assert trace_context("cc" + CLIENTS[2:] + "-what comes later", "") == "cc" + CLIENTS[2:]
    for wrong in ("", "00-1-2-01", CLIENTS.upper(), "ff" + CLIENTS[2:], f"00-{'0' * 32}-{PARENT}-01", *MALFORMED):
        assert trace_id_of(trace_context(wrong, "")) == ""


@pytest.mark.parametrize(
    ("came", "passed_on"),
    [
        ("rojo=00f067aa0ba902b7", "rojo=00f067aa0ba902b7"),
        ("", ""),
        (" a=1 ,, 4711@b=2!\t,", "a=1,4711@b=2!"),
        ("a=1,a=2", ""),
        ("a=1,B=2", ""),
        ("a=1,b", ""),
        ("a=ü", ""),
        (",".join(f"k{number}=1" for number in range(32)), ",".join(f"k{number}=1" for number in range(32))),
        (",".join(f"k{number}=1" for number in range(33)), ""),
        (f"a=1,b={'x' * 254},c={'x' * 254}", f"a=1,b={'x' * 254}"),
    ],
)
def test_what_tracestate_headers_may_look_like(came: str, passed_on: str) -> None:
    headers = {"traceparent": CLIENTS, "tracestate": passed_on} if passed_on else {"traceparent": CLIENTS}
    assert headers_of(trace_context(CLIENTS, came)) == headers
    assert headers_of(trace_context("", came)) == {}


@pytest.mark.gen_test
async def test_without_opentelemetry_the_start_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "runtime.otlp", None)
    with pytest.raises(TracesUnusable, match=r"requirements-otel\.lock"):
        async with open_tracing(TraceSettings(endpoint="http://127.0.0.1:4318/v1/traces")):
            pass


def test_a_server_without_traces_does_not_load_the_exporter() -> None:
    program = "import sys, composition; sys.exit('runtime.otlp' in sys.modules)"
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", program], timeout=180, cwd=root, check=False)
    assert ended.returncode == 0


@pytest.mark.gen_test
async def test_spans_that_a_slow_collector_leaves_no_room_for_are_counted_as_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    monkeypatch.setattr(otlp, "SEND_WITHIN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
        async with open_tracing(TraceSettings(endpoint=endpoint)) as tracing:
            for number in range(30):
                with tracing.span(f"span {number}"):
                    pass
            assert tracing.lost_spans > 0, "the queue holds 8"
            # A batch that the SDK is just taking out of its queue may be counted twice.
            assert await asyncio.to_thread(eventually, lambda: tracing.lost_spans >= 30)
