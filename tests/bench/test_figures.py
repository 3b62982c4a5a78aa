"""How figures are made and judged."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bench.headers import as_text, browser_headers
from bench.open_loop import percentile
from bench.report import Goal, Report
from bench.shared_slots import SharedSlots


def test_percentiles_are_values_that_were_measured() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, percent) for percent in (1, 20, 50, 99, 100)] == [1, 1, 3, 5, 5]
    assert math.isnan(percentile([], 50))


@pytest.mark.parametrize(
    ("measured", "at_least", "met"), [(10.0, True, True), (9.9, True, False), (10.0, False, True), (10.1, False, False)]
)
def test_a_goal_is_met_on_its_bound_and_on_the_right_side_of_it(measured: float, at_least: bool, met: bool) -> None:
    assert Goal("what", measured, 10, at_least=at_least).met is met


def test_a_figure_that_could_not_be_measured_misses_its_goal() -> None:
    assert not Goal("what", math.nan, 10).met
    assert not Goal("what", math.nan, 10, at_least=True).met


def test_the_saved_report_has_what_was_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = Report()
    report.heading("Polls")
    report.table(("who", "µs"), [("ours", "10"), ("theirs", "1,000")])
    report.save(tmp_path / "report.md")
    printed = capsys.readouterr().out
    assert "| ours   |    10 |\n| theirs | 1,000 |" in printed
    assert (tmp_path / "report.md").read_text().strip() == printed.strip()


def test_the_shared_slots_show_each_account_its_latest_task(tmp_path: Path) -> None:
    written = SharedSlots(tmp_path / "slots", 2)
    read = SharedSlots(tmp_path / "slots", 2)
    assert not read.complete
    written.show(0, "00000000-0000-4000-8000-000000000000")
    written.show(1, "11111111-1111-4111-8111-111111111111")
    written.show(1, "22222222-2222-4222-8222-222222222222")
    assert read.complete
    assert read.task(0) == "00000000-0000-4000-8000-000000000000"
    assert read.task(1) == "22222222-2222-4222-8222-222222222222"


def test_a_poll_has_the_seventeen_headers_of_a_browser() -> None:
    headers = browser_headers("token")
    assert len(headers) == 17
    block = as_text(headers)
    assert block.count(b"\r\n") == 18
    assert block.endswith(b"\r\n\r\n")
    assert b"\r\nAuthorization: Bearer token\r\n" in block
