"""A task that this process owns."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from generation.budget import NO_NEED, Need
from generation.gemini.usage import NO_USAGE, Usage
from generation.idempotency import Idempotency
from generation.lease_index import TaskRef
from generation.origin import NO_ORIGIN, Origin
from generation.stages import QUEUED, Stage
from generation.steering import NO_STEERING, Steering
from generation.submits_left import UNCOUNTED, SubmitsLeft


@dataclass(slots=True)
class Lease:
    """A task that this process owns: what it needs to run it and to prove that it may.

    ``deadline`` is the task's own, in the event loop's seconds; ``used_tokens`` is what Gemini reported for
    earlier attempts, ``used_kinds`` the same by kind, ``reported`` what it has reported until now, which may not be
    written yet. ``progress_floor`` (percent) is what clients have seen already. ``closing`` is set while the end is
    written; ``gone`` when Redis has no record of the task, which happens only when Redis lost data.
    ``left`` is what the account may still submit, as the submit that created the task reported it.

    ``stage``, ``held``, ``hold_tokens``, ``version`` and ``ended`` are what Redis acknowledged, whatever it has lost
    since; ``need`` is what the hold was asked for,
    ``estimated_input`` that of the request that has gone out, in tokens; ``lost_estimate`` that of one of an owner
    before, who was lost while Gemini worked for it.
    ``origin`` is the request that made the task. ``outcome`` is how the run ended, '' until then:
    the task's own outcome or error code, or why the run stopped before the task's end.
    """

    account_id: str
    task_id: str
    manual_prompt: str
    epoch: int
    attempt: int
    deadline: float
    progress_floor: int = 0
    used_tokens: int = 0
    used_kinds: Usage = NO_USAGE
    closing: bool = False
    gone: bool = False
    steering: Steering = NO_STEERING
    left: SubmitsLeft = UNCOUNTED
    idempotency: Idempotency | None = None
    created_ms: int = 0
    stage: Stage = QUEUED
    held: bool = False
    need: Need = NO_NEED
    hold_tokens: int = 0
    estimated_input: int = 0
    lost_estimate: int = 0
    version: int = 0
    ended: bool = False
    origin: Origin = NO_ORIGIN
    outcome: str = ""
    reported: Usage = field(init=False)

    def __post_init__(self) -> None:
        self.note_earlier("")

    def note_earlier(self, kinds: str) -> None:
        """Set the kinds (as stored) of the tokens of earlier attempts."""
        self.used_kinds = self.reported = Usage.read(kinds, self.used_tokens)

    @property
    def log_fields(self) -> dict[str, str]:
        """Return the fields of a line of the log about the task, where they are not bound."""
        return {"task_id": self.task_id, "account_id": self.account_id, **self.origin.log_fields}

    @property
    def ref(self) -> TaskRef:
        return TaskRef(self.account_id, self.task_id)


def loop_time(ms_from_now: int) -> float:
    """Return when that is, in seconds of the event loop's clock."""
    return asyncio.get_running_loop().time() + ms_from_now / 1000
