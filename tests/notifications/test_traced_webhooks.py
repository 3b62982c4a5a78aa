"""A webhook belongs to its task's trace, seen by a collector and a receiver of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import structlog

from notifications import deliverer
from notifications.deliverer import PAUSES_S
from standin.behaviour import Behaviour, Chooser
from tests.support.waiting import eventually
from tests.support.webhook_receiver import SECRET, Receiver
from tests.support.whole_server import BASE, Client

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry is an extra")

from tests.support.otlp_collector import Collector, collector

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CLIENTS = f"00-{TRACE}-{PARENT}-01"
SUBMIT = f"POST {BASE}/generate-prompt-async/"
DRAFT = "Answer questions about our bakery. Open 7-18."


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    with collector() as collecting:
        yield collecting


@pytest.fixture
def changes(receiver: Receiver, collected: Collector) -> dict[str, dict[str, Any]]:
    return {
        "webhooks": {"url": receiver.url, "secrets": SECRET},
        "tasks": {"reap_every_s": 0.2, "lease_s": 2.0, "renew_every_s": 0.5},
        "traces": {"endpoint": collected.url},
    }


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverer, "PAUSES_S", (0.0,) * len(PAUSES_S))


@pytest.mark.gen_test
@pytest.mark.usefixtures("no_pauses")
async def test_each_try_of_a_webhook_is_a_span_of_its_task_s_trace_and_the_receiver_can_go_on_with_it(
    client: Client, collected: Collector, receiver: Receiver
) -> None:
    receiver.answers = [(503, {})]
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        task_id = await client.start(DRAFT, traceparent=CLIENTS)
        await client.finished(task_id)
        told = await receiver.has(2)
        assert await asyncio.to_thread(eventually, lambda: len(collected.named("webhook")) == 2)
    (submit,) = collected.named(SUBMIT)
    first, second = collected.named("webhook")
    assert {span.trace_id for span in (submit, first, second)} == {TRACE}
    assert {first.parent_id, second.parent_id} == {submit.span_id}
    assert (first.kind, first.failed, first.attributes["error.type"]) == (3, True, "503")
    assert (second.failed, second.attributes["http.request.resend_count"]) == (False, 1)
    assert second.attributes["prompt.task_id"] == second.attributes["prompt.webhook_id"] == task_id
    assert second.attributes["http.response.status_code"] == 204
    assert [each.headers["traceparent"] for each in told] == [
        f"00-{TRACE}-{span.span_id}-01" for span in (first, second)
    ]
    assert {line["trace_id"] for line in lines if line["event"] == "webhook"} == {TRACE}


@pytest.mark.gen_test
async def test_a_client_s_tracestate_reaches_spans_and_receivers_and_not_google(
    client: Client, collected: Collector, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    google_got: list[str] = []
    choose = Chooser.choose

    def choosing(self: Chooser, text: str, headers: Mapping[str, str], *rest: str) -> Behaviour:
        google_got.extend(name.lower() for name in headers)
        return choose(self, text, headers, *rest)

    monkeypatch.setattr(Chooser, "choose", choosing)
    state = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
    came = state.replace(",", " ,\t")
    await client.finished(await client.start(DRAFT, traceparent=CLIENTS, tracestate=came, baggage="user=4711"))
    (told,) = await receiver.has(1)
    for name in ("webhook", "generation"):
        assert await asyncio.to_thread(eventually, lambda: bool(collected.named(name)))  # noqa: B023  # awaited here
    assert {span.tracestate for span in collected.spans if span.trace_id == TRACE} == {state}
    assert (told.headers["tracestate"], told.headers["traceparent"][:36]) == (state, f"00-{TRACE}-")
    assert "x-goog-api-key" in google_got
    assert {"traceparent", "tracestate", "baggage"}.isdisjoint(google_got)
    assert "baggage" not in told.headers


@pytest.mark.gen_test
async def test_webhooks_of_a_task_that_is_not_traced_begin_no_trace(
    client: Client, collected: Collector, receiver: Receiver
) -> None:
    await client.finished(await client.start(DRAFT, traceparent=CLIENTS[:-1] + "0"))
    traced = await client.start(DRAFT)
    told = await receiver.has(2)
    assert {each.id for each in told if "traceparent" in each.headers} == {traced}
    assert await asyncio.to_thread(eventually, lambda: bool(collected.named("webhook")))
    assert [span.attributes["prompt.task_id"] for span in collected.named("webhook")] == [traced]
