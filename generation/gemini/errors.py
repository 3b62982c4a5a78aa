"""Everything that can go wrong between a request to Gemini and its answer.

GeminiError
├── AnswerBlocked         Google refused: the prompt, or its own answer
├── AnswerEmpty           an answer without visible text
├── AnswerTruncated       text that ended before it was done
├── MalformedAnswer       not Gemini's protocol: HTML, broken JSON or UTF-8, too large
├── ConnectionFailed      no connection, or one that broke
├── TimedOut              no answer within the time
├── ServerFailed          500, 503, 504 and their like: Google's side
├── RateLimited           429 that is over soon
├── QuotaExhausted        429 for the day, or 402: over only when somebody pays
├── RequestRejected       400: a request that is ours to mend
├── Misconfigured         401, 403, 404: key, project or model
└── CircuitOpen           not asked at all, after too many failures in a row
"""

from __future__ import annotations

from typing import ClassVar


class GeminiError(Exception):
    """Base. ``facts`` are safe to log: never a prompt, a key or an answer.

    ``fallback_reason`` is what clients see; ``again``: another try may help; ``strikes``: it counts for the circuit
    breaker; ``operators_problem``: nobody but the operator can mend it.
    """

    fallback_reason: ClassVar[str] = "ai_unavailable"
    again: ClassVar[bool] = False
    strikes: ClassVar[bool] = False
    operators_problem: ClassVar[bool] = False
    retry_after_s: float | None = None

    def __init__(self, **facts: str | int | float | None) -> None:
        super().__init__(", ".join(f"{name}={value}" for name, value in facts.items()))
        self.facts = facts


class AnswerBlocked(GeminiError):
    fallback_reason = "ai_blocked"


class AnswerEmpty(GeminiError):
    fallback_reason = "ai_empty"


class AnswerTruncated(GeminiError):
    fallback_reason = "ai_truncated"


class MalformedAnswer(GeminiError):
    fallback_reason = "ai_malformed"
    again = strikes = True


class ConnectionFailed(GeminiError):
    again = strikes = True


class TimedOut(GeminiError):
    fallback_reason = "ai_timeout"
    again = strikes = True


class ServerFailed(GeminiError):
    again = strikes = True


class RateLimited(GeminiError):
    """``retry_after_s`` is what Google asked for, or None."""

    fallback_reason = "ai_rate_limited"
    again = strikes = True

    def __init__(self, *, retry_after_s: float | None, **facts: str | int | float | None) -> None:
        super().__init__(retry_after_s=retry_after_s, **facts)
        self.retry_after_s = retry_after_s


class QuotaExhausted(GeminiError):
    fallback_reason = "ai_quota_exhausted"
    operators_problem = True


class RequestRejected(GeminiError):
    fallback_reason = "ai_rejected_request"
    operators_problem = True


class Misconfigured(GeminiError):
    fallback_reason = "ai_misconfigured"
    operators_problem = True


class CircuitOpen(GeminiError):
    fallback_reason = "ai_circuit_open"
