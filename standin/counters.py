"""Counts what happens on the stand-in, so that a test sees requests from Google's side.

Refuses to know why they came.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

REMEMBERED_TIMES = 1_000


@dataclass(slots=True)
class Counters:
    """Counts since the start or the last ``reset``; ``connections`` and ``running`` are of now. Times are Unix seconds.

    ``faults`` counts what was shown, by name, ``models`` and ``methods`` the requests that each was asked,
    ``token_requests`` those for bearer tokens.
    """

    requests: int = 0
    running: int = 0
    finished: int = 0
    disconnected: int = 0
    connections: int = 0
    accepted: int = 0
    disconnected_at: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED_TIMES))
    faults: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    token_requests: int = 0

    def client_went(self) -> None:
        """Count a client that closed its connection before its answer was whole."""
        self.disconnected += 1
        self.disconnected_at.append(time.time())

    def reset(self) -> None:
        """Begin at zero; open connections and running requests stay."""
        self.requests = self.finished = self.disconnected = self.accepted = self.token_requests = 0
        self.disconnected_at.clear()
        self.faults.clear()
        self.models.clear()
        self.methods.clear()

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "running": self.running,
            "finished": self.finished,
            "disconnected": self.disconnected,
            "disconnected_at": list(self.disconnected_at),
            "connections": self.connections,
            "accepted": self.accepted,
            "faults": dict(self.faults),
            "models": dict(self.models),
            "methods": dict(self.methods),
        }
