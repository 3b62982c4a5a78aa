"""The fields that tell a client a limit, and what is left of it: RateLimit-Policy and RateLimit.

Source: draft-ietf-httpapi-ratelimit-headers-11 (23 May 2026); both are Lists of Structured Fields (RFC 9651).
Refuses to know how any limit is counted.
"""

from __future__ import annotations

from generation import SubmitsLeft


def left_of_submits(left: SubmitsLeft) -> dict[str, str]:
    """Return the headers of an answer to a submit: every limit that the next one may meet."""
    limits = []
    if rate := left.rate:
        limits.append(left_of_rate("submits", rate.quota, rate.window_s, rate.remaining, rate.more_in_s))
    if left.room:
        limits.append(left_of_number("unfinished", left.room.quota, left.room.remaining))
    return {name: ", ".join(limit[name] for limit in limits) for name in limits[0]} if limits else {}


def left_of_rate(policy: str, quota: int, window_s: int, remaining: int, more_in_s: int) -> dict[str, str]:
    """Return the headers that say: ``remaining`` are left, one more in ``more_in_s`` seconds, 0 when all are left."""
    return {
        "RateLimit-Policy": f'"{policy}";q={quota};w={window_s}',
        "RateLimit": f'"{policy}";r={remaining}' + (f";t={more_in_s}" if more_in_s else ""),
    }


def left_of_number(policy: str, quota: int, remaining: int) -> dict[str, str]:
    """Return the headers of an answer after which ``remaining`` more of ``quota`` may be in use at once."""
    return {
        "RateLimit-Policy": f'"{policy}";q={quota};qu="concurrent-requests"',
        "RateLimit": f'"{policy}";r={remaining}',
    }


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
