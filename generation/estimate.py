"""The least that a request to Gemini costs, for a task that is stopped before Gemini reports its usage.

Source: Gemini API documentation, "Understand and count tokens": a token is about four characters of English. Other
scripts have fewer to a token, which makes the estimate lower than the truth. Refuses to know balances.
"""

from __future__ import annotations

from generation.marks import Marks
from generation.prompt_text import PromptText

CHARACTERS_PER_TOKEN = 4


def estimated_input(
    prompt_text: PromptText, business_type: str, draft: str, feedback: str, *, short: bool = False
) -> int:
    """Return the tokens of instruction, draft and closing words of a first request; at least 1."""
    marks = Marks.new()
    sent = (
        prompt_text.instruction(business_type, marks, short=short),
        prompt_text.request_text(draft, feedback),
        prompt_text.closing(marks),
    )
    return max(1, sum(map(len, sent)) // CHARACTERS_PER_TOKEN)
