"""The task records in Redis: one method per atomic step, return codes turned into errors.

Owns key names and script calls; refuses to know when a step is taken (pipeline, runner, reaper).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from accounts import InsufficientTokens, SubscriptionInactive, UnknownAccount
from generation.documents import CANCELLED, INTERNAL, INTERRUPTED, Failure, failed_head, progress_head
from generation.errors import (
    IdempotencyKeyReused,
    StepRefused,
    SubmitUnsure,
    TaskClosed,
    TaskFenced,
    TaskGone,
    TaskLost,
    TaskNotFound,
    TooManyTasks,
)
from generation.idempotency import Idempotency
from generation.lease_index import MOST_AT_ONCE, LeaseIndex, TaskRef
from generation.set_aside import UNREADABLE, SetAside
from generation.stages import COMPLETED, EXPECTING, FAILED, FINALIZING, GENERATING, QUEUED, STEPS, Stage
from generation.steering import NO_STEERING, Steering
from generation.submit_limits import UNABLE_FACTOR, Allowance, SubmitLimits
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from storage.errors import StorageUnavailable
from storage.storage import Storage

PROXY_KEY_TTL_S = 300  # longer than any proxy goes on repeating one request


ENDINGS_KEPT_S = 15.0  # more than a replica lags behind, or a server forgets that syncs once a second
VERSIONS_PER_EPOCH = 100  # more than the documents that one run writes
PAGE_BYTES = 1_000_000  # of documents in one answer; a single one may be larger
FELLED_AT_MOST = 2  # owners that ended while they finished one and the same task


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


LOST: dict[int, type[TaskLost]] = {
    Code.GONE: TaskGone,
    Code.CLOSED: TaskClosed,
    Code.FENCED: TaskFenced,
    Code.STEP_REFUSED: StepRefused,
}


@dataclass(slots=True)
class Lease:
    """A task that this process owns: what it needs to run it and to prove that it may.

    ``deadline`` is the task's own, in the event loop's seconds; ``used_tokens`` what earlier attempts were reported
    to have used; ``progress_floor`` (percent) what clients have seen already. ``closing`` is set by who writes the end,
    ``gone`` when the server has no record of the task, which nobody but a server that forgets can bring about.
    ``allowance``: what is left to the account, as the submit that made the task learned it.
    """

    account_id: str
    task_id: str
    manual_prompt: str
    epoch: int
    attempt: int
    deadline: float
    progress_floor: int = 0
    used_tokens: int = 0
    closing: bool = False
    gone: bool = False
    steering: Steering = NO_STEERING
    allowance: Allowance | None = None

    @property
    def ref(self) -> TaskRef:
        return TaskRef(self.account_id, self.task_id)


DocumentWritten = Callable[[str, str, bytes], None]  # account id, task id, the document's bytes


class Tasks:
    """Task records as seen by one owner (a process). ``written`` hears of every document that a step wrote."""

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
    ) -> None:
        self.owner = owner
        self._written = written
        self._metrics = metrics
        self._set_aside = SetAside(storage, metrics)
        self.index = LeaseIndex(storage, self._set_aside)
        self._storage = storage
        self._settings = tasks
        self._limits = limits
        self._submit_limits = SubmitLimits(limits)
        self._money = money
        self._lease_ms = int(tasks.lease_s * 1000)
        self._endings: deque[tuple[float, Lease, str, list[Any]]] = deque()

    def keys(self, account_id: str, task_id: str) -> list[str]:
        """Name the seven keys that every script gets, in the order that the headers of the scripts give."""
        key = self._storage.key
        return [
            key(account_id, "task", task_id),
            key(account_id, "status", task_id),
            key(account_id, "events", task_id),
            key(account_id, "unfinished"),
            key(account_id, "tasks"),
            key(account_id, "account"),
            key(account_id, "ledger"),
        ]

    async def submit(
        self, account_id: str, manual_prompt: str, idempotency: Idempotency | None, steering: Steering = NO_STEERING
    ) -> Lease | str:
        """Create a task in stage queued, owned by this process; or return the id of the task the key made before.

        The lease's hint is written first: a process that dies in between leaves a hint without a task, not the reverse.
        Nothing stays behind of a submit that makes no task.

        Raises:
            UnknownAccount, TooManyTasks, TooManySubmits, IdempotencyKeyReused, StorageUnavailable; SubmitUnsure, which
            is one
        """
        self._submit_limits.check(account_id)
        task = TaskRef(account_id, str(uuid.uuid4()))
        await self.index.note([task], self._settings.lease_s)
        try:
            answer = await self._create(task, manual_prompt, idempotency, steering)
        except StorageUnavailable as exc:
            undone = idempotency is None or idempotency.by_proxy
            raise SubmitUnsure(exc.reason, task, undone=undone) from exc
        if answer[0] == Code.DONE:
            self._written(account_id, task.task_id, answer[4])
            deadline = _loop_time(answer[3] - answer[2])
            allowance = self._submit_limits.allowance(answer[5])
            return Lease(
                account_id, task.task_id, manual_prompt, 1, 1, deadline, steering=steering, allowance=allowance
            )
        await self.index.drop([task])
        match answer[0]:
            case Code.REPLAYED:
                return str(answer[1], "ascii")
            case Code.UNKNOWN_ACCOUNT:
                raise UnknownAccount(account_id)
            case Code.TOO_MANY_TASKS:
                raise TooManyTasks(self._limits.unfinished_tasks_per_account)
            case Code.TOO_MANY_SUBMITS:
                raise self._submit_limits.refused(account_id, answer[1] / 1000)
            case _:
                raise IdempotencyKeyReused

    async def _create(
        self, task: TaskRef, manual_prompt: str, idempotency: Idempotency | None, steering: Steering
    ) -> Any:
        key = self._storage.key
        key_sha256 = idempotency.key_sha256 if idempotency else ""
        return await self._storage.run(
            "submit",
            [
                *self.keys(task.account_id, task.task_id),
                key(task.account_id, "idempotency", key_sha256),
                key(task.account_id, "submits"),
            ],
            [
                task.task_id,
                self.owner,
                manual_prompt,
                self._lease_ms,
                int(self._settings.deadline_s * 1000),
                self._limits.unfinished_tasks_per_account,
                self._settings.status_ttl_s,
                QUEUED.name,
                progress_head(QUEUED),
                idempotency.body_sha256 if idempotency else "",
                self._key_ttl_s(idempotency),
                steering.stored,
                self._submit_limits.interval_ms,
                self._submit_limits.size_ms,
                self._money.minimum_tokens,
                UNABLE_FACTOR,
            ],
        )

    async def advance(self, lease: Lease, stage: Stage, expected_s: float | None = None) -> None:
        """Take the task to ``stage`` and write its document, in one step.

        ``expected_s``, at GENERATING, is in how many seconds the end is expected; the stages after it repeat that time.

        Raises:
            TaskLost, StorageUnavailable
        """
        come_from = [before for before, after in STEPS.items() if stage in after]
        answer = await self._storage.run(
            "advance",
            self.keys(lease.account_id, lease.task_id),
            self._advancing(lease, stage, come_from, _expectation(stage, expected_s)),
        )
        _raise_if_lost(answer[0])
        self._written(lease.account_id, lease.task_id, answer[1])
        lease.progress_floor = max(stage.progress, lease.progress_floor)

    async def hold(self, lease: Lease) -> str:
        """Check subscription and balance and set the tokens aside, in one step; return the account's business type.

        Raises:
            SubscriptionInactive, InsufficientTokens, TaskLost, StorageUnavailable
        """
        answer = await self._storage.run(
            "hold",
            self.keys(lease.account_id, lease.task_id),
            [self.owner, lease.epoch, self._money.minimum_tokens, self._money.hold_tokens],
        )
        if answer[0] == Code.SUBSCRIPTION_INACTIVE:
            raise SubscriptionInactive(str(answer[1], "ascii"))
        if answer[0] == Code.INSUFFICIENT_TOKENS:
            raise InsufficientTokens(self._money.minimum_tokens, answer[1])
        _raise_if_lost(answer[0])
        return str(answer[1], "utf-8")

    async def can_pay(self, lease: Lease, tokens: int) -> bool:
        """Say whether the account has so many tokens, its hold for this task included; not while Redis is away."""
        try:
            balance = await self._storage.command("HGET", self._storage.key(lease.account_id, "account"), "balance")
        except StorageUnavailable:
            return False
        return int(balance or 0) + self._money.hold_tokens >= tokens

    async def publish(self, lease: Lease, number: int, chunk: bytes, used_tokens: int) -> None:
        """Add a piece of text (JSON, or empty for none) to the events and note the tokens used so far, in one step.

        ``number`` counts the pieces of this lease from 1, so that a repeated call adds nothing.

        Raises:
            TaskLost, StorageUnavailable
        """
        code = await self._storage.run(
            "publish",
            self.keys(lease.account_id, lease.task_id),
            [self.owner, lease.epoch, number, chunk, used_tokens, self._settings.status_ttl_s],
        )
        _raise_if_lost(code)

    async def complete(self, lease: Lease, stage: Stage, head: bytes, used_tokens: int, reason: str) -> bytes:
        """Write the result and settle the hold, in one step; return the final document.

        Raises:
            TaskLost, StorageUnavailable
        """
        arguments = [*self._closing(lease, stage, head, used_tokens, reason), FINALIZING.name]
        answer = await self._storage.run("complete", self.keys(lease.account_id, lease.task_id), arguments)
        document = self._closed(lease.ref, answer, stage, reason)
        self._note_ending(lease, "complete", arguments)
        return document

    async def fail(self, lease: Lease, failure: Failure, used_tokens: int) -> bytes:
        """End the task without a result and give its hold back, in one step; return the final document.

        Raises:
            TaskLost, StorageUnavailable
        """
        arguments = self._closing(lease, FAILED, failed_head(failure), used_tokens, failure.error_code)
        answer = await self._storage.run("fail", self.keys(lease.account_id, lease.task_id), arguments)
        document = self._closed(lease.ref, answer, FAILED, failure.error_code)
        self._note_ending(lease, "fail", arguments)
        return document

    def _note_ending(self, lease: Lease, script: str, arguments: list[Any]) -> None:
        now = time.monotonic()
        self._endings.append((now, lease, script, arguments))
        while self._endings[0][0] < now - ENDINGS_KEPT_S:
            self._endings.popleft()

    async def repeat_endings(self) -> int:
        """Write the endings of the last seconds again; return how many the server had forgotten.

        Raises:
            StorageUnavailable
        """
        since = time.monotonic() - ENDINGS_KEPT_S
        latest = [ending for ending in self._endings if ending[0] >= since]
        forgotten = await asyncio.gather(*(self._end_again(*ending[1:]) for ending in latest))
        return sum(forgotten)

    async def _end_again(self, lease: Lease, script: str, arguments: list[Any]) -> bool:
        answer = await self._write_ending(lease, script, arguments)
        if answer[0] == Code.GONE and (restored := await self.restore(lease)) is not None:  # with all it had
            answer = await self._write_ending(restored, script, [self.owner, restored.epoch, *arguments[2:]])
        if answer[0] == Code.DONE:
            self._written(lease.account_id, lease.task_id, answer[1])
        return bool(answer[0] == Code.DONE)

    async def _write_ending(self, lease: Lease, script: str, arguments: list[Any]) -> Any:
        keys = self.keys(lease.account_id, lease.task_id)
        if script == "complete":  # the stage before may have been forgotten as well
            step = self._advancing(lease, FINALIZING, STEPS, _expectation(FINALIZING, None))
            await self._storage.run("advance", keys, step)
        return await self._storage.run(script, keys, arguments)

    async def restore(self, lease: Lease) -> Lease | None:
        """Write a task again whose record is gone, to run from its beginning; None when there is one after all.

        Its document keeps its age and follows every version that clients may have seen.

        Raises:
            StorageUnavailable
        """
        await self.index.note([lease.ref], self._settings.lease_s)
        left_ms = max(0, int((lease.deadline - asyncio.get_running_loop().time()) * 1000))
        epoch = lease.epoch + 1
        answer = await self._storage.run(
            "restore",
            self.keys(lease.account_id, lease.task_id),
            [
                lease.task_id,
                self.owner,
                lease.manual_prompt,
                self._lease_ms,
                left_ms,
                int(self._settings.deadline_s * 1000),
                self._settings.status_ttl_s,
                QUEUED.name,
                progress_head(QUEUED, lease.progress_floor),
                epoch,
                lease.attempt,
                lease.progress_floor,
                epoch * VERSIONS_PER_EPOCH,
            ],
        )
        if answer[0] != Code.DONE:
            return None
        self._written(lease.account_id, lease.task_id, answer[1])
        return Lease(
            lease.account_id,
            lease.task_id,
            lease.manual_prompt,
            epoch,
            lease.attempt,
            lease.deadline,
            lease.progress_floor,
            lease.used_tokens,
        )

    async def cancel(self, account_id: str, task_id: str) -> bytes:
        """End the task whoever owns it, or leave it as it is when it is terminal; return the final document.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        answer = await self._storage.run(
            "cancel",
            self.keys(account_id, task_id),
            [FAILED.name, failed_head(CANCELLED), self._settings.status_ttl_s, CANCELLED.error_code],
        )
        if answer[0] == Code.GONE or answer[1] is None:
            raise TaskNotFound
        if answer[0] == Code.DONE:
            return self._closed(TaskRef(account_id, task_id), answer, FAILED, CANCELLED.error_code)
        self._written(account_id, task_id, answer[1])
        return bytes(answer[1])

    async def undo(self, task: TaskRef, idempotency: Idempotency | None) -> bool:
        """End a task whose client was told that there is none; say whether it has ended.

        It goes on when a repetition of its submit, with the same key, was answered with it.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        key = idempotency.key_sha256 if idempotency else ""
        answer = await self._storage.run(
            "undo",
            [*self.keys(task.account_id, task.task_id), self._storage.key(task.account_id, "idempotency", key)],
            [FAILED.name, failed_head(CANCELLED), self._settings.status_ttl_s, CANCELLED.error_code],
        )
        if answer[0] == Code.GONE:
            raise TaskNotFound
        if answer[0] == Code.DONE:
            self._closed(task, answer, FAILED, CANCELLED.error_code)
        return bool(answer[0] != Code.REPLAYED)

    def _key_ttl_s(self, idempotency: Idempotency | None) -> int:
        return PROXY_KEY_TTL_S if idempotency and idempotency.by_proxy else self._settings.idempotency_key_ttl_s

    async def claim(self, orphan: TaskRef) -> Lease | bytes | None:
        """Take over a task whose lease ran out, and put the index right.

        Returns a Lease (it is ours now), its final document (it had had its attempts or its time and has been ended),
        or None (somebody else has it, or there is nothing left to do).

        Raises:
            StorageUnavailable
        """
        answer = await self._storage.run(
            "claim",
            self.keys(orphan.account_id, orphan.task_id),
            [
                self.owner,
                self._lease_ms,
                self._settings.attempts,
                QUEUED.name,
                FAILED.name,
                failed_head(INTERRUPTED),
                self._settings.status_ttl_s,
                INTERRUPTED.error_code,
                orphan.task_id,
                FINALIZING.name,
                FELLED_AT_MOST,
            ],
        )
        match answer[0]:
            case Code.DONE:
                _, epoch, attempt, progress, manual_prompt, used_tokens, now_ms, deadline_ms, steering = answer
                await self.index.note([orphan], self._settings.lease_s)
                deadline = _loop_time(deadline_ms - now_ms)
                lease = Lease(orphan.account_id, orphan.task_id, "", epoch, attempt, deadline, progress, used_tokens)
                try:
                    lease.manual_prompt = str(manual_prompt, "utf-8")
                    lease.steering = Steering.read(str(steering, "utf-8"))
                except UNREADABLE as exc:  # it is ours: it can be ended, and its hold given back
                    self._set_aside.note(self.keys(*orphan)[0], exc)
                    return await self.fail(lease, INTERNAL, used_tokens)
                return lease
            case Code.LEASE_RUNS:
                await self.index.note_end(orphan, answer[1])
                return None
            case _:
                await self.index.drop([orphan])
                if answer[0] != Code.ENDED:
                    return None
                return self._closed(orphan, answer, FAILED, INTERRUPTED.error_code)

    async def set_aside(self, task: TaskRef, exc: BaseException) -> None:
        """Pass over a task whose record cannot be read: it stays as it is, and nobody looks for it any more.

        Raises:
            StorageUnavailable
        """
        self._set_aside.note(self.keys(*task)[0], exc)
        await self.index.drop([task])
        with contextlib.suppress(*UNREADABLE):
            await self._storage.command("ZREM", self._storage.key(task.account_id, "unfinished"), task.task_id)

    async def renew(self, leases: Sequence[Lease], *, lease_s: float | None = None) -> list[Lease]:
        """Keep the tasks for another lease, all in one round trip; return those that are lost.

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
                    [self.owner, lease.epoch, int(lease_s * 1000)],
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

    async def delete_all(self, account_id: str) -> list[str]:
        """End every task of the account and delete its record; return the ids.

        Raises:
            StorageUnavailable
        """
        ids = [
            str(task_id, "ascii") for task_id in await self._storage.command("ZRANGE", self._list(account_id), 0, -1)
        ]
        for task_id in ids:
            with contextlib.suppress(TaskNotFound):
                await self.cancel(account_id, task_id)
            await self._storage.command("DEL", *self.keys(account_id, task_id)[:3])
        await self._storage.command("DEL", self._list(account_id))
        return ids

    def _list(self, account_id: str) -> str:
        return self._storage.key(account_id, "tasks")

    async def recent(self, account_id: str) -> list[bytes]:
        """Read the documents of all the account's unexpired tasks, newest first, one page after the other."""
        documents, before = await self.page(account_id, MOST_AT_ONCE, None)
        while before is not None:
            more, before = await self.page(account_id, MOST_AT_ONCE, before)
            documents += more
        return documents

    async def page(self, account_id: str, limit: int, before: str | None) -> tuple[list[bytes], str | None]:
        """Read a page of the documents of the account's unexpired tasks, newest first.

        ``before`` is the id of the last task of the page before. Returns up to ``limit`` documents, fewer when they are
        large, and what to give as ``before`` for the next page, or None.

        Raises:
            StorageUnavailable
        """
        key = self._storage.key
        documents: list[bytes] = []
        left = PAGE_BYTES
        while True:
            ids = await self._storage.run(
                "list_tasks", [key(account_id, "tasks")], [before or "", limit - len(documents)]
            )
            if not ids:
                return documents, None
            keys = [key(account_id, "status", str(task_id, "ascii", "replace")) for task_id in ids]
            looked_at, found = await self._storage.run("read_documents", keys, [left, int(not documents)])
            documents += found
            left -= sum(map(len, found))
            before = str(ids[looked_at - 1], "ascii", "replace") if looked_at else before
            if looked_at < len(ids) or len(documents) >= limit:
                return documents, before

    def _closed(self, task: TaskRef, answer: list[Any], stage: Stage, reason: str) -> bytes:
        _raise_if_lost(answer[0])
        _, document, charged, elapsed_ms = answer
        self._written(task.account_id, task.task_id, document)
        self._metrics.tokens_charged(charged)
        self._metrics.task_ended(stage.name, "" if stage is COMPLETED else reason, elapsed_ms / 1000)
        return bytes(document)

    def _advancing(self, lease: Lease, stage: Stage, come_from: Iterable[Stage], expectation: str) -> list[Any]:
        return [
            self.owner,
            lease.epoch,
            stage.name,
            max(stage.progress, lease.progress_floor),
            progress_head(stage, lease.progress_floor),
            self._settings.status_ttl_s,
            expectation,
            *(before.name for before in come_from),
        ]

    def _closing(self, lease: Lease, stage: Stage, head: bytes, used_tokens: int, reason: str) -> list[Any]:
        return [self.owner, lease.epoch, stage.name, head, used_tokens, self._settings.status_ttl_s, reason]


def _expectation(stage: Stage, expected_s: float | None) -> str:
    if stage is GENERATING:
        return "" if expected_s is None else str(round(1000 * expected_s))
    return "same" if stage in EXPECTING else ""


def _raise_if_lost(code: int) -> None:
    if code in LOST:
        raise LOST[code]


def _loop_time(ms_from_now: int) -> float:
    return asyncio.get_running_loop().time() + ms_from_now / 1000
