"""The input beside the draft: feedback, the business type, and metadata that every document of the task repeats.

Refuses to know how it is worded for Gemini and where it is stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

LONGEST_FEEDBACK = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Steering:
    """All may be empty; an empty business type leaves it to the account's. ``metadata`` is a JSON object as text."""

    feedback: str = ""
    business_type: str = ""
    metadata: str = ""

    @property
    def stored(self) -> str:
        """The three as JSON, or '' when there is nothing to store."""
        said = [self.feedback, self.business_type, *([self.metadata] if self.metadata else [])]
        return json.dumps(said, ensure_ascii=False) if any(said) else ""

    @classmethod
    def read(cls, stored: str) -> Steering:
        return cls(*json.loads(stored)) if stored else cls()


NO_STEERING = Steering()
