"""What it means for the rest of the server when Redis cannot be asked, or holds what is none of ours.

    StorageUnavailable        no usable answer; whether a write happened is unknown
      StorageMisconfigured    waiting does not help: somebody has to change the URL, the user's rights or the server
        SchemaTooNew          the data is a newer program's
    RecordUnreadable          Redis answered; a record that the call needs is not what we write, and nothing was changed

Refuses to know what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from redis import exceptions as redis_errors


class StorageUnavailable(Exception):
    """Redis gave no usable answer; whether a write happened is unknown.

    ``reason``: unreachable | timeout | read_only | out_of_memory | loading | refused | backlog
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StorageMisconfigured(StorageUnavailable):
    """Redis answered that it cannot be used in this way; ``sentence`` tells the operator what is wrong."""

    def __init__(self, sentence: str) -> None:
        super().__init__("refused")
        self.sentence = sentence


class SchemaTooNew(StorageMisconfigured):
    """A newer version of this program has written the data: this one must not write any more."""


class RecordUnreadable(Exception):
    """Records that the call needs, by their keys, are not what we write, and cannot be made anew; nothing was changed.

    They have been logged and counted.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(*keys)
        self.keys = tuple(keys)


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
    (redis_errors.TryAgainError, "refused"),
    (redis_errors.AskError, "refused"),  # MOVED is one of them
    (redis_errors.NoPermissionError, "refused"),
)

# Codes for which redis-py has no class.
REASONS_IN_TEXT: tuple[tuple[str, str], ...] = (
    ("MISCONF ", "refused"),
    ("NOREPLICAS ", "refused"),
    ("BUSY ", "refused"),
    ("NOPERM ", "refused"),
    ("The user executing the script can't ", "refused"),  # NOPERM inside a script, Redis 7.0
    ("ACL failure in script", "refused"),  # the same, since Redis 7.2
)

UNKNOWN_COMMAND = re.compile(r"unknown (?:redis )?command(?: '([\w|]+)')?", re.IGNORECASE)

# What reading a record raises that is not one of ours: a wrong type, a field that is no number inside a script; bytes
# that are no UTF-8, a member of another shape.
UNLIKE_OURS = (ValueError, KeyError, IndexError, TypeError, AttributeError)
UNREADABLE = (RecordUnreadable, redis_errors.ResponseError, *UNLIKE_OURS)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn errors of redis-py and of sockets into StorageUnavailable.

    An error that a script raises itself is a defect of ours and passes through, except those
    in which Redis refuses to write (OOM, READONLY, MISCONF, MASTERDOWN), or does not know a command.
    """
    try:
        yield
    except (redis_errors.RedisError, OSError) as exc:
        if reason := reason_of(exc):
            raise StorageUnavailable(reason) from exc
        if unknown := UNKNOWN_COMMAND.match(str(exc)):
            which = unknown[1] or "one that a script calls"
            raise StorageMisconfigured(
                f"Redis does not know a command that the server needs ({which}): it has been renamed or switched off, "
                "the server is older than Redis 7.0, or what answers is a proxy"
            ) from exc
        raise


def reason_of(exc: BaseException) -> str:
    """Name why Redis cannot serve; empty for a defect of ours."""
    if isinstance(exc, StorageUnavailable):
        return exc.reason
    for kind, reason in REASONS:
        if isinstance(exc, kind):
            return reason
    return next((reason for words, reason in REASONS_IN_TEXT if words in str(exc)), "")
