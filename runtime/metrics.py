"""Every number that Prometheus can ask for, in a registry of its own.

Owns names, labels and buckets (docs/metrics.md lists them); refuses to know when something is counted.
Labels take few values each: routes by their names, never paths; no account, no task. Numbers that
other objects keep anyway are read at each scrape: runtime/readings.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from runtime.readings import Readings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REAPED = ("taken_over", "interrupted")
SUBMITS = (  # the outcomes that a server in trouble has; refusals for what a client sent come when they come
    *("accepted", "replayed", "too_many_tasks", "too_many_submits", "insufficient_tokens"),
    *("internal_error", "storage_unavailable", "server_busy", "draining", "interrupted", "record_unreadable"),
)
FIDELITIES = ("kept", "repaired", "incomplete", "unfaithful")
PUSH_OUTCOMES = ("delivered", "gone", "refused", "timeout", "unreachable")
REDIS_REASONS = ("unreachable", "timeout", "read_only", "out_of_memory", "loading", "refused", "backlog")
SUBMIT_ROUTES = ("generations", "synchronous")
BUSY_ROUTES = (*((route, "POST") for route in SUBMIT_ROUTES), ("status", "GET"))
SERVER_ERRORS = ("500", "503")
WEBHOOK_OUTCOMES = ("delivered", "refused", "timeout", "unreachable", "unset")
METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})

HTTP_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STAGE_BUCKETS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)
TASK_BUCKETS_S = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)
GEMINI_BUCKETS_S = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
LOOP_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15)
REDIS_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """The counters of all rooms; ``render()`` is the body of ``/metrics``."""

    def __init__(self) -> None:
        # Prometheus does not use the *_created series, which would double the number of ours. Process-wide.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client leaves it without types
        self.registry = CollectorRegistry()
        self._define_http()
        self._define_tasks()
        self._define_services()
        self.readings = Readings()
        self.registry.register(self.readings)
        ProcessCollector(registry=self.registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(name, documentation, labels, registry=self.registry)

    def _histogram(self, name: str, documentation: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, documentation, labels, buckets=buckets, registry=self.registry)

    def _define_http(self) -> None:
        self._requests = self._counter(
            "prompt_http_requests_total",
            "Requests answered, polls on the express lane excepted.",
            *("route", "method", "status"),
        )
        self._request_seconds = self._histogram(
            "prompt_http_request_duration_seconds",
            "From the request's head to the answer's last byte handed to the kernel; status is its class, as 2xx.",
            *("route", "method", "status"),
            buckets=HTTP_BUCKETS_S,
        )
        for (route, method), status in product(BUSY_ROUTES, SERVER_ERRORS):
            self._requests.labels(route, method, status)
        self._loop_lag = self._histogram(
            "prompt_event_loop_lag_seconds",
            "How late the event loop was, looked at ten times a second.",
            buckets=LOOP_BUCKETS_S,
        )

    def _define_tasks(self) -> None:
        self._submits = self._counter(
            "prompt_submits_total", "Generations asked for, by what became of the asking.", "outcome"
        )
        for outcome in SUBMITS:
            self._submits.labels(outcome)
        self._tasks = self._counter(
            "prompt_tasks_finished_total", "Tasks that ended, by outcome and error code.", "outcome", "error_code"
        )
        self._task_seconds = self._histogram(
            "prompt_task_duration_seconds", "From submit to the terminal document.", "outcome", buckets=TASK_BUCKETS_S
        )
        self._stage_seconds = self._histogram(
            "prompt_stage_duration_seconds", "Time spent in a stage.", "stage", buckets=STAGE_BUCKETS_S
        )
        self._first_text_seconds = self._histogram(
            "prompt_first_text_seconds",
            "From submit to the first piece of Gemini's text that was read, up to 250 ms late where nobody follows.",
            buckets=TASK_BUCKETS_S,
        )
        self._reaped = self._counter(
            "prompt_tasks_reaped_total", "Tasks whose lease ran out, by what was done.", "outcome"
        )
        for outcome in REAPED:
            self._reaped.labels(outcome)
        self._set_aside = self._counter("prompt_records_set_aside_total", "Records in Redis that could not be read.")
        self._tokens = self._counter("prompt_tokens_charged_total", "Tokens taken from accounts.")

        self._fidelity = self._counter(
            "prompt_fidelity_total", "Answers of the AI, by what they kept of their drafts.", "outcome", "instruction"
        )

    def _define_services(self) -> None:
        self._gemini_seconds = self._histogram(
            "prompt_gemini_attempt_duration_seconds",
            "One call to Gemini, to the end of its answer; the count is the number of attempts.",
            "outcome",
            buckets=GEMINI_BUCKETS_S,
        )
        self._gemini_answers = self._counter(
            "prompt_gemini_answers_total", "Calls that Gemini answered, by model and service tier.", "model", "tier"
        )
        self._webhook_tries = self._counter(
            "prompt_webhook_tries_total", "Tries to deliver a webhook, by how they ended.", "outcome"
        )
        for outcome in WEBHOOK_OUTCOMES:
            self._webhook_tries.labels(outcome)
        self._push_tries = self._counter(
            "prompt_push_tries_total", "Requests to push services, by how they ended.", "outcome"
        )
        for outcome in PUSH_OUTCOMES:
            self._push_tries.labels(outcome)
        self._gemini_tokens = self._counter(
            "prompt_gemini_tokens_total", "Tokens that Gemini reported, failed tries included.", "kind", "model"
        )
        self._redis_seconds = self._histogram(
            "prompt_redis_operation_duration_seconds",
            "One round trip to Redis, retries included.",
            "operation",
            buckets=REDIS_BUCKETS_S,
        )
        self._redis_errors = self._counter(
            "prompt_redis_errors_total", "Round trips without a usable answer.", "reason"
        )
        for reason in REDIS_REASONS:
            self._redis_errors.labels(reason)

    def request_answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """``route`` is a name from the table of routes, never a path."""
        method = method if method in METHODS else "other"
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route, method, f"{status // 100}xx").observe(seconds)

    def submit_answered(self, outcome: str) -> None:
        """``outcome``: accepted | replayed | an error code of the answer."""
        self._submits.labels(outcome).inc()

    def task_ended(self, outcome: str, error_code: str, seconds: float) -> None:
        """``outcome``: completed | fallback | failed; ``error_code``: empty | fallback_reason | error_code."""
        self._tasks.labels(outcome, error_code).inc()
        self._task_seconds.labels(outcome).observe(seconds)

    def expect_ends(self, ends: Iterable[tuple[str, str]], instruction_version: str) -> None:
        """Show a zero for each (outcome, error code): Prometheus sees no increase from nothing to one.

        And for each fidelity of answers to this version of the instruction.
        """
        for outcome, error_code in ends:
            self._tasks.labels(outcome, error_code)
        for fidelity in FIDELITIES:
            self._fidelity.labels(fidelity, instruction_version)

    def first_text(self, seconds: float) -> None:
        self._first_text_seconds.observe(seconds)

    def loop_was_late(self, seconds: float) -> None:
        self._loop_lag.observe(seconds)

    def stage_ended(self, stage: str, seconds: float) -> None:
        self._stage_seconds.labels(stage).observe(seconds)

    def gemini_attempted(self, outcome: str, seconds: float) -> None:
        """``outcome``: ok | cancelled | the name of the failure's class."""
        self._gemini_seconds.labels(outcome).observe(seconds)

    def rewritten(self, outcome: str, instruction_version: str) -> None:
        """``outcome``: one of FIDELITIES."""
        self._fidelity.labels(outcome, instruction_version).inc()

    def gemini_answered(self, model: str, tier: str) -> None:
        """``model``: as the settings name it; ``tier``: standard | priority | flex, or '' where Google named none."""
        self._gemini_answers.labels(model, tier).inc()

    def gemini_billed(self, tokens: Mapping[str, int], model: str) -> None:
        """``tokens`` by kind: input | output | thoughts | cached | tool; ``model``: as the settings name it."""
        for kind, count in tokens.items():
            self._gemini_tokens.labels(kind, model).inc(count)

    def webhook_tried(self, outcome: str) -> None:
        """``outcome``: one of WEBHOOK_OUTCOMES; ``unset``: written under other settings, there is no address now."""
        self._webhook_tries.labels(outcome).inc()

    def push_tried(self, outcome: str) -> None:
        """``outcome``: one of PUSH_OUTCOMES."""
        self._push_tries.labels(outcome).inc()

    def tokens_charged(self, tokens: int) -> None:
        self._tokens.inc(tokens)

    def task_reaped(self, outcome: str) -> None:
        """``outcome``: taken_over | interrupted."""
        self._reaped.labels(outcome).inc()

    def record_set_aside(self) -> None:
        self._set_aside.inc()

    def redis_answered(self, operation: str, seconds: float) -> None:
        self._redis_seconds.labels(operation).observe(seconds)

    def redis_failed(self, reason: str) -> None:
        """``reason``: one of REDIS_REASONS."""
        self._redis_errors.labels(reason).inc()

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format (CONTENT_TYPE)."""
        return generate_latest(self.registry)
