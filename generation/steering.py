"""What a user says beside the draft: what should be different about it, and for which kind of business it is.

Refuses to know how it is worded to Gemini and where it is stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

LONGEST_FEEDBACK = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Steering:
    """Both may be empty; an empty business type leaves it to the account's."""

    feedback: str = ""
    business_type: str = ""

    @property
    def stored(self) -> str:
        """The two as JSON, or '' when there is nothing to store."""
        if not (self.feedback or self.business_type):
            return ""
        return json.dumps([self.feedback, self.business_type], ensure_ascii=False)

    @classmethod
    def read(cls, stored: str) -> Steering:
        return cls(*json.loads(stored)) if stored else cls()


NO_STEERING = Steering()
