"""Prints the report: tables in Markdown, on the terminal as they come, and into a file when asked.

Refuses to know what the numbers mean.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and the bound that it should keep; NaN, which keeps none, is one that could not be measured."""

    what: str
    measured: float
    bound: float
    unit: str = "times"
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def row(self) -> tuple[str, ...]:
        sign = "≥" if self.at_least else "≤"
        verdict = "met" if self.met else "MISSED"
        return self.what, f"{sign} {number(self.bound)} {self.unit}", f"{number(self.measured)} {self.unit}", verdict


class Report:
    """Prints at once; ``save`` writes the same text. ``missed``: the goals so far that were not met."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        self._parts: list[str] = []

    def text(self, text: str) -> None:
        self._parts.append(text)
        print(f"{text}\n", flush=True)

    def measured(self, what: str) -> None:
        """Print the progress; it is no part of the report."""
        print(f"measured: {what}", file=sys.stderr, flush=True)

    def heading(self, text: str) -> None:
        self.text(f"## {text}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; all columns but the first are numbers and stand to the right."""
        widths = [max(len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
        rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
        self.text("\n".join([_line(columns, widths), f"|{rule}|", *(_line(row, widths) for row in rows)]))

    def goals(self, goals: Sequence[Goal]) -> None:
        self.missed += [goal.what for goal in goals if not goal.met]
        self.table(("goal", "bound", "measured", "verdict"), [goal.row() for goal in goals])

    def save(self, path: Path) -> None:
        path.write_text("\n\n".join(self._parts) + "\n", "utf-8")


def machine() -> str:
    """Say where and when this was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{now}, {model}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"


def number(value: float | None) -> str:
    """Write three significant digits at least, and thousands with commas."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cells[0].ljust(widths[0]),
        *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
    ]
    return f"| {' | '.join(padded)} |"
