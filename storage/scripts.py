"""Lua scripts by name: read from their files, with the fragments that they include.

Refuses to know what a script does; ``wiring/storage.py`` names the folders.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INCLUDE = re.compile(r'^--- @include "([a-z_]+)"\n', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the SHA-1 by which Redis knows it."""

    text: str
    sha1: str

    @classmethod
    def of(cls, text: str) -> Script:
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def load_scripts(folders: Sequence[Path]) -> Mapping[str, str]:
    """Return every script's text by name, includes put in place.

    Files in an ``include`` folder are fragments: other scripts name them with
    ``--- @include "name"`` and they are not scripts of their own.
    """
    fragments = {
        path.stem: path.read_text("utf-8") for folder in folders for path in sorted(folder.glob("include/*.lua"))
    }

    def expand(text: str) -> str:
        return INCLUDE.sub(lambda match: expand(fragments[match[1]]), text)

    return {path.stem: expand(path.read_text("utf-8")) for folder in folders for path in sorted(folder.glob("*.lua"))}
