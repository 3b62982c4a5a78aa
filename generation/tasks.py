"""The task records in Redis: one method per atomic step, return codes turned into errors.

Owns the steps of a running task, and makes the parts that own its end, its takeover, its restoration and the account's
list. Refuses to know when a step is taken (pipeline, runner, reaper).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts import AccountClosed, InsufficientTokens, SubscriptionInactive, UnknownAccount
from generation.after_end import AfterEnd, NothingAfter
from generation.budget import NO_NEED, Need
from generation.claims import Claims
from generation.document import version_of
from generation.documents import CANCELLED, progress_head
from generation.endings import Endings
from generation.errors import IdempotencyKeyReused, SubmitUnsure, TooManyTasks
from generation.gemini.usage import NO_USAGE, Usage
from generation.idempotency import Idempotency
from generation.lease import Lease, loop_time
from generation.lease_index import LeaseIndex, TaskRef
from generation.origin import NO_ORIGIN, Origin
from generation.restoration import Restoration
from generation.silent_servers import SilentServers
from generation.stages import QUEUED, STAGES, STEPS, Stage
from generation.steering import NO_STEERING, Steering
from generation.submit_limits import SubmitLimits
from generation.submits_left import SubmitsLeft
from generation.task_accounts import TaskAccounts
from generation.task_codes import Code, raise_if_lost
from generation.task_deletion import TaskDeletion
from generation.task_listing import TaskListing
from generation.task_records import DocumentWritten, TaskRecords
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from storage.errors import RecordUnreadable, StorageUnavailable
from storage.storage import Storage
from storage.wire import Argument

NOTHING_AFTER = NothingAfter()
ENDING_S = 60.0  # after its deadline a task that nobody runs is ended so late at most


@dataclass(frozen=True, slots=True)
class Replayed:
    """A task that an earlier submit with the same idempotency key made; this one takes nothing of what is ``left``."""

    task_id: str
    left: SubmitsLeft


class Tasks:
    """Task records as seen by one owner (a process). ``written`` is called with every document that a step wrote."""

    def __init__(
        self,
        storage: Storage,
        owner: str,
        written: DocumentWritten,
        metrics: Metrics,
        *,
        tasks: TaskSettings,
        limits: LimitSettings,
        money: MoneySettings,
        after_end: AfterEnd = NOTHING_AFTER,
    ) -> None:
        self.owner = owner
        self.records = TaskRecords(storage, owner, written, tasks, after_end)
        self.index = LeaseIndex(storage)
        self.accounts_of = TaskAccounts(storage, tasks.deadline_s + tasks.status_ttl_s + ENDING_S)
        self.silent = SilentServers(storage)
        self.restoration = Restoration(self.records, self.index, self.accounts_of, money)
        self.endings = Endings(self.records, self.restoration, metrics)
        self.claims = Claims(self.records, self.index, self.endings)
        self.listing = TaskListing(storage)
        self.deletion = TaskDeletion(self.records, self.index, self.accounts_of, self.listing, self.endings)
        self._storage = storage
        self._settings = tasks
        self._limits = limits
        self._submit_limits = SubmitLimits(limits)
        self._money = money

    async def submit(
        self,
        account_id: str,
        manual_prompt: str,
        idempotency: Idempotency | None,
        steering: Steering = NO_STEERING,
        origin: Origin = NO_ORIGIN,
    ) -> Lease | Replayed:
        """Create a task in stage queued, owned by this process; or return the task that the key made before.

        The lease's hint is written first: a process that dies in between leaves a hint without a task, not the reverse.
        A submit that makes no task leaves no record.

        Raises:
            UnknownAccount, AccountClosed, TooManyTasks, TooManySubmits, IdempotencyKeyReused, StorageUnavailable;
            SubmitUnsure, which is one
        """
        self._submit_limits.check(account_id)
        task = TaskRef(account_id, str(uuid.uuid4()))
        account_key, kept_s = self.accounts_of.key(task), self.accounts_of.kept_s
        await self.index.note_new(task, self._settings.lease_s, account_key, kept_s)
        try:
            answer = await self._create(task, manual_prompt, idempotency, steering, origin)
        except StorageUnavailable as exc:
            cancelled = idempotency is None or idempotency.by_proxy
            raise SubmitUnsure(exc.reason, task, cancelled=cancelled) from exc
        except RecordUnreadable:
            await self._withdraw(task)
            raise
        if answer[0] == Code.DONE:
            self.records.written(account_id, task.task_id, answer[4])
            deadline = loop_time(answer[3] - answer[2])
            left = self._submit_limits.left(*answer[5:8])
            lease = Lease(account_id, task.task_id, manual_prompt, 1, 1, deadline, steering=steering, left=left)
            lease.idempotency, lease.created_ms, lease.version = idempotency, answer[2], version_of(answer[4])
            lease.origin = origin
            return lease
        await self._withdraw(task)
        return self._not_made(account_id, answer)

    def _not_made(self, account_id: str, answer: Sequence[Any]) -> Replayed:
        """Return the task that a submit's key made before, or raise why none was made."""
        match answer[0]:
            case Code.REPLAYED:
                return Replayed(str(answer[1], "ascii"), self._submit_limits.left(*answer[2:5]))
            case Code.UNKNOWN_ACCOUNT:
                raise UnknownAccount(account_id)
            case Code.ACCOUNT_CLOSED:  # a moment ago: its credential was still good
                raise AccountClosed(account_id)
            case Code.TOO_MANY_TASKS:
                raise TooManyTasks(self._limits.unfinished_tasks_per_account)
            case Code.TOO_MANY_SUBMITS:
                raise self._submit_limits.refused(account_id, answer[1] / 1000)
            case _:
                raise IdempotencyKeyReused(self._submit_limits.left(*answer[1:4]))

    async def _withdraw(self, task: TaskRef) -> None:
        """Forget the hints of a task that was not made."""
        await self.index.drop([task])
        await self.accounts_of.forget(task.account_id, [task.task_id])

    async def _create(
        self, task: TaskRef, manual_prompt: str, idempotency: Idempotency | None, steering: Steering, origin: Origin
    ) -> Any:
        key = self._storage.key
        key_sha256 = idempotency.key_sha256 if idempotency else ""
        return await self.records.call(
            "submit",
            task,
            [
                task.task_id,
                self.owner,
                manual_prompt,
                self.records.lease_ms,
                int(self._settings.deadline_s * 1000),
                self._limits.unfinished_tasks_per_account,
                self._settings.status_ttl_s,
                QUEUED.name,
                progress_head(QUEUED),
                idempotency.body_sha256 if idempotency else "",
                self.restoration.key_ttl_s(idempotency),
                steering.stored,
                self._submit_limits.interval_ms,
                self._submit_limits.size_ms,
                self._money.minimum_tokens,
                self._submit_limits.unable_ms,
                steering.metadata,
                origin.trace,
                origin.request_id,
            ],
            key(task.account_id, "idempotency", key_sha256),
            key(task.account_id, "submits"),
            key(task.account_id, "idempotency_keys"),
        )

    async def submits_left(self, account_id: str, each_ms: int) -> SubmitsLeft:
        """Return what the account may still submit, as Redis has it now, without the room for tasks.

        ``each_ms``: what one of its submits takes, as the last one was told.

        Raises:
            StorageUnavailable
        """
        drawn_ms = await self._storage.command("PTTL", self._storage.key(account_id, "submits"))
        return SubmitsLeft(self._submit_limits.allowance(max(0, int(drawn_ms)), each_ms))  # -2 when nothing is drawn

    def submitted_at(self, lease: Lease) -> float:
        """Return when the task was submitted, in the event loop's seconds."""
        return lease.deadline - self._settings.deadline_s

    async def advance(
        self, lease: Lease, stage: Stage, expected_s: float | None = None, estimated_input: int = 0
    ) -> None:
        """Take the task to ``stage`` and write its document, in one step.

        ``estimated_input``, in tokens, is kept of a request that has gone out: what the task costs when it is stopped
        before Gemini reports anything.
        ``expected_s``, at GENERATING, is in how many seconds the end is expected; the stages after it repeat that time.

        Raises:
            TaskLost, StorageUnavailable
        """
        lease.estimated_input = estimated_input or lease.estimated_input
        come_from = [before for before, after in STEPS.items() if stage in after]
        arguments = self.records.advance_arguments(lease, stage, come_from, expected_s, estimated_input)
        answer = await self.restoration.step("advance", lease, arguments)
        if answer[0] == Code.STEP_REFUSED and lease.stage in come_from:  # the server lost the task's last step
            await self.restoration.hold_again(lease)
            come_from = list(STAGES[: STAGES.index(lease.stage) + 1])
            arguments = self.records.advance_arguments(lease, stage, come_from, expected_s, estimated_input)
            answer = await self.restoration.step("advance", lease, arguments)
        raise_if_lost(answer[0])
        self.restoration.acknowledged(lease, answer[1])
        lease.stage = stage
        lease.progress_floor = max(stage.progress, lease.progress_floor)

    async def was_cancelled(self, lease: Lease) -> bool:
        """Say whether the task's document says so: as Redis has it, since a copy may not know of the end yet.

        Raises:
            StorageUnavailable, RecordUnreadable
        """
        key = self.records.keys(lease.ref)[1]
        document = await self._storage.command("GET", key) or b"{}"
        with self._storage.reading(key):
            return bool(json.loads(document).get("error_code") == CANCELLED.error_code)

    async def business_type(self, lease: Lease) -> str:
        """Read the account's business type.

        Raises:
            StorageUnavailable
        """
        key = self._storage.key(lease.account_id, "account")
        return str(await self._storage.command("HGET", key, "business_type") or b"", "utf-8")

    async def hold(self, lease: Lease, need: Need = NO_NEED) -> int:
        """Check subscription and balance and set tokens aside for what is needed, in one step; return how many.

        Raises:
            SubscriptionInactive, InsufficientTokens, TaskLost, StorageUnavailable
        """
        lease.need = need
        answer = await self.restoration.step("hold", lease, self.restoration.hold_arguments(lease))
        if answer[0] == Code.SUBSCRIPTION_INACTIVE:
            raise SubscriptionInactive(str(answer[1], "ascii"))
        if answer[0] == Code.INSUFFICIENT_TOKENS:
            raise InsufficientTokens(answer[2], answer[1])
        raise_if_lost(answer[0])
        lease.held = True
        lease.hold_tokens = int(answer[2])
        return lease.hold_tokens

    async def draw_as_unable(self, lease: Lease, available: int) -> None:
        """Let the task's submit count as one of an account that cannot pay, once, unless its balance said so at once.

        Raises:
            StorageUnavailable
        """
        drawn_ms = self._submit_limits.unable_ms - self._submit_limits.interval_ms
        if available >= self._money.minimum_tokens:
            arguments: list[Argument] = [self.owner, lease.epoch, drawn_ms, self._submit_limits.size_ms]
            submits = self._storage.key(lease.account_id, "submits")
            await self.records.call("draw_submits", lease.ref, arguments, submits)

    async def extend_hold(self, lease: Lease, tokens: int) -> int:
        """Extend the task's hold to ``tokens``, or as far as the balance allows; return its size.

        Raises:
            TaskLost, StorageUnavailable
        """
        answer = await self.restoration.step("extend_hold", lease, [self.owner, lease.epoch, tokens])
        raise_if_lost(answer[0])
        lease.hold_tokens = int(answer[1])
        return lease.hold_tokens

    async def publish(self, lease: Lease, number: int, chunk: bytes, used_tokens: int, kinds: Usage = NO_USAGE) -> None:
        """Add a piece of text (JSON, or empty for none) to the events and note the tokens used so far, in one step.

        ``number`` counts the pieces of this lease from 1, so that a repeated call adds nothing; ``kinds`` are the same
        tokens by kind.

        Raises:
            TaskLost, StorageUnavailable
        """
        code = await self.restoration.step(
            "publish",
            lease,
            [self.owner, lease.epoch, number, chunk, used_tokens, self._settings.status_ttl_s, kinds.stored],
        )
        raise_if_lost(code)

    async def renew(self, leases: Sequence[Lease], *, lease_s: float | None = None) -> list[Lease]:
        """Keep the tasks for another lease and note what Gemini reported, in one round trip; return the lost ones.

        With ``lease_s=0`` they are handed back, so that any process may take them at once.

        Raises:
            StorageUnavailable
        """
        lease_s = self._settings.lease_s if lease_s is None else lease_s
        codes = await self._storage.run_many(
            "renew",
            [
                (
                    [self._storage.key(lease.account_id, "task", lease.task_id)],
                    [self.owner, lease.epoch, int(lease_s * 1000), lease.reported.total, lease.reported.stored],
                )
                for lease in leases
            ],
        )
        lost = [lease for lease, code in zip(leases, codes, strict=True) if code != Code.DONE]
        for lease, code in zip(leases, codes, strict=True):
            lease.gone = code == Code.GONE
        kept = [lease.ref for lease, code in zip(leases, codes, strict=True) if code == Code.DONE]
        await self.index.note(kept, lease_s)
        return lost
