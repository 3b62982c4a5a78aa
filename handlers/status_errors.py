"""The form of the status endpoint's errors for clients that read only the members of a status document.

Such clients poll until they read a final ``status``, and show ``progress || 0``. Where polling cannot help any more,
the error ends it; where it can, the error repeats the progress that this process last knew, so that no bar falls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from handlers.answers import Answer, error_body
from handlers.errors import answer_for

ENDED: dict[str, Any] = {"status": "failed", "progress": 100}
FINAL = (401, 403, 404)
PASSING = (429, 503)


def members_of_error(status: int, last_progress: int | None) -> dict[str, Any]:
    """Return what the error's body has in common with a status document; ``status`` is the HTTP status."""
    if status in FINAL:
        return ENDED
    if status in PASSING and last_progress is not None:
        return {"progress": last_progress}
    return {}


def rendered(answer: Answer, last_progress: int | None = None) -> tuple[int, Mapping[str, str], Callable[[str], bytes]]:
    """Return an error as it is sent: its status, its own headers, and its body for a request id."""
    body = partial(error_body, answer, extra=members_of_error(answer.status, last_progress))
    return answer.status, answer.headers or {}, body


def rendered_error(exc: Exception, last_progress: int | None) -> tuple[int, Mapping[str, str], Callable[[str], bytes]]:
    """Return the answer to a poll that fails with this error."""
    return rendered(answer_for(exc), last_progress)
