"""Everything that can fail between a request to Gemini and its answer.

GeminiError
├── AnswerBlocked         Google refused: the prompt, or its own answer
├── AnswerEmpty           an answer without visible text
├── AnswerTruncated       text that ended before it was done
├── AnswerTooLarge        more bytes than an answer may have
├── MalformedAnswer       not Gemini's protocol: HTML, broken JSON or UTF-8
├── ConnectionFailed      no connection, or one that broke
├── TimedOut              no answer within the time
├── ServerFailed          500, 503, 504 and their like: Google's side
├── RateLimited           429 that is over soon
├── QuotaExhausted        429 for the day, or 402: over only with a payment
├── RequestRejected       400: a defect of our request
│   └── ThinkingRefused   400: the model has no such thinking level
├── Misconfigured         401, 403 and some of 400: key, project, place or address
│   └── ModelUnavailable  404: a model that does not exist, or no more
├── Unaffordable          not asked: the account cannot pay a whole answer
└── CircuitOpen           not asked at all, after too many failures in a row
"""

from __future__ import annotations

Fact = str | int | float | None


class GeminiError(Exception):
    """Base. ``facts`` are safe to log: never a prompt, a key or an answer.

    ``fallback_reason`` is for clients; ``again``: another try may help, and with ``once`` one more is enough;
    ``strikes``: whether the fault is on Google's side or on the way there, and counts for the circuit breaker
    (None: it is no evidence); ``operators_problem``: only the operator can solve it; ``retry_after_s``: the pause that
    Google asked for, or None.
    """

    fallback_reason: str = "ai_unavailable"
    again: bool = False
    once: bool = False
    strikes: bool | None = False
    operators_problem: bool = False
    next_model: bool = False
    retry_after_s: float | None = None

    def __init__(self, **facts: Fact) -> None:
        self.facts = {name: value for name, value in facts.items() if (name, value) != ("retry_after_s", None)}
        super().__init__(", ".join(f"{name}={value}" for name, value in self.facts.items()))
        wait_s = facts.get("retry_after_s")
        self.retry_after_s = float(wait_s) if isinstance(wait_s, int | float) else None


class AnswerBlocked(GeminiError):
    """PUP_LIMITED_DISABLED is no judgement of this prompt: Google has limited the operator's account."""

    fallback_reason = "ai_blocked"

    def __init__(self, *, finish_reason: str, **facts: Fact) -> None:
        super().__init__(finish_reason=finish_reason, **facts)
        self.operators_problem = finish_reason == "PUP_LIMITED_DISABLED"


class AnswerEmpty(GeminiError):
    """Without a reason it was cut off before its first word; with one, a model sometimes returns no text.

    After MAX_TOKENS one more answer, with a larger cap, is all that is paid: another model would think as long.
    """

    fallback_reason = "ai_empty"
    again = True

    def __init__(self, *, finish_reason: str, **facts: Fact) -> None:
        super().__init__(finish_reason=finish_reason, **facts)
        self.once = bool(finish_reason)
        self.next_model = finish_reason != "MAX_TOKENS"


class AnswerTruncated(GeminiError):
    """``cut_by``: the failure that ended an answer whose first words had been passed on."""

    fallback_reason = "ai_truncated"

    def __init__(self, *, cut_by: GeminiError | None = None, **facts: Fact) -> None:
        if cut_by is not None:
            facts |= {"cut_by": type(cut_by).__name__} | cut_by.facts
            self.strikes = cut_by.strikes
        super().__init__(**facts)


class AnswerTooLarge(GeminiError):
    fallback_reason = "ai_too_large"


class MalformedAnswer(GeminiError):
    fallback_reason = "ai_malformed"
    again = strikes = True


class ConnectionFailed(GeminiError):
    """``was_closed``: a connection that was kept open since an earlier answer was gone when the request came."""

    again = strikes = True

    def __init__(self, *, reason: str, was_closed: bool = False) -> None:
        super().__init__(reason=reason)
        self.was_closed = was_closed


class TimedOut(GeminiError):
    """``limit``: connect | silence | deadline. ``phase``: how far it had come: queue | connecting | asking | answering.

    Waiting in our own queue for a connection says nothing about Google, nor does a deadline that was ``ours``: of a
    call with so little time that Google could hardly have answered, or in the middle of an answer that was coming.
    """

    fallback_reason = "ai_timeout"
    again = True

    def __init__(self, *, limit: str, phase: str, ours: bool = False) -> None:
        super().__init__(limit=limit, phase=phase)
        self.strikes = None if ours or phase == "queue" else True
        self.next_model = limit == "silence"


class ServerFailed(GeminiError):
    again = strikes = next_model = True


class RateLimited(GeminiError):
    """Is no evidence of Google's health: it neither opens the circuit breaker nor keeps it closed."""

    fallback_reason = "ai_rate_limited"
    again = next_model = True
    strikes = None


class QuotaExhausted(GeminiError):
    """Each model has quotas of its own; credit that is used up (402) is everybody's."""

    fallback_reason = "ai_quota_exhausted"
    operators_problem = True
    strikes = None

    def __init__(self, **facts: Fact) -> None:
        super().__init__(**facts)
        self.next_model = facts.get("http_status") == 429


class RequestRejected(GeminiError):
    fallback_reason = "ai_rejected_request"
    operators_problem = True


class Misconfigured(GeminiError):
    fallback_reason = "ai_misconfigured"
    operators_problem = True


class ThinkingRefused(RequestRejected):
    pass


class ModelUnavailable(Misconfigured):
    next_model = True


class CircuitOpen(GeminiError):
    fallback_reason = "ai_circuit_open"
    next_model = True


class Unaffordable(GeminiError):
    fallback_reason = "ai_unaffordable"
    strikes = None
