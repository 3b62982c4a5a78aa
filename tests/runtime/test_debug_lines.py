"""Debug lines by account: of those that are named, of a share of all, and of no more than so many a second."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import structlog

from runtime.configuration import InvalidSettings, load_settings
from runtime.debug_lines import DebugLines, debug_by_account
from runtime.logs import configure_logging
from runtime.settings import LogSettings


def passes(lines: DebugLines, method: str, **fields: Any) -> dict[str, Any] | None:
    try:
        return dict(lines(None, method, {"event": "step", **fields}))
    except structlog.DropEvent:
        return None


def test_a_named_account_s_debug_lines_pass_and_nobody_else_s() -> None:
    lines = DebugLines(LogSettings(debug_accounts=("a",)))
    assert passes(lines, "debug", account_id="a")
    assert passes(lines, "debug", account_id="b") is None
    assert passes(lines, "debug") is None
    assert passes(lines, "info", account_id="b")


def test_below_a_higher_level_a_named_account_s_info_lines_pass_too() -> None:
    lines = DebugLines(LogSettings(level="warning", debug_accounts=("a",)))
    assert passes(lines, "info", account_id="a")
    assert passes(lines, "info", account_id="b") is None
    assert passes(lines, "warning")
    assert passes(lines, "exception")


def test_a_share_of_accounts_is_the_same_in_every_process() -> None:
    accounts = [f"account-{number}" for number in range(1_000)]

    def chosen() -> list[str]:
        lines = DebugLines(LogSettings(debug_share=0.1, debug_lines_per_second=10_000))
        return [account for account in accounts if passes(lines, "debug", account_id=account)]

    assert chosen() == chosen()
    assert 60 < len(chosen()) < 140


def test_lines_beyond_so_many_a_second_are_dropped_and_counted() -> None:
    now = 100.0
    lines = DebugLines(LogSettings(debug_accounts=("a",), debug_lines_per_second=2), lambda: now)
    assert [bool(passes(lines, "debug", account_id="a")) for _ in range(5)] == [True, True, False, False, False]
    assert passes(lines, "warning", account_id="a")
    now = 101.0
    assert passes(lines, "debug", account_id="a") == {"event": "step", "account_id": "a", "debug_lines_dropped": 3}
    assert passes(lines, "debug", account_id="a") == {"event": "step", "account_id": "a"}


def test_without_the_settings_debug_lines_cost_what_they_always_did() -> None:
    assert not debug_by_account(LogSettings())
    assert not debug_by_account(LogSettings(level="debug", debug_accounts=("a",)))
    assert debug_by_account(LogSettings(debug_share=0.001))


@pytest.mark.parametrize("given", [{"debug_accounts": ["a"] * 21}, {"debug_share": 1.5}, {"debug_lines_per_second": 0}])
def test_the_settings_are_bounded(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings, match=r"logs\.debug_"):
        load_settings(overrides={"logs": given})


def test_a_configured_log_has_them_and_what_libraries_say_keeps_the_log_s_level() -> None:
    written, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logging(LogSettings(format="json", debug_accounts=("a",)), written)
        with structlog.contextvars.bound_contextvars(account_id="a"):
            structlog.get_logger().debug("mine")
        structlog.get_logger().debug("nobody's")
        assert root.level == logging.INFO
    finally:
        structlog.reset_defaults()
        root.handlers = handlers
        root.setLevel(level)
    [line] = map(json.loads, written.getvalue().splitlines())
    assert (line["level"], line["event"], line["account_id"]) == ("debug", "mine", "a")
