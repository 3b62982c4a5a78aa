"""The return codes of the task scripts, and the errors that they become."""

from __future__ import annotations

from enum import IntEnum

from generation.errors import StepRefused, TaskClosed, TaskFenced, TaskGone, TaskLost


class Code(IntEnum):
    """Every return code of the scripts, with the one meaning it has in all of them."""

    DONE = 1
    REPLAYED = 2
    ENDED = 3
    GONE = -1
    CLOSED = -2
    FENCED = -3
    UNKNOWN_ACCOUNT = -4
    TOO_MANY_TASKS = -5
    KEY_REUSED = -6
    STEP_REFUSED = -7
    SUBSCRIPTION_INACTIVE = -8
    INSUFFICIENT_TOKENS = -9
    LEASE_RUNS = -10
    TOO_MANY_SUBMITS = -11
    UNSETTLED = -12
    ACCOUNT_CLOSED = -13


LOST: dict[int, type[TaskLost]] = {
    Code.GONE: TaskGone,
    Code.CLOSED: TaskClosed,
    Code.FENCED: TaskFenced,
    Code.STEP_REFUSED: StepRefused,
}


def raise_if_lost(code: int) -> None:
    """Raise the TaskLost that belongs to a code; return for every other code."""
    if code in LOST:
        raise LOST[code]
