"""The fields that tell a client a limit, and what is left of it: RateLimit-Policy and RateLimit.

Source: draft-ietf-httpapi-ratelimit-headers-11 (23 May 2026); both are Lists of Structured Fields (RFC 9651).
Refuses to know which limits there are.
"""

from __future__ import annotations


def left_of_rate(policy: str, quota: int, window_s: int, remaining: int, more_in_s: int) -> dict[str, str]:
    """Return the headers of an answer that took one: ``remaining`` are left, one more in ``more_in_s`` seconds."""
    return {
        "RateLimit-Policy": f'"{policy}";q={quota};w={window_s}',
        "RateLimit": f'"{policy}";r={remaining};t={more_in_s}',
    }


def left_of_number(policy: str, quota: int, remaining: int) -> dict[str, str]:
    """Return the headers of an answer after which ``remaining`` more of ``quota`` may be in use at once."""
    return {
        "RateLimit-Policy": f'"{policy}";q={quota};qu="concurrent-requests"',
        "RateLimit": f'"{policy}";r={remaining}',
    }


def together(*limits: dict[str, str]) -> dict[str, str]:
    """Return the headers that name several limits, of which any may be the next that is met."""
    return {name: ", ".join(limit[name] for limit in limits) for name in limits[0]} if limits else {}


def refused_by_rate(policy: str, quota: int, window_s: int, more_in_s: int) -> dict[str, str]:
    """Return the headers of a 429: ``quota`` requests in ``window_s`` are used up for ``more_in_s`` seconds."""
    return {
        "Retry-After": str(more_in_s),
        **left_of_rate(policy, quota, window_s, 0, more_in_s),
    }


def refused_by_number(policy: str, quota: int, retry_after_s: int) -> dict[str, str]:
    """Return the headers of a 429: ``quota`` at once are in use until one ends, at a time that cannot be foretold."""
    return {
        "Retry-After": str(retry_after_s),
        **left_of_number(policy, quota, 0),
    }
