"""Tokens billed, by kind, as far as Gemini's counts can be believed.

Source: Gemini API reference, UsageMetadata: totalTokenCount is prompt + candidates + thoughts + tool use; the cached
tokens are part of the prompt's. Refuses to know prices and accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from generation.gemini.json_values import LARGEST_COUNT, count

PARTS_OF_TOTAL = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
COUNTS = (*PARTS_OF_TOTAL, "totalTokenCount")
CUT_FIRST = ("thoughts", "output", "tool", "cached", "input")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by kind; together they are what is charged. ``input`` does not include ``cached``."""

    input: int = 0
    output: int = 0
    thoughts: int = 0
    cached: int = 0
    tool: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.thoughts + self.cached + self.tool

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.thoughts + other.thoughts,
            self.cached + other.cached,
            self.tool + other.tool,
        )

    @property
    def stored(self) -> str:
        """The counts in the order of the members, as scripts take them; '' for none."""
        return ",".join(map(str, self.by_kind().values())) if self.total else ""

    @classmethod
    def read(cls, stored: str, total: int) -> Usage:
        """Return what ``stored`` says, or output where nothing says of which kind ``total`` is."""
        found = cls(*map(int, stored.split(","))) if stored else cls()
        return found if found.total == total else cls(output=total)

    def by_kind(self) -> dict[str, int]:
        return {kind: getattr(self, kind) for kind in KINDS}


KINDS = tuple(field.name for field in fields(Usage))
NO_USAGE = Usage()


TRAFFIC_TIERS = {"ON_DEMAND": "standard", "ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex"}


def tier_of(metadata: dict[str, Any]) -> str:
    """Return the service tier by Vertex AI's ``trafficType``, '' where it says none."""
    traffic = metadata.get("trafficType")
    return TRAFFIC_TIERS.get(traffic, "") if isinstance(traffic, str) else ""


def reported_usage(metadata: dict[str, Any], most: int = LARGEST_COUNT) -> Usage | None:
    """Return the usage that ``usageMetadata`` reports, or None when it reports none that can be true.

    ``most``: tokens that the request can have cost at all. Without a usable total the parts make one; a part that the
    total has no room for is cut, and what no part accounts for is output.
    """
    if not metadata:
        return None
    prompt, output, thoughts, tool = [count(metadata.get(name)) for name in PARTS_OF_TOTAL]
    total = count(metadata.get("totalTokenCount"))
    if total is None:
        parts = [part for part in (prompt, output, thoughts, tool) if part is not None]
        total = sum(parts) if parts else None
    if total is None or total > most:
        return None
    cached = min(count(metadata.get("cachedContentTokenCount")) or 0, prompt or 0)
    if total == (prompt or 0) + (output or 0) + (thoughts or 0) + (tool or 0):  # as nearly always
        return Usage((prompt or 0) - cached, output or 0, thoughts or 0, cached, tool or 0)
    kinds = {
        "input": (prompt or 0) - cached,
        "output": output or 0,
        "thoughts": thoughts or 0,
        "cached": cached,
        "tool": tool or 0,
    }
    excess = sum(kinds.values()) - total
    for kind in CUT_FIRST:
        if excess > 0:
            cut = min(excess, kinds[kind])
            kinds[kind] -= cut
            excess -= cut
    kinds["output"] -= min(excess, 0)
    return Usage(**kinds)
