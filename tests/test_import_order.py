"""Rooms import downwards only: the import statements of every module are read and compared with the order below."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Each room may import the rooms of later lines; rooms of one line do not import each other.
ORDER = (
    ("main",),
    ("demo",),
    ("serving",),
    ("composition",),
    ("wiring",),
    ("handlers", "server"),
    ("notifications",),  # docs/decisions/0017-notifications-above-generation.md
    ("generation",),
    ("accounts",),
    ("storage",),
    ("standin",),
    ("runtime",),
)
LEVELS = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
# bench, tests and the scripts of deploy/ may import every room; no room may import them.
OUTSIDE = {"bench", "tests", "deploy", "docs", "examples", "web"}


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of every room, as (dotted name, file)."""
    for room in LEVELS:
        if (file := ROOT / f"{room}.py").exists():
            yield room, file
        for file in sorted((ROOT / room).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


MODULES = dict(modules())


def imported(file: Path) -> Iterator[str]:
    """Our modules that a file imports, wherever in it the statement stands: also in a function, also for types only."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] in LEVELS.keys() | OUTSIDE:
                while name not in MODULES and "." in name:
                    name = name.rpartition(".")[0]  # from a name to its module
                yield name


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_its_own_room_and_those_below(module: str) -> None:
    room = module.partition(".")[0]
    for name in imported(MODULES[module]):
        other = name.partition(".")[0]
        assert other not in OUTSIDE, f"{module} imports {name}"
        assert other == room or LEVELS[other] > LEVELS[room], f"{module} imports {name}, which is not below it"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module: {name for name in imported(file) if name != module and not _packages_own(module, name)}
        for module, file in MODULES.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


def test_what_tests_share_is_in_no_test_file() -> None:
    shared = re.compile(r"^\s*(?:from|import) [\w.]*\btest_\w+ import|^\s*import [\w.]*\.test_", re.MULTILINE)
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").glob("*.py")]
    assert [str(file) for file in files if shared.search(file.read_text("utf-8"))] == []


def test_every_python_room_has_its_place_in_the_order() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {path.stem for path in ROOT.glob("*.py")}
    assert rooms - OUTSIDE <= LEVELS.keys()


def _packages_own(module: str, name: str) -> bool:
    """A package gathers the names of its modules, and they may import the package's other modules."""
    return module.startswith(f"{name}.")
