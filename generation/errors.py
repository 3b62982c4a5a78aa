"""Everything that can fail in this room, except what Gemini answers (generation/gemini/errors.py).

GenerationError
├── ManualPromptRequired      nothing was written
├── ManualPromptTooLong       more characters than allowed
├── ManualPromptInvalid       characters that no prompt can hold
├── FeedbackInvalid           too long, or characters that no text can hold
├── UnknownBusinessType       no template has this name
├── TaskNotFound              unknown, expired, or another account's: the three cannot be told apart
├── PageInvalid               the list of tasks cannot go on from what was given
├── TooManyTasks              the account has as many unfinished tasks as it may
├── TooManySubmits            the account submits faster than it may
├── ServerBusy                this process runs and queues as many tasks as it may
├── ServerDraining            this process is about to stop, so waiting is useless
├── IdempotencyKeyInvalid     not 1 to 255 printable ASCII characters
├── IdempotencyKeyReused      the key came before with another body
├── GenerationFailed          a task that was waited for ended as `failed`
└── TaskLost                  an owner that may not write any more
    ├── TaskGone              the record does not exist
    ├── TaskClosed            it is terminal already: cancelled, or ended by another owner
    ├── TaskFenced            another owner or a later epoch has it
    └── StepRefused           the table of steps does not allow this one
"""

from __future__ import annotations

from generation.lease_index import TaskRef
from generation.submits_left import UNCOUNTED, SubmitsLeft
from storage.errors import StorageUnavailable


class GenerationError(Exception):
    """Base of this room's errors."""


class ManualPromptRequired(GenerationError):
    pass


class ManualPromptTooLong(GenerationError):
    """Lengths in Unicode characters."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(length, limit)
        self.length = length
        self.limit = limit


class ManualPromptInvalid(GenerationError):
    """``reason``: what the prompt holds that it cannot, as a clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FeedbackInvalid(GenerationError):
    """``demand``: the requirement, as the rest of a sentence with "must"."""

    def __init__(self, demand: str) -> None:
        super().__init__(demand)
        self.demand = demand


class UnknownBusinessType(GenerationError):
    """``known``: the valid names."""

    def __init__(self, known: list[str]) -> None:
        super().__init__(known)
        self.known = known


class TaskNotFound(GenerationError):
    pass


class PageInvalid(GenerationError):
    pass


class TooManyTasks(GenerationError):
    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class TooManySubmits(GenerationError):
    """``wait_s``: in how many seconds the next is taken; ``quota`` are taken at once, and again ``window_s`` later."""

    def __init__(self, wait_s: float, quota: int, window_s: int) -> None:
        super().__init__(wait_s, quota, window_s)
        self.wait_s = wait_s
        self.quota = quota
        self.window_s = window_s


class TooManyPolls(GenerationError):
    """The account polls more often than ``quota`` times in ``window_s`` seconds."""

    def __init__(self, quota: int, window_s: int) -> None:
        super().__init__(quota, window_s)
        self.quota = quota
        self.window_s = window_s


class ServerBusy(GenerationError):
    pass


class ServerDraining(GenerationError):
    pass


class IdempotencyKeyInvalid(GenerationError):
    pass


class IdempotencyKeyReused(GenerationError):
    """``left``: what the account may still submit."""

    def __init__(self, left: SubmitsLeft = UNCOUNTED) -> None:
        super().__init__(left)
        self.left = left


class GenerationFailed(GenerationError):
    """``message``, ``error`` and ``error_code`` as they stand in the task's status document.

    ``left``: what the account may still submit.
    """

    def __init__(
        self, message: str, error: str, error_code: str, task_id: str = "", left: SubmitsLeft = UNCOUNTED
    ) -> None:
        super().__init__(error_code)
        self.task_id = task_id
        self.left = left
        self.message = message
        self.error = error
        self.error_code = error_code


class TaskLost(GenerationError):
    pass


class TaskGone(TaskLost):
    pass


class TaskClosed(TaskLost):
    pass


class TaskFenced(TaskLost):
    pass


class StepRefused(TaskLost):
    pass


class SubmitUnsure(StorageUnavailable):
    """Whether the task was created is not known.

    ``cancelled``: the server cancels it if it was. Otherwise the client finds it by the key that it sent.
    """

    def __init__(self, reason: str, task: TaskRef, cancelled: bool) -> None:  # given by name
        super().__init__(reason)
        self.task = task
        self.cancelled = cancelled
