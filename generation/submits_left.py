"""What an account may still submit, as every answer to a submit tells it. Refuses to know how it is counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """The submits that an account has left: ``remaining`` of ``quota`` now, one more in ``more_in_s`` seconds.

    ``more_in_s`` is 0 when all are left, for then no more come. An account that cannot pay never has ``quota`` left.
    """

    quota: int
    window_s: int
    remaining: int
    more_in_s: int


@dataclass(frozen=True, slots=True)
class TaskRoom:
    """The unfinished tasks that an account may have at once, and how many more than it has."""

    quota: int
    remaining: int


@dataclass(frozen=True, slots=True)
class SubmitsLeft:
    """What an account may still submit, as the submit's script found it; ``rate`` is None where there is no limit.

    ``each_ms`` is what one of its submits takes from the bucket: more while it cannot pay.
    """

    rate: Allowance | None = None
    room: TaskRoom | None = None
    each_ms: int = 0


UNCOUNTED = SubmitsLeft()  # no submit has told
