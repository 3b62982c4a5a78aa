"""What it means for the rest of the server when Redis cannot be asked.

Refuses to know what was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions as redis_errors


class StorageUnavailable(Exception):
    """Redis gave no usable answer; whether a write happened is unknown.

    ``reason``: unreachable | timeout | read_only | out_of_memory | loading | refused
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# Order matters: the first class that fits names the reason.
REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (redis_errors.TimeoutError, "timeout"),
    (TimeoutError, "timeout"),
    (redis_errors.BusyLoadingError, "loading"),
    (redis_errors.AuthenticationError, "refused"),
    (redis_errors.ConnectionError, "unreachable"),
    (OSError, "unreachable"),
    (redis_errors.ReadOnlyError, "read_only"),
    (redis_errors.OutOfMemoryError, "out_of_memory"),
    (redis_errors.ClusterDownError, "refused"),  # MASTERDOWN is one of them
    (redis_errors.NoPermissionError, "refused"),
)

# Codes for which redis-py has no class.
REASONS_IN_TEXT: tuple[tuple[str, str], ...] = (
    ("MISCONF ", "refused"),
    ("NOREPLICAS ", "refused"),
    ("BUSY ", "refused"),
    ("NOPERM ", "refused"),
)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn what redis-py raises into StorageUnavailable.

    An error that a script raises itself is a defect of ours and passes through, except those
    in which Redis refuses to write (OOM, READONLY, MISCONF, MASTERDOWN).
    """
    try:
        yield
    except (redis_errors.RedisError, OSError) as exc:
        if reason := _reason(exc):
            raise StorageUnavailable(reason) from exc
        raise


def _reason(exc: BaseException) -> str:
    """Name why Redis cannot serve; empty for a defect of ours."""
    for kind, reason in REASONS:
        if isinstance(exc, kind):
            return reason
    return next((reason for words, reason in REASONS_IN_TEXT if words in str(exc)), "")
