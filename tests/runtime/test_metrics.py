"""What Prometheus is told: real exposition text, parsed by Prometheus' own parser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.metrics import REDIS_REASONS, Metrics
from runtime.readings import BREAKER_STATES
from storage.errors import REASONS, REASONS_IN_TEXT

REASONS_OF_ERRORS = {reason for _, reason in (*REASONS, *REASONS_IN_TEXT)}
ROOT = Path(__file__).parents[2]
TABLE_ROW = re.compile(r"^\| `([a-z_]+)` \| (\w+) \|(.*?)\| ", re.MULTILINE)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value_of(metrics: Metrics, sample: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(metrics.render().decode()):
        for found in family.samples:
            if found.name == sample and found.labels == labels:
                return found.value
    return None


def count_everything_once(metrics: Metrics) -> None:
    metrics.request_answered("start", "POST", 202, 0.004)
    metrics.submit_answered("accepted")
    metrics.task_ended("fallback", "timeout", 61.0)
    metrics.stage_ended("checking", 0.002)
    metrics.gemini_attempted("ok", 1.3)
    metrics.tokens_charged(912)
    metrics.rewritten("kept", "2")
    metrics.task_reaped("taken_over")
    metrics.redis_answered("submit", 0.0004)
    metrics.redis_failed("timeout")
    metrics.readings.polls(lambda: {("lane", "200"): 41})
    metrics.readings.tasks(lambda: 3, lambda: 8, max_running=200, max_waiting=800)
    metrics.gemini_billed({"thoughts": 5}, "m")
    metrics.gemini_answered("m", "standard")
    metrics.webhook_tried("delivered")
    metrics.push_tried("delivered")
    metrics.readings.unavailable_models(lambda: {"m": True, "other": False})
    metrics.readings.retirements(lambda: {"m": 1.8e9, "other": None})
    metrics.readings.breakers(lambda: {"m": "open"})
    metrics.readings.periodic_work(lambda: {"renewal": 2.5, "reaper": 4})
    metrics.readings.dropped_lines(lambda: 12)
    metrics.readings.gemini_requests(lambda: 7, 1_000)
    metrics.readings.connections(lambda: 41, 20_000)
    metrics.readings.open_waits(lambda: {"stream": 5, "poll": 6})
    metrics.readings.masters(lambda: (3, 2))
    metrics.readings.link_losses(lambda: 4)
    metrics.readings.lost_spans(lambda: 9)
    metrics.first_text(0.8)
    metrics.loop_was_late(0.003)


def test_each_thing_counted_comes_out_under_its_name_and_labels(metrics: Metrics) -> None:
    count_everything_once(metrics)
    assert value_of(metrics, "prompt_http_requests_total", route="start", method="POST", status="202") == 1
    assert (
        value_of(metrics, "prompt_http_request_duration_seconds_sum", route="start", method="POST", status="2xx")
        == 0.004
    )
    assert value_of(metrics, "prompt_submits_total", outcome="accepted") == 1
    assert value_of(metrics, "prompt_tasks_finished_total", outcome="fallback", error_code="timeout") == 1
    assert value_of(metrics, "prompt_task_duration_seconds_sum", outcome="fallback") == 61.0
    assert value_of(metrics, "prompt_stage_duration_seconds_bucket", stage="checking", le="0.005") == 1
    assert value_of(metrics, "prompt_gemini_attempt_duration_seconds_count", outcome="ok") == 1
    assert value_of(metrics, "prompt_tokens_charged_total") == 912
    assert value_of(metrics, "prompt_fidelity_total", outcome="kept", instruction="2") == 1
    assert value_of(metrics, "prompt_tasks_reaped_total", outcome="taken_over") == 1
    assert value_of(metrics, "prompt_redis_operation_duration_seconds_bucket", operation="submit", le="0.0005") == 1
    assert value_of(metrics, "prompt_redis_errors_total", reason="timeout") == 1
    assert value_of(metrics, "prompt_polls_total", served_by="lane", status="200") == 41
    assert value_of(metrics, "prompt_periodic_work_age_seconds", work="renewal") == 2.5
    assert value_of(metrics, "prompt_log_lines_dropped_total") == 12
    assert value_of(metrics, "prompt_tasks_unfinished", state="running") == 3
    assert value_of(metrics, "prompt_tasks_unfinished", state="waiting") == 8
    assert value_of(metrics, "prompt_tasks_unfinished_limit", state="running") == 200
    assert value_of(metrics, "prompt_gemini_tokens_total", kind="thoughts", model="m") == 5
    assert value_of(metrics, "prompt_gemini_model_unavailable", model="m") == 1
    assert value_of(metrics, "prompt_gemini_model_unavailable", model="other") == 0
    assert value_of(metrics, "prompt_gemini_requests_open") == 7
    assert value_of(metrics, "prompt_http_connections_limit") == 20_000
    assert value_of(metrics, "prompt_http_waits_open", kind="stream") == 5
    assert value_of(metrics, "prompt_redis_masters", state="connected") == 2
    assert value_of(metrics, "prompt_redis_masters", state="away") == 1
    assert value_of(metrics, "prompt_trace_spans_lost_total") == 9
    assert value_of(metrics, "prompt_redis_link_losses_total") == 4
    assert value_of(metrics, "prompt_first_text_seconds_bucket", le="1.0") == 1
    assert value_of(metrics, "prompt_event_loop_lag_seconds_bucket", le="0.005") == 1
    assert [value_of(metrics, "prompt_gemini_breaker_state", model="m", state=state) for state in BREAKER_STATES] == [
        0,
        1,
        0,
    ]


def test_readings_are_asked_for_at_each_scrape(metrics: Metrics) -> None:
    polls = {("lane", "200"): 1}
    metrics.readings.polls(lambda: polls)
    assert value_of(metrics, "prompt_polls_total", served_by="lane", status="200") == 1
    polls[("lane", "200")] += 1
    assert value_of(metrics, "prompt_polls_total", served_by="lane", status="200") == 2


def test_rare_outcomes_are_there_before_the_first_one(metrics: Metrics) -> None:
    metrics.expect_ends([], "2")
    reasons = {*REASONS_OF_ERRORS, "backlog"}
    for reason in reasons:
        assert value_of(metrics, "prompt_redis_errors_total", reason=reason) == 0
    assert value_of(metrics, "prompt_push_tries_total", outcome="gone") == 0
    assert value_of(metrics, "prompt_fidelity_total", outcome="unfaithful", instruction="2") == 0
    assert value_of(metrics, "prompt_submits_total", outcome="storage_unavailable") == 0
    assert value_of(metrics, "prompt_http_requests_total", route="generations", method="POST", status="503") == 0
    assert set(REDIS_REASONS) == reasons


def test_a_made_up_method_adds_no_series(metrics: Metrics) -> None:
    for method in ("BREW", "PROPFIND", "brew"):
        metrics.request_answered("not_found", method, 405, 0.001)
    assert value_of(metrics, "prompt_http_requests_total", route="not_found", method="other", status="405") == 3


def test_two_registries_in_one_process_do_not_meet(metrics: Metrics) -> None:
    other = Metrics()
    other.tokens_charged(5)
    assert value_of(metrics, "prompt_tokens_charged_total") == 0
    assert value_of(other, "prompt_tokens_charged_total") == 5


def test_nothing_is_exposed_twice_as_a_creation_time(metrics: Metrics) -> None:
    count_everything_once(metrics)
    assert b"_created" not in metrics.render()


def test_the_documented_table_lists_exactly_the_metrics_there_are(metrics: Metrics) -> None:
    count_everything_once(metrics)
    there_are = {}
    for family in metrics.registry.collect():
        name = family.name + "_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        there_are[name] = (family.type, labels)
    documented = {
        name: (kind, set(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in TABLE_ROW.findall((ROOT / "docs" / "metrics.md").read_text("utf-8"))
    }
    assert documented == there_are
