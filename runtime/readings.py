"""Metrics whose numbers other objects keep, read at each scrape.

Owns their names and labels (docs/metrics.md lists them); refuses to know where the numbers come from. Each method takes
a function that is called at every scrape: until then the metric has no sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

BREAKER_STATES = ("closed", "open", "probing")

Values = Mapping[tuple[str, ...], float]
Read = Callable[[], float]

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "prompt_polls": ("Status polls answered.", ("served_by", "status")),
    "prompt_log_lines_dropped": ("Log lines that nobody took from standard error in time.", ()),
    "prompt_trace_spans_lost": ("Spans of traces that the collector did not take, or not in time.", ()),
    "prompt_redis_link_losses": ("Connections lost on which Redis says what changed.", ()),
}
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "prompt_tasks_unfinished": ("Tasks of this process.", ("state",)),
    "prompt_tasks_unfinished_limit": ("Tasks that this process takes at most.", ("state",)),
    "prompt_gemini_breaker_state": ("1 for the state of a model's circuit breaker, 0 for others.", ("model", "state")),
    "prompt_gemini_model_retirement_timestamp_seconds": (
        "When Google will end a model, Unix time, as it has announced it.",
        ("model",),
    ),
    "prompt_gemini_model_unavailable": ("1 since Google answered 404, until the model answers; else 0.", ("model",)),
    "prompt_gemini_requests_open": ("Requests to Gemini that are not over, each on a connection of its own.", ()),
    "prompt_gemini_requests_open_limit": ("Requests to Gemini at a time, at most.", ()),
    "prompt_periodic_work_age_seconds": (
        "Seconds since work that comes again and again last came to its end.",
        ("work",),
    ),
    "prompt_http_connections": ("Open connections of clients.", ()),
    "prompt_http_connections_limit": ("Open connections of clients, at most.", ()),
    "prompt_http_waits_open": ("Event streams and waiting polls that are open.", ("kind",)),
    "prompt_redis_masters": ("Servers of Redis that take writes, as far as is known.", ("state",)),
}


class Readings(Collector):
    """A collector of numbers that other objects keep."""

    def __init__(self) -> None:
        self._reads: dict[str, Callable[[], Values]] = {}

    def collect(self) -> Iterator[Metric]:
        for name, (documentation, labels) in COUNTERS.items():
            yield self._filled(CounterMetricFamily(name, documentation, labels=labels))
        for name, (documentation, labels) in GAUGES.items():
            yield self._filled(GaugeMetricFamily(name, documentation, labels=labels))

    def _filled(self, family: CounterMetricFamily | GaugeMetricFamily) -> Metric:
        for labels, value in self._reads.get(family.name, dict)().items():
            family.add_metric(labels, float(value))
        return family

    def polls(self, read: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        """Take polls from plain ints: (served_by, status) → polls so far; ``served_by``: lane | handler."""
        self._reads["prompt_polls"] = lambda: dict(read().items())

    def tasks(self, running: Read, waiting: Read, *, max_running: int, max_waiting: int) -> None:
        """Read how many tasks run and how many wait for a place; the limits of both."""
        self._reads["prompt_tasks_unfinished"] = lambda: {("running",): running(), ("waiting",): waiting()}
        limits: Values = {("running",): max_running, ("waiting",): max_waiting}
        self._reads["prompt_tasks_unfinished_limit"] = lambda: limits

    def breakers(self, states: Callable[[], Mapping[str, str]]) -> None:
        """Read each model's state, one of BREAKER_STATES."""
        self._reads["prompt_gemini_breaker_state"] = lambda: {
            (model, name): float(name == state) for model, state in states().items() for name in BREAKER_STATES
        }

    def retirements(self, moments: Callable[[], Mapping[str, float | None]]) -> None:
        """Read the Unix time of each model's retirement; None while none is announced."""
        self._reads["prompt_gemini_model_retirement_timestamp_seconds"] = lambda: {
            (model,): moment for model, moment in moments().items() if moment is not None
        }

    def unavailable_models(self, read: Callable[[], Mapping[str, bool]]) -> None:
        """``read()``: model → whether Google has said that it does not have it."""
        self._reads["prompt_gemini_model_unavailable"] = lambda: {(model,): gone for model, gone in read().items()}

    def gemini_requests(self, read: Read, most: int) -> None:
        self._reads["prompt_gemini_requests_open"] = lambda: {(): read()}
        self._reads["prompt_gemini_requests_open_limit"] = lambda: {(): most}

    def periodic_work(self, ages: Callable[[], Mapping[str, float]]) -> None:
        """``ages()``: name of the work (renewal, reaper) → seconds since it last ended."""
        self._reads["prompt_periodic_work_age_seconds"] = lambda: {(name,): age_s for name, age_s in ages().items()}

    def dropped_lines(self, read: Read) -> None:
        self._reads["prompt_log_lines_dropped"] = lambda: {(): read()}

    def connections(self, read: Read, most: int) -> None:
        self._reads["prompt_http_connections"] = lambda: {(): read()}
        self._reads["prompt_http_connections_limit"] = lambda: {(): most}

    def open_waits(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """``counts()``: kind (stream, poll) → how many are open."""
        self._reads["prompt_http_waits_open"] = lambda: {(kind,): count for kind, count in counts().items()}

    def masters(self, read: Callable[[], tuple[int, int]]) -> None:
        """``read()``: how many masters are known, and to how many of them there is a connection."""

        def by_state() -> Values:
            known, connected = read()
            return {("connected",): connected, ("away",): known - connected}

        self._reads["prompt_redis_masters"] = by_state

    def lost_spans(self, read: Read) -> None:
        self._reads["prompt_trace_spans_lost"] = lambda: {(): read()}

    def link_losses(self, read: Read) -> None:
        self._reads["prompt_redis_link_losses"] = lambda: {(): read()}
