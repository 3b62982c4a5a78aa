"""Alerts on rare events fire at the first one: the counters exist before it, and Prometheus' own tool agrees."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from generation.outcomes import ends
from runtime.metrics import Metrics

RULES = Path(__file__).parents[2] / "deploy" / "alerts.yml"
RARE = {
    "PromptTasksInterrupted": 'prompt_tasks_reaped_total{outcome="interrupted"}',
    "PromptGeminiMisconfigured": 'prompt_tasks_finished_total{error_code="ai_misconfigured",outcome="fallback"}',
}


@pytest.mark.parametrize("series", RARE.values())
def test_a_counter_of_a_rare_event_is_there_before_the_event(series: str) -> None:
    metrics = Metrics()
    metrics.expect_ends(ends())
    assert f"{series} 0.0\n" in metrics.render().decode()


@pytest.fixture
def promtool() -> str:
    path = shutil.which("promtool")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is missing: Debian's package prometheus has it")
        pytest.skip("needs promtool, which Debian's package prometheus has")
    return path


def fires(promtool: str, folder: Path, alert: str, series: str, values: str, at: str = "2m") -> bool:
    """Ask promtool whether the alert fires at a time of these values, one every 30 s."""
    expected = {"alertname": alert, "eval_time": at, "exp_alerts": []}
    test = {"interval": "30s", "input_series": [{"series": series, "values": values}], "alert_rule_test": [expected]}
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": [test]}))
    ran = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=180)
    assert "got:" in ran.stdout + ran.stderr or ran.returncode == 0, ran.stderr
    return ran.returncode != 0  # no alert was expected


def test_a_model_that_google_no_longer_has_is_told_at_once_whatever_answers_in_its_place(
    promtool: str, tmp_path: Path
) -> None:
    series = 'prompt_gemini_model_unavailable{job="prompt-server",instance="a",model="gemini-3.8-flash"}'
    assert fires(promtool, tmp_path, "PromptGeminiModelUnavailable", series, "_ _ 1 1 1")
    assert not fires(promtool, tmp_path, "PromptGeminiModelUnavailable", series, "0 0 0 0 0")


@pytest.mark.parametrize(("alert", "series"), RARE.items())
def test_the_first_event_fires_its_alert(promtool: str, tmp_path: Path, alert: str, series: str) -> None:
    assert fires(promtool, tmp_path, alert, series, "0 0 1 1 1")
    assert not fires(promtool, tmp_path, alert, series, "0 0 0 0 0")
    assert not fires(promtool, tmp_path, alert, series, "_ _ 1 1 1")  # why the counter must be there before


def test_a_model_that_fails_at_each_probe_fires_and_one_that_nobody_asks_any_more_does_not(
    promtool: str, tmp_path: Path
) -> None:
    series = 'prompt_gemini_breaker_state{instance="a", model="m", state="open"}'
    assert fires(promtool, tmp_path, "PromptGeminiModelFails", series, "1 0 0 " * 20, at="25m")
    assert not fires(promtool, tmp_path, "PromptGeminiModelFails", series, "1 1 1 1 1 1" + " 0" * 60, at="25m")


def test_while_no_model_s_breaker_is_closed_the_alert_fires_also_between_two_probes(
    promtool: str, tmp_path: Path
) -> None:
    series = 'prompt_gemini_breaker_state{instance="a", model="m", state="closed"}'
    assert fires(promtool, tmp_path, "PromptGeminiBreakerOpen", series, "0 " * 30, at="10m")
    assert not fires(promtool, tmp_path, "PromptGeminiBreakerOpen", series, "0 0 0 1 " * 10, at="10m")
