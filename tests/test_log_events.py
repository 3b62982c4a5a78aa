"""docs/logs.md lists each event of the log, with the levels that the code writes it with."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("accounts", "generation", "handlers", "notifications", "runtime", "server", "storage", "wiring")
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
BY_VARIABLE = {"write"}  # `write = log.warning if … else log.info` stands above it
ROW = re.compile(r"^\| `([a-z_]+)` \| ([a-z, ]+) \| \S.* \|$", re.MULTILINE)


def sources() -> Iterator[Path]:
    yield from ROOT.glob("*.py")
    for room in ROOMS:
        yield from (ROOT / room).rglob("*.py")


def written() -> dict[str, set[str]]:
    """Return event → levels, as the calls of the loggers have them."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sources():
        tree = ast.parse(path.read_text("utf-8"))
        chosen = {
            choice.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in BY_VARIABLE
            for choice in ast.walk(node.value)
            if isinstance(choice, ast.Attribute) and choice.attr in LEVELS
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
            levels = _levels(call.func, chosen)
            for event in (each.value for each in _alternatives(call.args[0]) if isinstance(each, ast.Constant)):
                if levels and isinstance(event, str) and re.fullmatch("[a-z_]+", event):
                    found[event] |= {LEVELS[level] for level in levels}
    return dict(found)


def _levels(function: ast.expr, chosen: set[str]) -> set[str]:
    if isinstance(function, ast.Name) and function.id in BY_VARIABLE:
        return chosen
    if isinstance(function, ast.Attribute) and function.attr in LEVELS:
        logger = function.value
        named = isinstance(logger, ast.Name) and logger.id == "log"
        if named or (isinstance(logger, ast.Call) and getattr(logger.func, "attr", "") == "get_logger"):
            return {function.attr}
    return set()


def _alternatives(argument: ast.expr) -> list[ast.expr]:
    return [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]


def test_the_page_lists_each_event_with_its_levels() -> None:
    rows = ROW.findall((ROOT / "docs" / "logs.md").read_text("utf-8"))
    listed = {event: set(levels.split(", ")) for event, levels in rows}
    assert len(rows) == len(listed)
    anyones = {"library", "log_lines_dropped", "exception_ignored", "exception_in_thread"}  # not by `log`
    there_are = {event: levels for event, levels in written().items() if event not in anyones}
    assert {event: levels for event, levels in listed.items() if event not in anyones} == there_are
