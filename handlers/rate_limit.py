"""The fields that tell a client which limit it has met: RateLimit-Policy and RateLimit.

Source: draft-ietf-httpapi-ratelimit-headers-11 (May 2026). Refuses to know which limits there are.
"""

from __future__ import annotations


def refused_by_rate(policy: str, quota: int, window_s: int, reset_s: int) -> dict[str, str]:
    """Return the headers of a 429: ``quota`` requests in ``window_s`` are used up for ``reset_s`` seconds."""
    return {
        "Retry-After": str(reset_s),
        "RateLimit-Policy": f'"{policy}";q={quota};w={window_s}',
        "RateLimit": f'"{policy}";r=0;t={reset_s}',
    }


def refused_by_number(policy: str, quota: int, retry_after_s: int) -> dict[str, str]:
    """Return the headers of a 429: ``quota`` at once are used up until one ends, which nobody can foretell."""
    return {
        "Retry-After": str(retry_after_s),
        "RateLimit-Policy": f'"{policy}";q={quota};qu="concurrent-requests"',
        "RateLimit": f'"{policy}";r=0',
    }
