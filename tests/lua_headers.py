"""What the header of a Lua script promises, so that tests can hold its body and its callers to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.storage import Call
from storage.wire import Argument
from tests.support.storage import OpenStorage
from wiring.storage import SCRIPT_FOLDERS

HEADER = re.compile(r"(?:^--- .*\n)*^-- (?P<name>[a-z_]+): (?P<rest>(?:.*\n)(?:^--(?!-).*\n)*)", re.MULTILINE)
NUMBERED = re.compile(r"(?:^|\s)(\d+)(…?) (\S.*?)(?=\s{2,}\d+…? |$)", re.MULTILINE)


@dataclass(frozen=True)
class Header:
    """One script's promises: KEYS and ARGV by number, whether the last of ARGV repeats, return codes, and its words."""

    name: str
    keys: dict[int, str]
    arguments: dict[int, str]
    repeats: bool
    codes: set[int]
    purpose: str
    repeatable: str

    @classmethod
    def of(cls, text: str) -> Header:
        """Parse the header of a script's own file (includes not put in place)."""
        match = HEADER.match(text)
        assert match, "no header: '-- name: purpose' and lines of KEYS, ARGV, Returns, Repeatable"
        parts = {"purpose": ""}
        part = "purpose"
        for line in match["rest"].splitlines():
            line = line.removeprefix("--").strip() if line.startswith("--") else line
            if found := re.match(r"(KEYS|ARGV|Returns|Repeatable):? ?(.*)", line):
                part, line = found[1], found[2]
            parts[part] = f"{parts.get(part, '')}  {line}".strip()
        arguments = NUMBERED.findall(parts["ARGV"])
        codes = re.findall(r"(?:^|[{|]\s*)(-?\d+)\b", parts["Returns"])
        return cls(
            name=match["name"],
            keys={int(number): what for number, _, what in NUMBERED.findall(parts["KEYS"])},
            arguments={int(number): what for number, _, what in arguments},
            repeats=any(more for _, more, _ in arguments),
            codes={int(code) for code in codes},
            purpose=parts["purpose"],
            repeatable=parts["Repeatable"],
        )

    def check_call(self, keys: Sequence[str], args: Sequence[Argument]) -> None:
        """Fail when a call does not fit: a key that is missing or another one, too few or too many arguments."""
        for number, what in self.keys.items():
            assert number <= len(keys), f"{self.name}: KEYS[{number}] ({what}) is not given"
            named = any(word in keys[number - 1] for word in what.split() if len(word) > 3)
            assert named, f"{self.name}: KEYS[{number}] should be {what}, got {keys[number - 1]}"
        most = max(self.arguments, default=0)
        fits = len(args) >= most if self.repeats else len(args) == most
        assert fits, f"{self.name}: {most} arguments in the header, {len(args)} in the call"


HEADERS = {path.stem: Header.of(path.read_text("utf-8")) for folder in SCRIPT_FOLDERS for path in folder.glob("*.lua")}


class CheckedStorage(OpenStorage):
    """A Storage that holds every call of a script to the script's header."""

    async def run(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        HEADERS[script].check_call(keys, args)
        return await super().run(script, keys, args)

    async def run_many(self, script: str, calls: Sequence[Call]) -> list[Any]:
        for keys, args in calls:
            HEADERS[script].check_call(keys, args)
        return await super().run_many(script, calls)
