"""What Gemini's JSON means: text, usage, or one of the named failures.

Refuses to know how it arrived, and when to try again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from generation.gemini.errors import (
    AnswerBlocked,
    AnswerEmpty,
    AnswerTruncated,
    GeminiError,
    MalformedAnswer,
    Misconfigured,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
)

# Source: Gemini API reference, FinishReason. What is not listed here, and what Google will add, is judged by its text.
BLOCKING = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "LANGUAGE"})
CUTTING = frozenset({"MAX_TOKENS", "MALFORMED_RESPONSE", "MALFORMED_FUNCTION_CALL", "OTHER"})
DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
SAFE_FACT = re.compile(r"[A-Z0-9_]{1,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its visible text, what was billed (None: not reported), and which model spoke."""

    text: str
    total_tokens: int | None
    model: str
    tries: int = 1


class Reply:
    """An answer in the making: one call's JSON values, taken in one by one."""

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
            raise error_from(200, value)
        usage = _dict(value.get("usageMetadata")).get("totalTokenCount")
        if isinstance(usage, int) and usage >= 0:
            self.total_tokens = usage  # cumulative within a call: the last one counts
        model = value.get("modelVersion")
        self.model = model if isinstance(model, str) and model else self.model
        self._block_reason = _block_reason(_dict(value.get("promptFeedback"))) or self._block_reason
        candidates = value.get("candidates")
        candidate = _dict(candidates[0]) if isinstance(candidates, list) and candidates else {}
        self._finish_reason = str(candidate.get("finishReason") or self._finish_reason)
        text = _visible_text(candidate)
        self._texts.append(text)
        return text

    def whole(self, *, streamed: bool) -> str:
        """Return the text, now that there is no more.

        Raises:
            AnswerBlocked, AnswerEmpty, AnswerTruncated
        """
        text, finish_reason = "".join(self._texts), self._finish_reason
        facts = {"finish_reason": _safe(finish_reason), "block_reason": _safe(self._block_reason)}
        if self._block_reason or finish_reason in BLOCKING:
            raise AnswerBlocked(**facts)
        if not text.strip():
            raise AnswerEmpty(**facts)
        # A stream without any finish reason was cut off: nothing else tells.
        if finish_reason in CUTTING or (streamed and not finish_reason):
            raise AnswerTruncated(**facts)
        return text


def error_from(http_status: int, value: Any) -> GeminiError:
    """Name the failure of an error answer; ``value`` is its JSON, or None when it had none."""
    error = _dict(_dict(value[0] if isinstance(value, list) and value else value).get("error"))
    code = error.get("code")
    if http_status == 200 and isinstance(code, int):  # an error in mid-stream, after the head said 200
        http_status = code
    status = _safe(error.get("status"))
    details = [_dict(detail) for detail in error.get("details") or [] if isinstance(detail, dict)]
    reasons = {str(detail["reason"]) for detail in details if "reason" in detail}
    facts: dict[str, str | int] = {"http_status": http_status, "status": status}
    if reasons:
        facts["reason"] = _safe(sorted(reasons)[0])
    if http_status == 429:
        if _is_daily(details):
            return QuotaExhausted(**facts)
        return RateLimited(retry_after_s=_retry_delay_s(details), **facts)
    if http_status == 402:
        return QuotaExhausted(**facts)
    if http_status == 400 and (status == "FAILED_PRECONDITION" or "API_KEY_INVALID" in reasons):
        return Misconfigured(**facts)
    if http_status in (401, 403, 404):
        return Misconfigured(**facts)
    if http_status >= 500:
        return ServerFailed(**facts)
    return RequestRejected(**facts)


def _visible_text(candidate: dict[str, Any]) -> str:
    parts = _dict(candidate.get("content")).get("parts")
    if not isinstance(parts, list):
        return ""
    texts = (part.get("text") for part in parts if isinstance(part, dict) and part.get("thought") is not True)
    return "".join(text for text in texts if isinstance(text, str))


def _block_reason(feedback: dict[str, Any]) -> str:
    return str(feedback.get("blockReason") or ("UNSPECIFIED" if "blockReasonMessage" in feedback else ""))


def _is_daily(details: list[dict[str, Any]]) -> bool:
    violations = [_dict(each) for detail in details for each in detail.get("violations") or []]
    return any("PerDay" in str(violation.get("quotaId", "")) for violation in violations)


def _retry_delay_s(details: list[dict[str, Any]]) -> float | None:
    for detail in details:
        if found := DURATION.fullmatch(str(detail.get("retryDelay", ""))):
            return float(found[1])
    return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _safe(value: Any) -> str:
    """Let only names of constants into facts: anything else could be somebody's text."""
    return value if isinstance(value, str) and SAFE_FACT.fullmatch(value) else ""
