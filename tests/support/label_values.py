"""The values that labels of our metrics can have, taken from the code that counts, and which of them a query wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from itertools import product

from generation.gemini.errors import GeminiError
from generation.outcomes import ends
from generation.prompt_text import INSTRUCTION_VERSION
from handlers.open_streams import OpenStreams
from handlers.routes import ROUTES
from runtime.metrics import METHODS, Metrics

SELECTOR = re.compile(r'\b([a-z_]+)\{((?:[^"{}]|"[^"]*")*)\}')
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
STATUSES = [str(status.value) for status in HTTPStatus]

Labels = dict[str, str]


def known_series() -> dict[str, list[Labels]]:
    """Return family → the labels of each series that it can have, for those whose values the code enumerates."""
    known: dict[str, list[Labels]] = {}
    for family in _metrics().registry.collect():
        shown = [
            {name: value for name, value in sample.labels.items() if name != "le"}
            for sample in family.samples
            if set(sample.labels) - {"le"}
        ]
        if shown:
            known[family.name] = shown
    known["prompt_http_requests"] = _each(route=[*ROUTES, "unknown"], method=[*METHODS, "other"], status=STATUSES)
    known["prompt_http_request_duration_seconds"] = _each(
        route=[*ROUTES, "unknown"], method=[*METHODS, "other"], status=[f"{number}xx" for number in range(1, 6)]
    )
    known["prompt_gemini_attempt_duration_seconds"] = _each(outcome=["ok", "cancelled", *_names(GeminiError)])
    known["prompt_polls"] = _each(served_by=["lane", "handler"], status=STATUSES)
    return known


def _metrics() -> Metrics:
    metrics = Metrics()
    metrics.expect_ends(ends(), INSTRUCTION_VERSION)
    metrics.readings.tasks(lambda: 0, lambda: 0, max_running=1, max_waiting=1)
    metrics.readings.breakers(lambda: {"m": "closed"})
    metrics.readings.masters(lambda: (1, 1))
    metrics.readings.open_waits(lambda: OpenStreams(1).by_kind)
    return metrics


def _each(**values: list[str]) -> list[Labels]:
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


def _names(error: type[GeminiError]) -> Iterator[str]:
    yield error.__name__
    for kind in error.__subclasses__():
        yield from _names(kind)


def family_of(name: str) -> str:
    return re.sub("_(total|bucket|sum|count)$", "", name)


def check_values(query: str, known: dict[str, list[Labels]], ignored: set[str]) -> None:
    """Check that each value which the query's selectors name can occur, and that each selector finds a series.

    Raises:
        AssertionError: says which value cannot.
    """
    for name, matchers in SELECTOR.findall(query):
        wanted = [each for each in MATCHER.findall(matchers) if each[0] not in ignored]
        if wanted:
            assert family_of(name) in known, f"say where {name}'s values come from"
            _check_selector(name, wanted, known[family_of(name)])


def _check_selector(name: str, wanted: list[tuple[str, str, str]], series: list[Labels]) -> None:
    for label, sign, text in wanted:
        values = {labels[label] for labels in series}
        for value in text.split("|") if "~" in sign else [re.escape(text)]:
            found = [each for each in values if re.fullmatch(value, each)]
            assert found, f"{name} never has {label}={value}"
    assert any(all(_fits(labels, *each) for each in wanted) for labels in series), f"{name} never has {wanted}"


def _fits(labels: Labels, label: str, sign: str, text: str) -> bool:
    found = bool(re.fullmatch(text if "~" in sign else re.escape(text), labels[label]))
    return found is not sign.startswith("!")
