"""What Gemini's JSON means: text, usage, or one of the named failures.

Refuses to know how it arrived, and when to try again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from generation.gemini.errors import AnswerBlocked, AnswerEmpty, AnswerTruncated, MalformedAnswer
from generation.gemini.json_values import as_dict, as_list, constant, count, writable
from generation.gemini.refusals import refusal

# Source: Gemini API reference, FinishReason. What is not listed here, and what Google will add, is judged by its text.
BLOCKING = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "LANGUAGE"})
CUTTING = frozenset({"MAX_TOKENS", "MALFORMED_RESPONSE", "MALFORMED_FUNCTION_CALL", "OTHER"})
MODEL_NAME = re.compile(r"[\w./-]{1,100}", re.ASCII)
PARTS_OF_TOTAL = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its visible text, what was billed (None: not reported), which model spoke ('': not named)."""

    text: str
    total_tokens: int | None
    model: str
    tries: int


class Reply:
    """An answer in the making: one try's JSON values, taken in one by one."""

    def __init__(self) -> None:
        self.total_tokens: int | None = None
        self.model = ""
        self._texts: list[str] = []
        self._finish_reason = ""
        self._block_reason = ""

    def take(self, value: Any) -> str:
        """Take one value in and return the visible text that it brought.

        Raises:
            GeminiError: the value is an error, or not of Gemini's protocol.
        """
        if not isinstance(value, dict):
            raise MalformedAnswer(reason="not an object")
        if "error" in value:
            raise refusal(200, value)
        self.total_tokens = _total(as_dict(value.get("usageMetadata")), self.total_tokens)
        model = value.get("modelVersion")
        if isinstance(model, str) and MODEL_NAME.fullmatch(model):
            self.model = model
        self._block_reason = _block_reason(as_dict(value.get("promptFeedback"))) or self._block_reason
        candidate = as_dict(next(iter(as_list(value.get("candidates"))), None))
        if finish_reason := candidate.get("finishReason"):
            self._finish_reason = constant(finish_reason) or "UNREADABLE"
        text = _visible_text(candidate)
        self._texts.append(text)
        return text

    def whole(self, *, streamed: bool) -> str:
        """Return the text, now that there is no more.

        Raises:
            AnswerBlocked, AnswerEmpty, AnswerTruncated
        """
        text, finish_reason = "".join(self._texts), self._finish_reason
        if self._block_reason or finish_reason in BLOCKING:
            raise AnswerBlocked(finish_reason=finish_reason, block_reason=self._block_reason)
        if not text.strip():
            raise AnswerEmpty(finish_reason=finish_reason)
        # A stream without any finish reason was cut off: nothing else tells.
        if finish_reason in CUTTING or (streamed and not finish_reason):
            raise AnswerTruncated(finish_reason=finish_reason)
        return text


def _visible_text(candidate: dict[str, Any]) -> str:
    parts = map(as_dict, as_list(as_dict(candidate.get("content")).get("parts")))
    texts = (part.get("text") for part in parts if part.get("thought") is not True)
    return writable("".join(text for text in texts if isinstance(text, str)))


def _block_reason(feedback: dict[str, Any]) -> str:
    blocked = "blockReason" in feedback or "blockReasonMessage" in feedback
    return constant(feedback.get("blockReason")) or ("UNSPECIFIED" if blocked else "")


def _total(usage: dict[str, Any], before: int | None) -> int | None:
    """Return the tokens billed; within a try they are cumulative, so the last count holds."""
    total = count(usage.get("totalTokenCount"))
    if total is None:
        parts = [tokens for name in PARTS_OF_TOTAL if (tokens := count(usage.get(name))) is not None]
        total = sum(parts) if parts else None
    return before if total is None else total
