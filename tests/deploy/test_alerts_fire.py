"""Alerts on rare events fire at the first one: the counters exist before it, and Prometheus' own tool agrees."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from generation.outcomes import ends
from generation.prompt_text import INSTRUCTION_VERSION
from runtime.metrics import Metrics

RULES = Path(__file__).parents[2] / "deploy" / "alerts.yml"
RARE = {
    "PromptTasksInterrupted": 'prompt_tasks_reaped_total{outcome="interrupted"}',
    "PromptGeminiMisconfigured": 'prompt_tasks_finished_total{error_code="ai_misconfigured",outcome="fallback"}',
}


@pytest.mark.parametrize("series", RARE.values())
def test_a_counter_of_a_rare_event_is_there_before_the_event(series: str) -> None:
    metrics = Metrics()
    metrics.expect_ends(ends(), INSTRUCTION_VERSION)
    assert f"{series} 0.0\n" in metrics.render().decode()


@pytest.fixture
def promtool() -> str:
    path = shutil.which("promtool")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is missing: Debian's package prometheus has it")
        pytest.skip("needs promtool, which Debian's package prometheus has")
    return path


JOB = 'job="prompt-server",instance="a"'


def histogram(name: str, labels: str, fast: str, slow: str) -> dict[str, str]:
    """Series of a histogram with three bounds; most observations lie below the first, or above the last."""
    return {
        f'{name}_bucket{{{labels},le="0.005"}}': fast,
        f'{name}_bucket{{{labels},le="0.5"}}': slow,
        f'{name}_bucket{{{labels},le="+Inf"}}': slow,
    }


def requests(status: str) -> str:
    return f'prompt_http_requests_total{{{JOB},route="generations",method="POST",status="{status}"}}'


def submits(method: str, status: str) -> str:
    return f'{JOB},route="generations",method="{method}",status="{status}"'


def finished(outcome: str) -> str:
    return f'prompt_tasks_finished_total{{{JOB},outcome="{outcome}",error_code=""}}'


LAG, REDIS = "prompt_event_loop_lag_seconds", "prompt_redis_operation_duration_seconds"
SUBMITS = "prompt_http_request_duration_seconds"
MANY, OFTEN, SELDOM, NEVER = "0+9000x80", "0+60x80", "0+1x80", "0x80"  # by so much every 30 s
# alert → series at which it fires after 40 minutes, and series at which it does not
TOLD = {
    "PromptServerDown": ({f"up{{{JOB}}}": "1x4 0x80"}, {f"up{{{JOB}}}": "1x78 0x4"}),
    "PromptServerAllDown": (
        {f"up{{{JOB}}}": "0x80", 'up{job="prompt-server",instance="b"}': "0x80"},
        {f"up{{{JOB}}}": "0x80", 'up{job="prompt-server",instance="b"}': "1x80"},
    ),
    "PromptPeriodicWorkStandsStill": (
        {f'prompt_periodic_work_age_seconds{{{JOB},work="reaper"}}': OFTEN},
        {f'prompt_periodic_work_age_seconds{{{JOB},work="reaper"}}': "5x80"},
    ),
    "PromptRedisErrors": (
        {f'prompt_redis_errors_total{{{JOB},reason="timeout"}}': OFTEN},
        {f'prompt_redis_errors_total{{{JOB},reason="timeout"}}': SELDOM},
    ),
    "PromptRedisSlow": (
        histogram(REDIS, f'{JOB},operation="submit"', NEVER, OFTEN),
        histogram(REDIS, f'{JOB},operation="submit"', OFTEN, OFTEN),
    ),
    "PromptErrors": (
        {requests("202"): OFTEN, requests("503"): "0+3x80"},
        {requests("202"): OFTEN, requests("503"): SELDOM, requests("429"): OFTEN},
    ),
    "PromptSubmitsSlow": (
        histogram(SUBMITS, submits("POST", "2xx"), NEVER, OFTEN)
        | histogram(SUBMITS, submits("POST", "4xx"), MANY, MANY),
        histogram(SUBMITS, submits("POST", "2xx"), OFTEN, OFTEN)
        | histogram(SUBMITS, submits("GET", "2xx"), NEVER, MANY),
    ),
    "PromptTasksWait": (
        {f'prompt_tasks_unfinished{{{JOB},state="waiting"}}': "3x80"},
        {f'prompt_tasks_unfinished{{{JOB},state="waiting"}}': "3 0 " * 40},
    ),
    "PromptTasksTakenOver": (
        {f'prompt_tasks_reaped_total{{{JOB},outcome="taken_over"}}': SELDOM},
        {f'prompt_tasks_reaped_total{{{JOB},outcome="taken_over"}}': "0x40 9x40"},
    ),
    "PromptGeminiModelRetires": (
        {f'prompt_gemini_model_retirement_timestamp_seconds{{{JOB},model="m"}}': f"{29 * 86400}x80"},
        {f'prompt_gemini_model_retirement_timestamp_seconds{{{JOB},model="m"}}': f"{31 * 86400}x80"},
    ),
    "PromptFallbacks": (
        {finished("completed"): OFTEN, finished("fallback"): "0+8x80"},
        {finished("completed"): OFTEN, finished("fallback"): "0+5x80", finished("failed"): OFTEN},
    ),
    "PromptFileDescriptors": (
        {f"process_open_fds{{{JOB}}}": "850x80", f"process_max_fds{{{JOB}}}": "1000x80"},
        {f"process_open_fds{{{JOB}}}": "750x80", f"process_max_fds{{{JOB}}}": "1000x80"},
    ),
    # A loop that stands still for 2 s in each 30 s has 280 looks in time and one late: no 99th percentile shows it.
    "PromptEventLoopLags": (
        {f"{LAG}_sum{{{JOB}}}": "0+2.3x80"} | histogram(LAG, JOB, "0+280x80", "0+281x80"),
        {f"{LAG}_sum{{{JOB}}}": "0+0.9x80"} | histogram(LAG, JOB, "0+300x80", "0+300x80"),
    ),
    "PromptGeminiRequestsFull": (
        {f"prompt_gemini_requests_open{{{JOB}}}": "95x80", f"prompt_gemini_requests_open_limit{{{JOB}}}": "100x80"},
        {f"prompt_gemini_requests_open{{{JOB}}}": "85x80", f"prompt_gemini_requests_open_limit{{{JOB}}}": "100x80"},
    ),
    "PromptTraceSpansLost": (
        {f"prompt_trace_spans_lost_total{{{JOB}}}": SELDOM},
        {f"prompt_trace_spans_lost_total{{{JOB}}}": "0x60 9x20"},
    ),
    "PromptWebhooksFail": (
        {f'prompt_webhook_tries_total{{{JOB},outcome="refused"}}': OFTEN},
        {f'prompt_webhook_tries_total{{{JOB},outcome="{outcome}"}}': OFTEN for outcome in ("refused", "delivered")},
    ),
}
OWN_TESTS = {
    *RARE,
    *("PromptGeminiModelUnavailable", "PromptGeminiModelFails", "PromptGeminiBreakerOpen"),
}


def test_every_alert_has_a_test_of_when_it_fires() -> None:
    rules = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == TOLD.keys() | OWN_TESTS


def test_each_alert_fires_at_what_it_is_about_and_at_nothing_less(promtool: str, tmp_path: Path) -> None:
    """One run of promtool for all: its start takes longer than the evaluation."""
    checked = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, timeout=180)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for fire in (True, False):
        tests = [
            {
                "interval": "30s",
                "name": alert,
                "input_series": [{"series": name, "values": values} for name, values in series[not fire].items()],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0 or vector(0)',
                        "eval_time": "39m",
                        "exp_samples": [{"labels": "{}", "value": int(fire)}],
                    }
                ],
            }
            for alert, series in TOLD.items()
        ]
        file = tmp_path / f"{fire}.yml"
        file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": tests}))
        ran = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=180)
        assert ran.returncode == 0, f"fire={fire}\n{ran.stdout}{ran.stderr}"


def fires(promtool: str, folder: Path, alert: str, series: str, values: str, at: str = "2m") -> bool:
    """Ask promtool whether the alert fires at a time of these values, one every 30 s."""
    expected = {"alertname": alert, "eval_time": at, "exp_alerts": []}
    test = {"interval": "30s", "input_series": [{"series": series, "values": values}], "alert_rule_test": [expected]}
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": [test]}))
    ran = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=180)
    assert "got:" in ran.stdout + ran.stderr or ran.returncode == 0, ran.stderr
    return ran.returncode != 0  # no alert was expected


def test_that_prometheus_has_no_server_to_ask_any_more_is_told_as_if_none_answered(
    promtool: str, tmp_path: Path
) -> None:
    assert fires(promtool, tmp_path, "PromptServerAllDown", f"up{{{JOB}}}", "1 1 " + "_ " * 40, at="15m")
    assert not fires(promtool, tmp_path, "PromptServerAllDown", f"up{{{JOB}}}", "1 " * 40, at="15m")


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
