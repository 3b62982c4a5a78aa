"""The use cases behind the handlers: start a generation, read its status, wait for it, cancel it, list an account's.

Refuses to know HTTP, and of an account anything but its id.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any

import structlog

from generation.document import Document
from generation.errors import (
    FeedbackInvalid,
    GenerationFailed,
    ManualPromptInvalid,
    ManualPromptRequired,
    ManualPromptTooLong,
    PageInvalid,
    ServerDraining,
    SubmitUnsure,
    TaskNotFound,
    UnknownBusinessType,
)
from generation.events import EVENT_ID, Event, TaskEvents
from generation.idempotency import NO_KEY, Idempotency, SubmitKey, idempotency
from generation.lease_index import TaskRef
from generation.origin import NO_ORIGIN, Origin
from generation.runner import Runner
from generation.status_copy import StatusCopy
from generation.steering import LONGEST_FEEDBACK, NO_STEERING, Steering
from generation.submits_left import UNCOUNTED, SubmitsLeft
from generation.tasks import Replayed, Tasks
from generation.visible_text import is_visible
from generation.wait_scope import WaitScope
from runtime.tracing import NO_TRACING, Tracing
from storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

TASK_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STORAGE_RETRY_S = 0.5  # while Redis is away
WAIT_S = 60.0  # how long one look at the copy lasts; it is repeated until the task is terminal


@dataclass(frozen=True, slots=True)
class Started:
    """``replayed``: the idempotency key came before, and this is the task that it made then.

    ``left``: what the account may still submit. ``known_by``: the submit's key.
    """

    task_id: str
    replayed: bool
    left: SubmitsLeft
    known_by: Idempotency | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """The result for the synchronous endpoint; ``document`` is the final status document.

    ``left``: what the account may still submit now that the task has ended, without the room for tasks.
    """

    task_id: str
    replayed: bool
    document: dict[str, object]
    left: SubmitsLeft


class Generations:
    """The use cases. All of them but ``account_of`` answer only for tasks of the account that is given."""

    def __init__(
        self,
        tasks: Tasks,
        runner: Runner,
        copy: StatusCopy,
        events: TaskEvents,
        *,
        manual_prompt_characters: int,
        business_types: Collection[str] = (),
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._tasks = tasks
        self._runner = runner
        self._copy = copy
        self._events = events
        self._characters = manual_prompt_characters
        self._tracing = tracing
        self.business_types = sorted(business_types)

    async def start(
        self,
        account_id: str,
        manual_prompt: str,
        key: SubmitKey = NO_KEY,
        steering: Steering = NO_STEERING,
        origin: Origin = NO_ORIGIN,
    ) -> Started:
        """Create a task and start it; with a key that came before, return that key's task.

        Raises:
            ManualPromptRequired, ManualPromptTooLong, ManualPromptInvalid, IdempotencyKeyInvalid: bad input.
            FeedbackInvalid, UnknownBusinessType: bad input.
            IdempotencyKeyReused, TooManyTasks, TooManySubmits, ServerBusy, UnknownAccount, AccountClosed,
            StorageUnavailable
        """
        self._check(manual_prompt)
        self._check_steering(steering)
        known_by = idempotency(key, manual_prompt + steering.stored)
        self._runner.admit()
        try:
            made = await self._tasks.submit(account_id, manual_prompt, known_by, steering, origin)
        except SubmitUnsure as exc:
            if exc.cancelled:
                self._runner.cancel_unacknowledged(exc.task, known_by)
            raise
        structlog.contextvars.bind_contextvars(task_id=made.task_id)  # on the line of the request, too
        replayed = isinstance(made, Replayed)
        log.debug("submit", characters=len(manual_prompt), replayed=replayed, steered=bool(steering.stored))
        self._tracing.note({"prompt.task_id": made.task_id})
        if isinstance(made, Replayed):
            return Started(made.task_id, replayed=True, left=made.left)
        await self._runner.take(made)
        return Started(made.task_id, replayed=False, left=made.left, known_by=known_by)

    async def generate(
        self,
        account_id: str,
        manual_prompt: str,
        key: SubmitKey,
        wait_scope: WaitScope,
        steering: Steering = NO_STEERING,
        origin: Origin = NO_ORIGIN,
    ) -> Generated:
        """Do as ``start`` does and wait until the task is terminal.

        When the wait is ended (the client went away), a task that this call made is cancelled, unless a request with
        the same key has come since; one that an earlier request with the same key made goes on.

        Raises:
            What ``start`` raises; ServerDraining; GenerationFailed: the task ended without a result.
            TaskNotFound: the task that the idempotency key made has expired.
        """
        if self._runner.draining:
            raise ServerDraining
        started = await self.start(account_id, manual_prompt, key, steering, origin)
        try:
            async with wait_scope.entered():
                document = await self._finished(account_id, started.task_id)
        except TimeoutError:
            if started.replayed or wait_scope.ended_by_server:
                raise ServerDraining from None  # the client has gone, or this process is about to stop
            await self._abandon(TaskRef(account_id, started.task_id), started.known_by)
            document = await self.status(account_id, started.task_id)
        members = json.loads(document.body)
        left = await self._left_after(account_id, started.left.each_ms)
        if members["status"] == "failed":
            facts = members["message"], members["error"], members["error_code"]
            raise GenerationFailed(*facts, started.task_id, left)
        return Generated(started.task_id, started.replayed, members, left)

    async def status(self, account_id: str, task_id: str) -> Document:
        """Return the status document.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        return _found(await self._copy.document(account_id, _checked(task_id)))

    async def find(self, task_id: str) -> tuple[str, Document | None]:
        """Return the account of a task and its status document, for operators who know its id alone.

        None where the account is known and there is no document: it has expired.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        account_id = await self._tasks.accounts_of.find(_checked(task_id))
        if account_id is None:
            raise TaskNotFound
        return account_id, await self._copy.document(account_id, task_id)

    async def wait(
        self, account_id: str, task_id: str, wait_scope: WaitScope, *, after_version: int, timeout_s: float
    ) -> Document:
        """Return the status document as soon as its version is above ``after_version``.

        When the time is up or the wait is ended, return the present one.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        try:
            async with wait_scope.entered():
                return _found(await self._copy.wait(account_id, _checked(task_id), after_version, timeout_s))
        except TimeoutError:
            return await self.status(account_id, task_id)

    def events(self, account_id: str, task_id: str, after: str, silence_s: float) -> AsyncIterator[Event]:
        """Follow a task's events; see TaskEvents.follow."""
        return self._events.follow(account_id, _checked(task_id), after, silence_s)

    async def events_are_over(self, account_id: str, task_id: str, after: str) -> bool:
        """Say whether no event will come after this one; see TaskEvents.over."""
        return await self._events.over(account_id, _checked(task_id), after)

    @staticmethod
    def is_event_id(text: str) -> bool:
        return EVENT_ID.fullmatch(text) is not None

    async def cancel(self, account_id: str, task_id: str) -> Document:
        """End the task, or leave it as it is when it is terminal; its coroutine stops, in whatever process it runs.

        Raises:
            TaskNotFound, StorageUnavailable
        """
        task = TaskRef(account_id, _checked(task_id))
        self._tracing.note({"prompt.task_id": task_id})
        await self._tasks.endings.cancel(account_id, task_id, *self._runner.known(task))
        self._runner.stop(task)
        return _found(await self._copy.document(account_id, task_id))

    async def delete_all(self, account_id: str) -> None:
        """Cancel what runs and delete every record of the account's tasks: prompts, results, events.

        Raises:
            StorageUnavailable
        """
        for task_id in await self._tasks.deletion.delete_all(account_id, self._runner.known):
            self._runner.stop(TaskRef(account_id, task_id))

    async def recent(self, account_id: str) -> list[bytes]:
        """Return the documents of all the account's unexpired tasks, newest first."""
        return await self._tasks.listing.recent(account_id)

    async def drafts(self, account_id: str) -> list[dict[str, Any]]:
        """Return what the account sent for its unfinished tasks; see TaskListing.drafts."""
        return await self._tasks.listing.drafts(account_id)

    async def page(self, account_id: str, limit: int, before: str | None) -> tuple[list[bytes], str | None]:
        """Return a page of the account's unexpired tasks' documents; see TaskListing.page.

        Raises:
            PageInvalid: ``before`` is no task's id.
            StorageUnavailable
        """
        if before is not None and not TASK_ID.fullmatch(before):
            raise PageInvalid
        return await self._tasks.listing.page(account_id, limit, before)

    async def _abandon(self, task: TaskRef, known_by: Idempotency | None) -> None:
        """Cancel a task whose client has gone.

        Raises:
            ServerDraining: another request waits for it, so it goes on.
            TaskNotFound, StorageUnavailable
        """
        try:
            ended = await self._tasks.endings.cancel_abandoned(task, known_by, *self._runner.known(task))
        except StorageUnavailable:
            self._runner.cancel_abandoned(task, known_by)
            raise
        if not ended:
            raise ServerDraining
        self._runner.stop(task)

    async def _left_after(self, account_id: str, each_ms: int) -> SubmitsLeft:
        """Return what the account may still submit after a task of it: a draft that is too dear has taken more.

        Nothing is told where Redis does not answer: the result is worth more.
        """
        try:
            return await self._tasks.submits_left(account_id, each_ms)
        except StorageUnavailable:
            return UNCOUNTED

    async def _finished(self, account_id: str, task_id: str) -> Document:
        version = 0
        while True:
            try:
                document = _found(await self._copy.wait(account_id, task_id, version, WAIT_S))
            except StorageUnavailable:  # the task goes on: an error would have the client pay for a second one
                await asyncio.sleep(STORAGE_RETRY_S)
                continue
            if document.terminal:
                return document
            version = document.version

    def _check(self, manual_prompt: str) -> None:
        if not is_visible(manual_prompt):
            raise ManualPromptRequired
        if len(manual_prompt) > self._characters:
            raise ManualPromptTooLong(len(manual_prompt), self._characters)
        if "\0" in manual_prompt:
            raise ManualPromptInvalid("a NUL character (U+0000)")

    def _check_steering(self, steering: Steering) -> None:
        if len(steering.feedback) > LONGEST_FEEDBACK:
            raise FeedbackInvalid(f"have {LONGEST_FEEDBACK} characters at most; it has {len(steering.feedback)}")
        if "\0" in steering.feedback:
            raise FeedbackInvalid("be without NUL characters (U+0000)")
        if steering.business_type and steering.business_type not in self.business_types:
            raise UnknownBusinessType(self.business_types)


def _checked(task_id: str) -> str:
    if not TASK_ID.fullmatch(task_id):
        raise TaskNotFound
    return task_id


def _found(document: Document | None) -> Document:
    if document is None:
        raise TaskNotFound
    return document
