"""Maps Google's error answers to our failures, by one table.

Source: Gemini API, troubleshooting guide; google.rpc.Status, ErrorInfo, QuotaFailure, RetryInfo; recorded answers.
Refuses to know how the answer arrived, and what follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from generation.gemini.errors import (
    Fact,
    GeminiError,
    Misconfigured,
    ModelUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
    ThinkingRefused,
)
from generation.gemini.json_values import as_dict, as_list, constant, count
from generation.gemini.waits import asked_wait_s

# The first row that fits: HTTP statuses, a status or a reason that must be there ("": none need be), failure.
TABLE: tuple[tuple[range, str, type[GeminiError]], ...] = (
    (range(400, 401), "API_KEY_INVALID", Misconfigured),
    (range(400, 401), "FAILED_PRECONDITION", Misconfigured),  # the place is not served, or there is no billing
    (range(400, 401), "THINKING_LEVEL", ThinkingRefused),
    (range(401, 402), "", Misconfigured),
    (range(402, 403), "", QuotaExhausted),
    (range(403, 404), "", Misconfigured),
    (range(404, 405), "", ModelUnavailable),
    (range(405, 406), "", Misconfigured),
    (range(407, 408), "", Misconfigured),  # a proxy that wants credentials
    (range(408, 409), "", ServerFailed),
    (range(429, 430), "PER_DAY", QuotaExhausted),
    (range(429, 430), "", RateLimited),
    (range(499, 500), "", ServerFailed),  # CANCELLED, in mid-stream, by Google itself
    (range(400, 499), "", RequestRejected),
    (range(500, 1000), "", ServerFailed),
    (range(300, 400), "", Misconfigured),  # redirects are not followed: the key goes to one host
)
# An error in mid-stream has its code, if any, in its body only.
CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


# Source: recorded refusals of ``thinkingLevel: minimal`` by models that have none; no detail names the field.
THINKING_LEVEL = re.compile(r"thinking.?level", re.IGNORECASE)
NO_HEADERS: Mapping[str, str] = {}


def refusal(http_status: int, value: Any, headers: Mapping[str, str] = NO_HEADERS) -> GeminiError:
    """Name the failure of an error answer; ``value`` is its JSON, or None when a proxy answered with something else."""
    error = as_dict(as_dict(value).get("error"))
    status = constant(error.get("status"))
    if http_status == 200:
        http_status = count(error.get("code")) or CODES.get(status, 500)
    details = [as_dict(detail) for detail in as_list(error.get("details"))]
    reasons = [reason for detail in details if (reason := constant(detail.get("reason")))]
    signs = {status, *reasons, *(["PER_DAY"] if _is_daily(details) else [])}
    if THINKING_LEVEL.search(str(error.get("message", ""))[:1_000]):
        signs.add("THINKING_LEVEL")
    facts: dict[str, Fact] = {"http_status": http_status, "status": status}
    if reasons:
        facts["reason"] = reasons[0]
    for http_statuses, sign, failure in TABLE:
        if http_status in http_statuses and (not sign or sign in signs):
            wait_s = asked_wait_s(details, error.get("message"), headers) if failure.again else None
            return failure(retry_after_s=wait_s, **facts)
    return ServerFailed(**facts)  # 1xx and unknown codes


def _is_daily(details: list[dict[str, Any]]) -> bool:
    return any("PerDay" in quota for quota in _quotas(details))


def _quotas(details: list[dict[str, Any]]) -> Iterator[str]:
    for detail in details:
        yield str(as_dict(detail.get("metadata")).get("quota_limit", ""))
        for violation in as_list(detail.get("violations")):
            yield str(as_dict(violation).get("quotaId", ""))
