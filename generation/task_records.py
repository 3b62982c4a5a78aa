"""The keys of a task and the call of its scripts, as every part of ``Tasks`` needs them.

Owns key names; refuses to know what a script does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from generation.after_end import AfterEnd, delivery_keys, push_keys
from generation.documents import progress_head
from generation.lease import Lease
from generation.lease_index import TaskRef
from generation.stages import EXPECTING, GENERATING, Stage
from runtime.settings import TaskSettings
from storage.storage import Storage
from storage.wire import Argument

DocumentWritten = Callable[[str, str, bytes], None]  # account id, task id, the document's bytes


class TaskRecords:
    """The records as seen by one owner (a process). ``written`` is called with every document that a step wrote."""

    def __init__(
        self,
        storage: Storage,
        owner: str,
        written: DocumentWritten,
        settings: TaskSettings,
        after_end: AfterEnd,
    ) -> None:
        self.after_end = after_end
        self.storage = storage
        self.owner = owner
        self.written = written
        self.settings = settings
        self.lease_ms = int(settings.lease_s * 1000)

    def keys(self, task: TaskRef) -> list[str]:
        """Name the seven keys that every script gets, in the order that the headers of the scripts give."""
        account_id, task_id = task
        key = self.storage.key
        return [
            key(account_id, "task", task_id),
            key(account_id, "status", task_id),
            key(account_id, "events", task_id),
            key(account_id, "unfinished"),
            key(account_id, "tasks"),
            key(account_id, "account"),
            key(account_id, "ledger"),
        ]

    def closing_keys(self, task: TaskRef) -> list[str]:
        """Name the seven keys more that a script gets which may end the task: of webhooks, the usage, and a push."""
        usage = self.storage.key(task.account_id, "usage")
        return [*delivery_keys(self.storage, *task), usage, *push_keys(self.storage, *task)]

    async def call(self, script: str, task: TaskRef, arguments: Sequence[Argument], *more_keys: str) -> Any:
        """Run a script on the task's record; return its answer.

        Raises:
            StorageUnavailable
        """
        return await self.storage.run(script, [*self.keys(task), *more_keys], arguments)

    def advance_arguments(
        self,
        lease: Lease,
        stage: Stage,
        come_from: Iterable[Stage],
        expected_s: float | None = None,
        estimated_input: int = 0,
    ) -> list[Argument]:
        """Build the arguments of ``advance`` to a stage, allowed from the given ones."""
        return [
            self.owner,
            lease.epoch,
            stage.name,
            max(stage.progress, lease.progress_floor),
            progress_head(stage, lease.progress_floor),
            self.settings.status_ttl_s,
            _expectation(stage, expected_s),
            lease.version,
            estimated_input,
            *(before.name for before in come_from),
        ]


def _expectation(stage: Stage, expected_s: float | None) -> str:
    if stage is GENERATING:
        return "" if expected_s is None else str(round(1000 * expected_s))
    return "same" if stage in EXPECTING else ""
