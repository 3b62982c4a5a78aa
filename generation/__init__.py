"""The use case: stages, tasks in Redis, runner, reaper, prompt text, Gemini."""

from generation.document import Document
from generation.events import Event
from generation.generations import TASK_ID, Generated, Generations, Started
from generation.idempotency import SubmitKey
from generation.origin import Origin
from generation.status_copy import StatusCopy
from generation.submits_left import SubmitsLeft
from generation.wait_scope import WaitScope

__all__ = [
    "TASK_ID",
    "Document",
    "Event",
    "Generated",
    "Generations",
    "Origin",
    "Started",
    "StatusCopy",
    "SubmitKey",
    "SubmitsLeft",
    "WaitScope",
]
