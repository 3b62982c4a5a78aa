"""Which Redis type each kind of key has, and whether a new record may take the place of one that cannot be read.

The rooms that own the keys say so, each in its ``records.py``. Refuses to know what a record means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordKind:
    """``type``: as TYPE names it. ``replaceable``: what it holds is a hint, or its writer writes it anew."""

    type: str
    replaceable: bool = False


class RecordKinds:
    """Finds the kind of a key ``pg:{account}:kind[:id]`` or ``pg:kind[:{shard}]``."""

    def __init__(self, kinds: Mapping[str, RecordKind], prefix: str) -> None:
        self._kinds = kinds
        self._prefix = f"{prefix}:"

    def of(self, key: str) -> RecordKind | None:
        """Return the key's kind, or None for one that no room has named."""
        parts = key.removeprefix(self._prefix)
        if parts.startswith("{"):
            parts = parts.partition("}:")[2]
        return self._kinds.get(parts.partition(":")[0])
