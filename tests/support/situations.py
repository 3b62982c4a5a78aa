"""The operators' table "What to do when", read from the page; and what servers show while a situation of it lasts."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.world import Server, World

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
QUOTED = re.compile(r"`([^`]+)`")
SHOWN_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Situation:
    """One row. ``series`` grow in it; ``lines`` are an event and members that it has, with
    that value or with one that is not empty or 0: ``request status=503``, ``stage task_id``."""

    title: str
    series: tuple[str, ...]
    lines: tuple[str, ...]
    remedy: str

    def command(self, beginning: str, **names: str) -> list[str]:
        """Return the words of the remedy's command that begins so, its names in capitals replaced."""
        quoted = QUOTED.findall(self.remedy)
        [command] = [beginning] if beginning in quoted else [each for each in quoted if each.startswith(beginning)]
        for name, text in names.items():
            assert name in command, command
            command = command.replace(name, text)
        return str(command).split()


def situations() -> dict[str, Situation]:
    """Return the table's rows by their titles."""
    rows = PAGE.read_text().partition("## What to do when")[2].partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| **")]
    found = {}
    for symptom, metric, line, remedy in cells:
        title = symptom.split("**")[1]
        series = tuple(each for each in QUOTED.findall(metric) if each.startswith("prompt_"))
        found[title] = Situation(title, series, tuple(QUOTED.findall(line)), remedy)
    return found


class Watch:
    """What the world's servers showed since ``begin``: series that grew, lines that were written."""

    def __init__(self, world: World, situation: Situation) -> None:
        self.situation = situation
        self._world = world
        self._before: dict[str, float] = {}
        self._read: dict[Server, int] = {}
        self._missing: set[str] = set()

    async def begin(self) -> Watch:
        self._missing = {*self.situation.series, *self.situation.lines}
        self._before = await self._samples()
        self._read = {server: len(server.process.log()) for server in self._world.servers}
        return self

    async def until_shown(self) -> None:
        """Wait until everything that the row names was seen, in whatever order.

        Raises:
            AssertionError: something was not; it says what.
        """
        try:
            async with asyncio.timeout(SHOWN_WITHIN_S):
                while self._missing:
                    await self._look()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            lines = "\n".join(str(line) for line in self._written() if line.get("route") != "metrics")
            raise AssertionError(f"{self.situation.title}: {sorted(self._missing)} never showed in\n{lines}") from None

    async def _look(self) -> None:
        samples = await self._samples()
        grown = [sample for sample, value in samples.items() if value > self._before.get(sample, 0.0)]
        self._missing -= {each for each in self.situation.series if any(_is_of(sample, each) for sample in grown)}
        written = list(self._written())
        self._missing -= {each for each in self.situation.lines if any(_tells(line, each) for line in written)}

    async def _samples(self) -> dict[str, float]:
        samples = {}
        for url in self._world.urls():
            async with self._world.session.get(f"{url}/metrics") as answer:
                for line in (await answer.text()).splitlines():
                    if not line.startswith("#"):
                        sample, _, value = line.rpartition(" ")
                        samples[f"{url} {sample}"] = float(value)
        return samples

    def _written(self) -> Iterator[dict[str, Any]]:
        for server in self._world.servers:
            for line in server.process.log()[self._read.get(server, 0) :].splitlines():
                if line.startswith("{") and line.endswith("}"):
                    yield json.loads(line)


def _is_of(sample: str, named: str) -> bool:
    name, _, labels = named.rstrip("}").partition("{")
    given, _, inner = sample.partition(" ")[2].rstrip("}").partition("{")
    return given == name and all(label in inner.split(",") for label in labels.split(",") if label)


def _tells(line: dict[str, Any], named: str) -> bool:
    event, *members = named.split()
    pairs = [member.partition("=") for member in members]
    return line["event"] == event and all(
        str(line.get(name)) == text if sign else bool(line.get(name)) for name, sign, text in pairs
    )
