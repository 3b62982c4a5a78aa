"""What a scenario reports, and the table of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos.verdict import Verdict

HEADINGS = ("what", "how often", "lost", "doubled", "stuck", "untrue", "money off", "seconds", "remarks")


@dataclass
class Outcome:
    """One line of the table. ``missed``: expected evidence that is absent, besides the verdict."""

    how_often: str
    verdict: Verdict
    remarks: str = ""
    missed: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return self.verdict.good and not self.missed

    def cells(self, name: str, seconds: float) -> tuple[str, ...]:
        counts = tuple(str(len(sentences)) for sentences in self.verdict.kinds.values())
        return (name, self.how_often, *counts, f"{seconds:.0f}", "; ".join([*self.missed, self.remarks]))


def table(rows: list[tuple[str, ...]]) -> str:
    """Lay the rows out under their headings."""
    every = [HEADINGS, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every
    )
