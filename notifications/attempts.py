"""What each attempt to send has in common, a webhook's and a push's: its HTTP session, its time limit, its pause."""

from __future__ import annotations

import random

import aiohttp
from yarl import URL

from runtime.head_first import HEAD_BYTES, HeadFirstConnector

ATTEMPT_S = 15.0
JITTER = 0.2


def open_session(connector: HeadFirstConnector, proxy: URL | None = None) -> aiohttp.ClientSession:
    """Return a session with the time limit of an attempt and without cookies."""
    return aiohttp.ClientSession(
        proxy=proxy,
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=ATTEMPT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        max_line_size=HEAD_BYTES,
        max_field_size=HEAD_BYTES,
        headers={"User-Agent": "prompt-generation-server"},
    )


def jittered(pause_s: float) -> float:
    """Return the pause, up to a fifth shorter or longer, so that many attempts do not come together."""
    return pause_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret
