"""Every number that Prometheus can ask for, in a registry of its own.

Owns names, labels and buckets (docs/metrics.md lists them); refuses to know when something is counted.
Labels take few values each: routes by their names, never paths; no account, no task. What others keep
anyway (tasks at work, the breaker's state, polls that a hot path counts in plain ints) is read when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BREAKER_STATES = ("closed", "open", "probing")
REAPED = ("taken_over", "interrupted")
METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})

HTTP_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STAGE_BUCKETS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)
TASK_BUCKETS_S = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)
GEMINI_BUCKETS_S = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
REDIS_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

Values = Mapping[tuple[str, ...], float]


@dataclass
class _Reading:
    """A metric that somebody else keeps: label values → value, asked for at each scrape."""

    family: type[CounterMetricFamily] | type[GaugeMetricFamily]
    name: str
    documentation: str
    labels: tuple[str, ...] = ()
    read: Callable[[], Values] = dict

    def metric(self) -> Metric:
        family = self.family(self.name, self.documentation, labels=self.labels)
        for labels, value in self.read().items():
            family.add_metric(labels, value)
        return family


class _Readings(Collector):
    def __init__(self, *readings: _Reading) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        return (reading.metric() for reading in self._readings)


class Metrics:
    """What the rooms count; ``render()`` is the body of ``/metrics``."""

    def __init__(self) -> None:
        # Prometheus does not use the *_created series, which would double the number of ours. Process-wide.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client leaves it without types
        self.registry = CollectorRegistry()
        self._define_http()
        self._define_tasks()
        self._define_services()
        self._polls = _Reading(CounterMetricFamily, "prompt_polls", "Status polls answered.", ("served_by", "status"))
        self._at_work = _Reading(GaugeMetricFamily, "prompt_tasks_unfinished", "Tasks of this process.", ("state",))
        self._breaker = _Reading(
            GaugeMetricFamily,
            "prompt_gemini_breaker_state",
            "1 for the state of a model's circuit breaker, 0 for others.",
            ("model", "state"),
        )
        self._retirements = _Reading(
            GaugeMetricFamily,
            "prompt_gemini_model_retirement_timestamp_seconds",
            "When Google will end a model, Unix time, as it has announced it.",
            ("model",),
        )
        self._periodic = _Reading(
            GaugeMetricFamily,
            "prompt_periodic_work_age_seconds",
            "Seconds since work that comes again and again last came to its end.",
            ("work",),
        )
        self._dropped_lines = _Reading(
            CounterMetricFamily, "prompt_log_lines_dropped", "Log lines that nobody took from standard error in time."
        )
        self._connections = _Reading(GaugeMetricFamily, "prompt_http_connections", "Open connections of clients.")
        readings = (
            *(self._polls, self._at_work, self._breaker, self._retirements, self._periodic, self._dropped_lines),
            self._connections,
        )
        self.registry.register(_Readings(*readings))
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
            "From the request's head to the answer's last byte handed to the kernel.",
            "route",
            buckets=HTTP_BUCKETS_S,
        )

    def _define_tasks(self) -> None:
        self._submits = self._counter(
            "prompt_submits_total", "Generations asked for, by what became of the asking.", "outcome"
        )
        self._tasks = self._counter(
            "prompt_tasks_finished_total", "Tasks that ended, by outcome and error code.", "outcome", "error_code"
        )
        self._task_seconds = self._histogram(
            "prompt_task_duration_seconds", "From submit to the terminal document.", "outcome", buckets=TASK_BUCKETS_S
        )
        self._stage_seconds = self._histogram(
            "prompt_stage_duration_seconds", "Time spent in a stage.", "stage", buckets=STAGE_BUCKETS_S
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
        self._gemini_tokens = self._counter(
            "prompt_gemini_tokens_total", "Tokens that Gemini reported, failed tries included.", "kind"
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

    def request_answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """``route`` is a name from the table of routes, never a path."""
        self._requests.labels(route, method if method in METHODS else "other", str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def submit_answered(self, outcome: str) -> None:
        """``outcome``: accepted | replayed | an error code of the answer."""
        self._submits.labels(outcome).inc()

    def task_ended(self, outcome: str, error_code: str, seconds: float) -> None:
        """``outcome``: completed | fallback | failed; ``error_code``: empty | fallback_reason | error_code."""
        self._tasks.labels(outcome, error_code).inc()
        self._task_seconds.labels(outcome).observe(seconds)

    def expect_ends(self, ends: Iterable[tuple[str, str]]) -> None:
        """Show a zero for each (outcome, error code): Prometheus sees no increase from nothing to one."""
        for outcome, error_code in ends:
            self._tasks.labels(outcome, error_code)

    def stage_ended(self, stage: str, seconds: float) -> None:
        self._stage_seconds.labels(stage).observe(seconds)

    def gemini_attempted(self, outcome: str, seconds: float) -> None:
        """``outcome``: ok | cancelled | the name of the failure's class."""
        self._gemini_seconds.labels(outcome).observe(seconds)

    def rewritten(self, outcome: str, instruction_version: str) -> None:
        """``outcome``: kept | repaired | incomplete | unfaithful."""
        self._fidelity.labels(outcome, instruction_version).inc()

    def gemini_answered(self, model: str, tier: str) -> None:
        """``model``: as the settings name it; ``tier``: standard | priority | flex, or '' where Google named none."""
        self._gemini_answers.labels(model, tier).inc()

    def gemini_billed(self, tokens: Mapping[str, int]) -> None:
        """``tokens`` by kind: input | output | thoughts | cached | tool."""
        for kind, count in tokens.items():
            self._gemini_tokens.labels(kind).inc(count)

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
        self._redis_errors.labels(reason).inc()

    def read_polls(self, read: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        """Take polls from plain ints: (served_by, status) → polls so far; ``served_by``: lane | handler."""
        self._polls.read = lambda: {key: float(count) for key, count in read().items()}

    def read_tasks(self, running: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Ask the runner how many tasks are at work and how many wait for a place."""
        self._at_work.read = lambda: {("running",): running(), ("waiting",): waiting()}

    def read_breaker(self, states: Callable[[], Mapping[str, str]]) -> None:
        """Ask for each model's state, one of BREAKER_STATES."""
        self._breaker.read = lambda: {
            (model, name): float(name == state) for model, state in states().items() for name in BREAKER_STATES
        }

    def read_retirements(self, moments: Callable[[], Mapping[str, float | None]]) -> None:
        """Ask for the Unix time of each model's end; None while none is announced."""
        self._retirements.read = lambda: {(model,): moment for model, moment in moments().items() if moment is not None}

    def read_periodic_work(self, ages: Callable[[], Mapping[str, float]]) -> None:
        """``ages()``: name of the work (renewal, reaper) → seconds since it last ended."""
        self._periodic.read = lambda: {(name,): age_s for name, age_s in ages().items()}

    def read_dropped_lines(self, dropped: Callable[[], int]) -> None:
        self._dropped_lines.read = lambda: {(): float(dropped())}

    def read_connections(self, count: Callable[[], int]) -> None:
        self._connections.read = lambda: {(): float(count())}

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format (CONTENT_TYPE)."""
        return generate_latest(self.registry)
