"""Every fault by its name, as data.

Source: Gemini API, troubleshooting guide, error model (google.rpc.Status) and FinishReason; public issue threads for
what the guide leaves out. Refuses to know how a fault is sent (plans.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DOMAIN = "googleapis.com"
QUOTA_METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests"


@dataclass(frozen=True, slots=True)
class GoogleError:
    """Google's ``{"error": …}``. ``wrapped``: as the only member of an array, which some front ends do."""

    http_status: int
    status: str
    message: str
    details: tuple[Mapping[str, Any], ...] = ()
    asks_to_wait: bool = False
    wrapped: bool = False

    def body(self, retry_after_s: float) -> Any:
        """Return the JSON value; ``retry_after_s`` may be fractional, as Google's is."""
        error: dict[str, Any] = {"code": self.http_status, "message": self.message, "status": self.status}
        details = [dict(detail) for detail in self.details]
        if self.asks_to_wait:
            details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_after_s:g}s"})
        if details:
            error["details"] = details
        return [{"error": error}] if self.wrapped else {"error": error}


@dataclass(frozen=True, slots=True)
class OddAnswer:
    """A 200 with an unusual answer. ``words``: how many of the answer's come (None: all)."""

    finish_reason: str | None = "STOP"
    words: int | None = None
    block_reason: str = ""
    usage: bool = True
    every_chunk_finishes: bool = False
    candidates: bool = True


def _error_info(reason: str, **metadata: str) -> Mapping[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": DOMAIN,
        "metadata": {"service": "generativelanguage.googleapis.com"} | metadata,
    }


def _quota(quota_id: str) -> Mapping[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaMetric": QUOTA_METRIC, "quotaId": quota_id}],
    }


API_KEY_INVALID = GoogleError(
    400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", (_error_info("API_KEY_INVALID"),)
)
NO_KEY = GoogleError(
    403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers. Please use API Key or other form of identity."
)
SHORT_TIMEOUT = GoogleError(
    400, "INVALID_ARGUMENT", "Manually set deadline is too short. Minimum allowed deadline is 10s."
)
NO_SUCH_TIER = GoogleError(400, "INVALID_ARGUMENT", "Invalid value at 'service_tier'.")
NO_STORE = GoogleError(
    400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "store": Cannot find field.'
)
NO_MINIMAL_THINKING = GoogleError(400, "INVALID_ARGUMENT", "Thinking level MINIMAL is not supported for this model.")
BUSY = "This model is currently experiencing high demand. Please try again later."
QUOTA = "You exceeded your current quota, please check your plan and billing details."

ERRORS: Mapping[str, GoogleError] = {
    "bad_request": GoogleError(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "api_key_invalid": API_KEY_INVALID,
    "failed_precondition": GoogleError(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    "billing": GoogleError(400, "FAILED_PRECONDITION", "Billing must be enabled for this project."),
    "unauthenticated": GoogleError(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials.",
        (_error_info("CREDENTIALS_MISSING"),),
    ),
    "payment_required": GoogleError(402, "FAILED_PRECONDITION", "Your prepaid credit is used up."),
    "permission_denied": NO_KEY,
    "key_leaked": GoogleError(403, "PERMISSION_DENIED", "Your API key was reported as leaked."),
    "api_disabled": GoogleError(
        403,
        "PERMISSION_DENIED",
        "Generative Language API has not been used in this project before or it is disabled.",
        (_error_info("SERVICE_DISABLED"),),
    ),
    "not_found": GoogleError(404, "NOT_FOUND", "The model is not found or not supported for generateContent."),
    "rate_limited": GoogleError(
        429,
        "RESOURCE_EXHAUSTED",
        QUOTA,
        (_quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),),
        asks_to_wait=True,
    ),
    "rate_limited_bare": GoogleError(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    "rate_limited_in_array": GoogleError(429, "RESOURCE_EXHAUSTED", "Resource exhausted.", wrapped=True),
    "quota_per_day": GoogleError(
        429,
        "RESOURCE_EXHAUSTED",
        QUOTA,
        (_quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"),),
        asks_to_wait=True,
    ),
    "internal": GoogleError(500, "INTERNAL", "An internal error has occurred. Please retry."),
    "overloaded": GoogleError(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "high_demand": GoogleError(503, "UNAVAILABLE", BUSY),
    "gateway_timeout": GoogleError(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
ANSWERS: Mapping[str, OddAnswer] = {
    "blocked_prompt": OddAnswer(block_reason="SAFETY", candidates=False),
    "blocked_for_unknown_reason": OddAnswer(block_reason="NEW_REASON", candidates=False),
    "safety": OddAnswer(finish_reason="SAFETY", words=5),
    "recitation": OddAnswer(finish_reason="RECITATION", words=5),
    "prohibited_content": OddAnswer(finish_reason="PROHIBITED_CONTENT", words=0),
    "max_tokens": OddAnswer(finish_reason="MAX_TOKENS", words=9),
    "max_tokens_empty": OddAnswer(finish_reason="MAX_TOKENS", words=0),
    "empty": OddAnswer(words=0),
    "no_candidates": OddAnswer(candidates=False),
    "malformed_response": OddAnswer(finish_reason="MALFORMED_RESPONSE", words=0),
    "continuation": OddAnswer(finish_reason="CONTINUATION", words=9),
    "model_armor": OddAnswer(finish_reason="MODEL_ARMOR", words=5),
    "model_armor_empty": OddAnswer(finish_reason="MODEL_ARMOR", words=0),
    "unexpected_tool_call": OddAnswer(finish_reason="UNEXPECTED_TOOL_CALL", words=9),
    "unknown_finish": OddAnswer(finish_reason="NEW_REASON"),
    "truncated": OddAnswer(finish_reason=None, words=9),
    "finish_on_every_chunk": OddAnswer(every_chunk_finishes=True),
    "no_usage": OddAnswer(usage=False),
}
# Something is wrong below the protocol, or the bytes are not of it; plans.py knows how.
BROKEN = (
    *("hang", "hang_mid_stream", "byte_a_second"),
    *("reset", "reset_after_headers", "reset_mid_stream", "cut_mid_stream"),
    *("error_mid_stream", "error_mid_stream_data"),
    *("html_error", "html", "wrong_utf8", "broken_json", "huge", "redirect"),
)
# The answer is whole and untrue to its draft: its first fact is gone or altered, a telephone number is made up, …
DAMAGES = ("fact_lost", "fact_altered", "invented", "obeyed", "in_english", "recited", "repeated")
FAULTS = (*ERRORS, *ANSWERS, *DAMAGES, *BROKEN)
