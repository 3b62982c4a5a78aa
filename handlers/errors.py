"""The one table from errors to the answers that clients get.

Owns status codes, messages and error codes. A message is short, as in the seed's table of common errors; the sentence
is for a person who wants to know what to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from accounts import (
    AccountClosed,
    AccountKeyRequired,
    AccountsError,
    AdminKeyRequired,
    ForbiddenForWatchToken,
    IdentityUnavailable,
    InsufficientTokens,
    InvalidEntryId,
    InvalidPeriod,
    NetworkNotAllowed,
    SubjectUnusable,
    SubscriptionInactive,
    Unauthorized,
    UnknownAccount,
)
from accounts.jwts import LONGEST_TOKEN
from generation import errors as generation
from handlers.answers import INTERNAL, MAYBE_TAKEN, STORAGE_UNAVAILABLE, Answer
from handlers.rate_limit import left_of_submits, refused_by_number, refused_by_rate
from notifications.errors import PushNotConfigured, SubscriptionRefused, UnknownSubscription
from storage.errors import RecordUnreadable, StorageUnavailable


class BadRequest(Exception):
    """A request that is valid HTTP and that a handler refuses while it parses it."""

    def __init__(self, status: int, error_code: str, message: str, sentence: str) -> None:
        super().__init__(error_code)
        self.answer = Answer(status, error_code, message, sentence)


def origin_not_allowed(origin: str) -> BadRequest:
    """Refuse a browser's preflight with a sentence: the browser shows it to the page's developer."""
    return BadRequest(
        403,
        "origin_not_allowed",
        "Origin is not allowed",
        f"Pages of {origin[:200]} may not call this server. Its operator can name the origin, exactly as it is written "
        "here, in the setting server.cors_allowed_origins.",
    )


class TooManyStreams(Exception):
    """The account has reached its limit of open event streams and waits."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


CHALLENGE = 'Bearer realm="api"'
UNAUTHORIZED_REASONS = {
    "missing": "Send your API key or token in the header 'Authorization: Bearer …'.",
    "malformed": "This is no API key or token. Check that it was copied whole, and sent as 'Authorization: Bearer …'.",
    "unknown_key": "This API key is not known. Check that it was copied whole.",
    "revoked_key": "This API key has been revoked. Use another one.",
    "expired_token": "Your token has expired. Sign in again.",
    "token_not_yet_valid": "Your token is not valid yet: its nbf or iat lies in the future. Check the clocks.",
    "wrong_kind_of_token": "This token is not meant for this service: send the access token, not a refresh token.",
    "token_lives_too_long": "Your token expires later than tokens may here. Ask for one that lives shorter.",
    "token_too_large": f"Your token is too large: {LONGEST_TOKEN} bytes are the most. Ask for one with fewer claims.",
    "tokens_not_accepted": "This server takes API keys, which begin with pg_, and no other tokens.",
    "wrong_algorithm": "Your token is signed with another algorithm than this server accepts.",
    "foreign_token": "Your token was made for another service: its issuer or audience is not the one expected here.",
    "missing_claim": "Your token lacks a claim that is needed here: exp, the account's id, or the issuer or audience.",
    "absurd_time": "One of your token's times is none: exp, nbf and iat must be numbers of seconds since 1970.",
}


def _unauthorized(exc: Unauthorized) -> Answer:
    sentence = UNAUTHORIZED_REASONS.get(exc.reason, "Your token is not valid here. Sign in again.")
    challenge = CHALLENGE if exc.reason == "missing" else f'{CHALLENGE}, error="invalid_token"'
    return Answer(401, "unauthorized", "Authentication required", sentence, {"WWW-Authenticate": challenge})


def _insufficient_tokens(exc: InsufficientTokens) -> Answer:
    sentence = f"You need at least {exc.needed} tokens for prompt enhancement. Available: {exc.available}"
    return Answer(402, "insufficient_tokens", "Insufficient tokens", sentence)


def _failed(exc: generation.GenerationFailed) -> Answer:
    status = FAILED_STATUS.get(exc.error_code, 500)
    headers = {"Retry-After": "5"} if status == 503 else {}
    return Answer(status, exc.error_code, exc.message, exc.error, headers | left_of_submits(exc.left))


# The synchronous endpoint's answers to tasks that failed.
FAILED_STATUS = {
    "insufficient_tokens": 402,
    "subscription_inactive": 402,
    "cancelled": 409,
    "interrupted": 503,
    "record_unreadable": 503,
}

ANSWERS: dict[type[Exception], Answer | Callable[[Any], Answer]] = {
    BadRequest: lambda exc: exc.answer,
    generation.TooManyPolls: lambda exc: Answer(
        429,
        "too_many_polls",
        "Too many polls",
        "You ask for the status too often. Once a second is enough; ?wait=25 answers as soon as something changes.",
        refused_by_rate("polls", exc.quota, exc.window_s, exc.window_s),
    ),
    TooManyStreams: lambda exc: Answer(
        429,
        "too_many_streams",
        "Too many open streams",
        f"You have {exc.limit} event streams and waits open, the most at once. Close one, or poll without wait.",
        refused_by_number("streams", exc.limit, 5),
    ),
    generation.ManualPromptRequired: Answer(
        400,
        "manual_prompt_required",
        "manual_prompt is required",
        "Write a prompt before you send it: manual_prompt is empty.",
    ),
    generation.ManualPromptTooLong: lambda exc: Answer(
        400,
        "manual_prompt_too_long",
        "manual_prompt is too long",
        f"Shorten manual_prompt to {exc.limit} characters at most; it has {exc.length}.",
    ),
    generation.ManualPromptInvalid: lambda exc: Answer(
        400, "invalid_manual_prompt", "manual_prompt is not valid text", f"Remove {exc.reason} from manual_prompt."
    ),
    generation.FeedbackInvalid: lambda exc: Answer(
        400, "invalid_feedback", "feedback is not valid", f"feedback must {exc.demand}."
    ),
    generation.UnknownBusinessType: lambda exc: Answer(
        400,
        "unknown_business_type",
        "business_type is not known",
        f"Send one of {', '.join(exc.known)} as business_type, or leave it out.",
    ),
    generation.IdempotencyKeyInvalid: Answer(
        400,
        "invalid_idempotency_key",
        "Idempotency-Key is not valid",
        "Send 1 to 255 printable ASCII characters without spaces as Idempotency-Key, for example a UUID.",
    ),
    Unauthorized: _unauthorized,
    InsufficientTokens: _insufficient_tokens,
    SubscriptionInactive: Answer(
        402, "subscription_inactive", "Subscription is not active", "Renew your subscription to generate prompts."
    ),
    SubjectUnusable: lambda exc: Answer(
        403,
        "unusable_subject",
        "Unusable account id",
        f"Your token is valid, but its {exc.claim} cannot name an account: that takes 1 to 255 printable characters.",
    ),
    AccountClosed: Answer(
        403, "account_closed", "Account is closed", "Your token is valid, but your account has been closed."
    ),
    AdminKeyRequired: Answer(
        403,
        "admin_key_required",
        "Admin key required",
        "This is for backends. Send an admin key: pa_….",
    ),
    AccountKeyRequired: Answer(
        403,
        "account_key_required",
        "Account key required",
        "An admin key has no account. Send the API key, or a token, of the account that it is for.",
    ),
    ForbiddenForWatchToken: Answer(
        403,
        "forbidden_for_watch_token",
        "Forbidden for a watch token",
        "A watch token reads, follows and cancels its own task only. Send an API key or a token of the account.",
    ),
    NetworkNotAllowed: Answer(
        403, "network_not_allowed", "Network not allowed", "Admin keys may not be used from your network address."
    ),
    UnknownAccount: Answer(
        403, "unknown_account", "Unknown account", "Your token is valid, but there is no account for it here yet."
    ),
    generation.TaskNotFound: Answer(
        404, "task_not_found", "Task not found", "The task is unknown or has expired. Start a new generation."
    ),
    generation.IdempotencyKeyReused: lambda exc: Answer(
        422,
        "idempotency_key_reused",
        "Idempotency-Key was used before",
        "This Idempotency-Key came before with another body. Use a new key for a new prompt.",
        left_of_submits(exc.left),
    ),
    generation.TooManyTasks: lambda exc: Answer(
        429,
        "too_many_tasks",
        "Too many unfinished tasks",
        f"You have {exc.limit} unfinished generations, which is the most at once. Wait until one ends, or cancel one.",
        refused_by_number("unfinished", exc.limit, 5),
    ),
    generation.TooManySubmits: lambda exc: Answer(
        429,
        "too_many_submits",
        "Too many generations started",
        "You start generations faster than your account may. Wait a moment and try again.",
        refused_by_rate("submits", exc.quota, exc.window_s, max(1, math.ceil(exc.wait_s))),
    ),
    generation.PageInvalid: Answer(
        400, "invalid_parameter", "before is not valid", "Send as before what an earlier page has as next."
    ),
    generation.ServerBusy: Answer(
        503,
        "server_busy",
        "Server is busy",
        "Too many generations are waiting. Try again shortly.",
        {"Retry-After": "5"},
    ),
    generation.ServerDraining: Answer(
        503,
        "draining",
        "Server is restarting",
        "This server is about to stop. Try again at once.",
        {"Retry-After": "1"},
    ),
    generation.GenerationFailed: _failed,
    generation.TaskLost: INTERNAL,  # an owner's error: it ends in the runner and no handler can meet it
    StorageUnavailable: STORAGE_UNAVAILABLE,
    RecordUnreadable: Answer(
        503,
        "record_unreadable",
        "Stored data cannot be read",
        "Something that we store for this cannot be read, and nothing was changed. Our operator's log names it; try "
        "again when it is repaired.",
        {"Retry-After": "60"},
    ),
    generation.SubmitUnsure: lambda exc: STORAGE_UNAVAILABLE if exc.cancelled else MAYBE_TAKEN,
    IdentityUnavailable: Answer(
        503,
        "identity_unavailable",
        "Service temporarily unavailable",
        "Your sign-in cannot be checked at the moment. Try again shortly.",
        {"Retry-After": "5"},
    ),
    InvalidPeriod: Answer(400, "invalid_parameter", "month is not valid", "Send a month as 2025-01."),
    InvalidEntryId: Answer(
        400, "invalid_parameter", "before is not valid", "Send as before what an earlier page has as next."
    ),
    SubscriptionRefused: lambda exc: Answer(400, "invalid_subscription", "Subscription is not valid", f"{exc.demand}."),
    UnknownSubscription: Answer(
        404, "subscription_not_found", "Subscription not found", "The account has no subscription with this endpoint."
    ),
    PushNotConfigured: Answer(
        404,
        "push_not_configured",
        "Notifications are not available",
        "This server sends no notifications: it has no keys for Web Push.",
    ),
    AccountsError: INTERNAL,  # the rest occurs only in the command line
}


def answer_for(exc: BaseException | None) -> Answer:
    """Return the table's answer for the error's class or its nearest base, else the internal error's."""
    for kind in type(exc).__mro__:
        found = ANSWERS.get(kind)
        if found is not None:
            return found(exc) if callable(found) else found
    return INTERNAL
