"""An HTTP response as a test reads it, whatever client fetched it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HttpReply:
    """Status, headers and body; ``json`` is the body parsed."""

    status: int
    headers: Mapping[str, Any]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        members: dict[str, Any] = json.loads(self.body)
        return members
