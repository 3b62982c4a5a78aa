"""What one running stand-in knows: its behaviour, its counters, and the tokens that it has given out.

Refuses to know HTTP.
"""

from __future__ import annotations

import math
import time
from collections import deque

from standin.behaviour import Behaviour, Chooser
from standin.counters import Counters


class Standin:
    """A running stand-in. An empty ``api_key`` accepts any, but not none."""

    def __init__(self, api_key: str = "", behaviour: Behaviour | None = None, seed: int = 0) -> None:
        self.api_key = api_key
        self.counters = Counters()
        self.chooser = Chooser(behaviour or Behaviour(), seed)
        self.url = ""
        self.last_bodies: deque[bytes] = deque(maxlen=4)  # as they came, for tests of what is sent
        self.tokens: dict[str, float] = {}
        self.token_lasts_s: float | None = 3_599  # None: the answer does not say

    def issue_token(self) -> str:
        """Return a new bearer token for the paths of Vertex AI."""
        token = f"ya29.standin-{len(self.tokens) + 1}"
        self.tokens[token] = time.monotonic() + (math.inf if self.token_lasts_s is None else self.token_lasts_s)
        return token

    def knows_token(self, token: str) -> bool:
        return self.tokens.get(token, 0.0) > time.monotonic()

    def behave(self, behaviour: Behaviour) -> None:
        """Behave like this from now on; the count of first requests and the random draws begin again."""
        self.chooser = Chooser(behaviour, self.chooser.seed)
