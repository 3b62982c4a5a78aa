"""Decides whether to try again, and after which pause.

Refuses to know how a try is made. A dozen lines rather than a library, because every input is specific to us: a
deadline on the event loop's clock, Google's RetryInfo, text that has been passed on.
"""

from __future__ import annotations

import random

from generation.gemini.errors import GeminiError, TimedOut
from runtime.settings import GeminiSettings


def pause_before_next_try_s(
    failure: GeminiError, before: GeminiError | None, tries: int, settings: GeminiSettings, *, last_model: bool
) -> float | None:
    """Return the seconds to wait after ``tries`` tries, the last of which failed so; None: no more tries.

    ``before``: how the try before the last one failed. While there is another model to ask, none is waited for longer
    than ``retry_max_s``, nor asked again after a silence.

    Exponential with full jitter; a wait that Google asks for comes first.
    """
    told_twice = failure.once and type(before) is type(failure)
    if not failure.again or told_twice or tries >= settings.tries:
        return None
    if not last_model and (isinstance(failure, TimedOut) or (failure.retry_after_s or 0) > settings.retry_max_s):
        return None
    longest_s = min(settings.retry_max_s, settings.retry_base_s * 2 ** min(tries - 1, 60))
    pause_s = random.uniform(0, longest_s)  # noqa: S311  # jitter needs no secrecy
    return pause_s if failure.retry_after_s is None else failure.retry_after_s + pause_s
