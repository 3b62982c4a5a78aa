"""Every Lua script does what its header says, as far as a machine can tell.

That the calls fit the headers is checked by ``CheckedStorage`` wherever a test uses the ``storage`` fixture.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generation.task_codes import Code
from storage.scripts import load_scripts
from tests.lua_headers import HEADERS, Header
from wiring.storage import SCRIPT_FOLDERS

PATHS = [path for folder in SCRIPT_FOLDERS for path in sorted(folder.glob("*.lua"))]
WHOLE = load_scripts(SCRIPT_FOLDERS)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    given: Path = request.param
    return given


def body_of(path: Path) -> str:
    """The script with its includes, without comments."""
    return re.sub(r"--.*", "", WHOLE[path.stem])


def numbers_used(table: str, body: str) -> set[int]:
    return {int(number) for number in re.findall(rf"{table}\[(\d+)\]", body)}


def test_its_header_has_the_name_of_its_file_its_purpose_and_why_repeating_it_is_safe(path: Path) -> None:
    header = HEADERS[path.stem]
    assert header.name == path.stem
    assert header.purpose.endswith(".")
    assert header.repeatable.endswith(".")


def test_its_header_names_exactly_the_keys_it_uses(path: Path) -> None:
    assert numbers_used("KEYS", body_of(path)) == set(HEADERS[path.stem].keys)


def test_its_header_numbers_its_arguments_without_a_gap_and_it_uses_them_all(path: Path) -> None:
    header = HEADERS[path.stem]
    assert list(header.arguments) == list(range(1, len(header.arguments) + 1))
    fixed = set(header.arguments) - ({max(header.arguments)} if header.repeats else set())
    assert numbers_used("ARGV", body_of(path)) - {max(header.arguments, default=0)} <= fixed
    assert fixed <= numbers_used("ARGV", body_of(path))
    assert not header.repeats or "#ARGV" in body_of(path) or "ipairs(ARGV)" in body_of(path)


def test_its_header_names_every_code_it_returns(path: Path) -> None:
    body = body_of(path)
    returned = re.findall(r"\breturn \{? ?(-\d+)", body)
    assert {int(code) for code in returned} <= HEADERS[path.stem].codes


def test_every_refusal_in_its_header_has_a_name_in_the_code_that_calls_it(path: Path) -> None:
    if "generation" in path.parts:
        assert {code for code in HEADERS[path.stem].codes if code < 0} <= set(Code)


def test_it_is_short_and_takes_its_time_from_redis(path: Path) -> None:
    assert path.read_text("utf-8").count("\n") <= 60
    assert "os.time" not in WHOLE[path.stem]


def test_a_call_that_does_not_fit_is_noticed() -> None:
    header = Header.of(
        '--- @include "clock"\n-- move: from here to there.\n-- KEYS: 1 task  3 ledger\n'
        "-- ARGV: 1 owner  2 lease, ms\n--       3… stages\n"
        "-- Returns {1, document} | {-2} closed\n--       | -3 fenced\n-- Repeatable: yes.\nreturn {1}\n"
    )
    assert header.keys == {1: "task", 3: "ledger"}
    assert header.arguments == {1: "owner", 2: "lease, ms", 3: "stages"}
    assert header.codes == {1, -2, -3}
    header.check_call(["x:task:1", "x:status", "x:ledger"], ["me", 5, "a", "b"])
    with pytest.raises(AssertionError, match=r"KEYS\[3\] \(ledger\) is not given"):
        header.check_call(["x:task:1"], ["me", 5, "a"])
    with pytest.raises(AssertionError, match=r"KEYS\[1\] should be task, got x:ledger"):
        header.check_call(["x:ledger", "", "x:task"], ["me", 5, "a"])
    with pytest.raises(AssertionError, match="3 arguments in the header, 2 in the call"):
        header.check_call(["x:task:1", "", "x:ledger"], ["me", 5])
