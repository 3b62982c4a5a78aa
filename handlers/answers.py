"""An error as a client gets it: its members, and the answers that several errors share or that no error class has.

Refuses to know the errors: ``errors.py`` has the table from their classes to answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """One error as the client gets it, without its request id."""

    status: int
    error_code: str
    message: str
    sentence: str
    headers: Mapping[str, str] | None = None


INTERNAL = Answer(500, "internal_error", "Internal error", "Something went wrong on our side. Please try again.")

STORAGE_UNAVAILABLE = Answer(
    503,
    "storage_unavailable",
    "Service temporarily unavailable",
    "Our storage does not answer at the moment. Nothing was charged. Try again shortly.",
    {"Retry-After": "2"},
)

MAYBE_TAKEN = Answer(
    503,
    "storage_unavailable",
    "Service temporarily unavailable",
    "Our storage does not answer at the moment. Try again shortly with the same Idempotency-Key: it is charged once.",
    {"Retry-After": "2"},
)

HEAD_TOO_LARGE = Answer(
    431, "head_too_large", "Header fields are too large", "Send a request line and headers of 64 KiB at most."
)
TOO_MANY_CONNECTIONS = Answer(
    503, "server_busy", "Server is busy", "Too many connections are open. Try again shortly.", {"Retry-After": "5"}
)

HTTP_STATUSES = {
    400: Answer(400, "bad_request", "Bad request", "The request could not be understood."),
    404: Answer(404, "not_found", "Not found", "There is nothing at this address. Check the path."),
    405: Answer(405, "method_not_allowed", "Method not allowed", "This address does not support the method you used."),
}


def error_body(answer: Answer, request_id: str, extra: Mapping[str, Any] | None = None) -> bytes:
    """Render an error in the shape that all of them have; ``extra`` are members of one endpoint's errors."""
    members = {"success": False, "message": answer.message, "error": answer.sentence, "error_code": answer.error_code}
    members |= {**(extra or {}), "request_id": request_id}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
