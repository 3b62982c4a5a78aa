"""The alerts, the dashboard and the operator's page ask only for metrics, labels and values that the server has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.metrics import Metrics
from tests.support.label_values import check_values, known_series

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
SCRAPED = {"job", "instance"}  # labels that Prometheus adds
STRINGS = re.compile(r'"[^"]*"')
SELECTOR = re.compile(r"\b([a-z_]+)(?:\{([^}]*)\})?(?:\[[^\]]+\])?")
FUNCTIONS = {
    "sum",
    "max",
    "min",
    "by",
    "rate",
    "increase",
    "max_over_time",
    "histogram_quantile",
    "time",
    "or",
    "absent",
}


def dashboard_exprs() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    variable = DASHBOARD["templating"]["list"][1]["query"]["query"]
    yield "variable job", variable.replace("label_values(", "max(").replace(", job)", ")")


EXPRS = [(rule["alert"], rule["expr"]) for rule in ALERTS] + list(dashboard_exprs())


@pytest.fixture(scope="module")
def series() -> dict[str, set[str]]:
    """Every series that a scrape can have: name → labels."""
    known: dict[str, set[str]] = {"up": set()}
    for family in Metrics().registry.collect():
        labels = documented_labels(family.name)
        if family.type == "histogram":
            known[f"{family.name}_bucket"] = labels | {"le"}
            known[f"{family.name}_sum"] = known[f"{family.name}_count"] = labels
        else:
            known[f"{family.name}_total" if family.type == "counter" else family.name] = labels
    return known


def documented_labels(family: str) -> set[str]:
    table = (DEPLOY.parent / "docs" / "metrics.md").read_text("utf-8")
    row = re.search(rf"^\| `{family}(?:_total)?` \| \w+ \|(.*?)\| ", table, re.MULTILINE)
    assert row, f"{family} is not documented"
    return set(re.findall(r"`(\w+)`", row[1]))


@pytest.mark.parametrize(("where", "expr"), EXPRS, ids=[where for where, _ in EXPRS])
def test_it_asks_for_what_there_is(series: dict[str, set[str]], where: str, expr: str) -> None:
    bare = STRINGS.sub('""', expr)
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", bare))))
    bare = re.sub(r"\bby \([^)]*\)", "", bare).replace("$__rate_interval", "5m")
    assert bare.count("(") == bare.count(")")
    asked = [(name, matchers) for name, matchers in SELECTOR.findall(bare) if name not in FUNCTIONS]
    assert asked
    for name, matchers in asked:
        assert name in series, f"{name} is no metric of the server"
        wanted = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)) | grouped
        assert wanted <= series[name] | SCRAPED, f"{name} has no such label"
    check_values(expr, known_series(), SCRAPED)


@pytest.mark.parametrize(
    "wrong",
    [
        'prompt_webhook_tries_total{outcome="deliverd"}',
        'prompt_webhook_tries_total{outcome!="ok"}',
        'prompt_http_request_duration_seconds_bucket{route!~"events|sync"}',
        'prompt_http_requests_total{status=~"6.."}',
        'prompt_gemini_attempt_duration_seconds_count{outcome="RateLimit"}',
        'prompt_tasks_unfinished{state="queued"}',
        'prompt_tasks_finished_total{outcome="failed", error_code="ai_misconfigured"}',
        'prompt_stage_duration_seconds_sum{stage="checking"}',
    ],
)
def test_a_value_that_never_occurs_or_that_nobody_has_listed_is_noticed(wrong: str) -> None:
    with pytest.raises(AssertionError):
        check_values(f"sum(rate({wrong}[5m]))", known_series(), SCRAPED)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_s_words_name_only_labels_that_its_query_keeps(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert named <= kept_labels(rule["expr"])


def test_a_panel_s_legend_names_only_labels_that_its_query_keeps() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert named <= kept_labels(target["expr"]), panel["title"]


def kept_labels(expr: str) -> set[str]:
    """Return the labels that an aggregation groups by; of a bare series those that Prometheus adds."""
    if not re.search(r"\b(sum|max|min)\b", expr):
        return SCRAPED
    grouped = re.search(r"\bby \(([^)]*)\)", expr)
    return set(re.findall(r"\w+", grouped[1])) - {"le"} if grouped else set()


def test_the_operator_s_page_reads_only_what_there_is(series: dict[str, set[str]]) -> None:
    """Its sums of what does not exist would be zeros that look like good news."""
    page = (DEPLOY.parent / "web" / "operate" / "figures.js").read_text("utf-8")
    cancelled = re.search(r"CANCELLED = \{(.*?)\}", page)
    assert cancelled
    asked = re.findall(r"'((?:prompt|process)_\w+)'(?:, (?:\{(.*?)\}|CANCELLED)\))?", page)
    assert {name for name, _ in asked} <= series.keys()
    for name, labels in [*asked, ("prompt_tasks_finished_total", cancelled[1])]:
        matchers = re.sub(r"(\w+): '(\w+)'", r'\1="\2"', labels)
        check_values(f"{name}{{{matchers}}}", known_series(), SCRAPED)


# Not on the dashboard: what only some installations have. The alert PromptGeminiModelRetires tells of the first.
ELSEWHERE = {"prompt_gemini_model_retirement_timestamp_seconds", "prompt_push_tries_total"}


def test_every_metric_of_ours_is_on_the_dashboard(series: dict[str, set[str]]) -> None:
    shown = " ".join(expr for _, expr in dashboard_exprs())
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in series if name.startswith("prompt_")}
    assert {name for name in families if name not in shown} == ELSEWHERE


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "action"}


def test_no_two_panels_of_the_dashboard_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_picture_of_the_dashboard_shows_its_panels() -> None:
    picture = (DEPLOY.parent / "docs" / "dashboard.svg").read_text("utf-8")
    assert re.findall(r"font-weight='bold'>([^<]+)<", picture) == [panel["title"] for panel in DASHBOARD["panels"]]
