"""The one owner of every generation's coroutine in this process.

Owns the tasks that run or wait for a place, and the renewal of their leases; refuses to know what a generation does.
A coroutine that is stopped from outside (cancelled task, lost lease, draining) is cancelled here and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Awaitable, Callable, Iterator

import structlog

from generation.documents import CANCELLED
from generation.errors import ServerBusy, StepRefused, TaskLost, TaskNotFound
from generation.gemini.usage import NO_USAGE, Usage
from generation.idempotency import Idempotency
from generation.lease import Lease
from generation.lease_index import TaskRef
from generation.pipeline import Pipeline
from generation.processes import UnfinishedTask
from generation.tasks import Tasks
from runtime.tracing import NO_TRACING, Attributes, Tracing
from storage.errors import RecordUnreadable, StorageUnavailable

CANCEL_RETRY_S, CANCEL_FOR_S = 1.0, 120.0  # as long as a task lives
OVERTIME_S = 2.0  # for the last write of a task whose time is over
GIVE_UP_S = 10.0
# Why a run stops before the task's end, beside a cancellation.
LOST, HANDED_BACK, TIME_OVER, CRASHED = "lost", "handed_back", "time_over", "crashed"
NO_FAULTS = (CANCELLED.error_code, HANDED_BACK)
RENEW_AGAIN_S = 1.0  # after a failed renewal, so that an outage of Redis costs no lease that could be kept

log = structlog.get_logger(__name__)


class Runner:
    """Runs at most ``running`` generations at once and lets at most ``waiting`` more wait in stage queued."""

    def __init__(
        self, tasks: Tasks, pipeline: Pipeline, *, running: int, waiting: int, tracing: Tracing = NO_TRACING
    ) -> None:
        self._tasks = tasks
        self._pipeline = pipeline
        self._tracing = tracing
        self._places = asyncio.Semaphore(running)
        self._capacity = running + waiting
        self._leases: dict[TaskRef, Lease] = {}
        self._coroutines: dict[TaskRef, asyncio.Task[None]] = {}
        self._begun: set[TaskRef] = set()
        self._cancelling: set[asyncio.Task[None]] = set()
        self.draining = False

    @property
    def running(self) -> int:
        return len(self._begun)

    @property
    def waiting(self) -> int:
        return len(self._leases) - len(self._begun)

    @property
    def oldest_ms(self) -> int:
        """When the oldest task of this process was created, in ms of Redis' clock; 0 without tasks."""
        return min((lease.created_ms for lease in self._leases.values()), default=0)

    def oldest(self, most: int) -> tuple[UnfinishedTask, ...]:
        """Return the oldest tasks of this process, the oldest first."""
        leases = heapq.nsmallest(most, self._leases.values(), key=lambda lease: lease.created_ms)
        return tuple(
            UnfinishedTask(lease.account_id, lease.task_id, lease.created_ms, lease.ref in self._begun)
            for lease in leases
        )

    @property
    def free(self) -> int:
        """The number of further tasks that this process would take."""
        return 0 if self.draining else self._capacity - len(self._leases)

    def __contains__(self, task: TaskRef) -> bool:
        return task in self._leases

    def known(self, task: TaskRef) -> tuple[Usage, int]:
        """Return what is known of a task that runs here and its record may not say yet; nothing of others.

        That is the usage that Gemini reported, and the estimated input, in tokens, of the request that has gone out.
        """
        lease = self._leases.get(task)
        return (lease.reported, lease.estimated_input) if lease is not None else (NO_USAGE, 0)

    def admit(self) -> None:
        """Return when one more task would be taken. A draining process takes it and hands it back at once.

        Raises:
            ServerBusy
        """
        if not self.draining and self.free <= 0:
            raise ServerBusy

    async def take(self, lease: Lease) -> None:
        """Run a new task as soon as there is a place; when draining, leave it to another process or the next start."""
        if self.draining:
            await self._give([lease])
        else:
            self.start(lease)

    def start(self, lease: Lease) -> None:
        """Run a task as soon as there is a place."""
        self._leases[lease.ref] = lease
        name = f"generation {lease.task_id}"
        self._coroutines[lease.ref] = asyncio.create_task(self._run(lease), name=name)

    def stop(self, task: TaskRef, outcome: str = CANCELLED.error_code) -> None:
        """Cancel the coroutine of a task that was ended elsewhere, if it runs here; its writes are refused already."""
        lease = self._leases.get(task)
        if lease is not None and not lease.closing:
            lease.outcome = outcome
            self._coroutines[task].cancel()

    def cancel_unacknowledged(self, task: TaskRef, idempotency: Idempotency | None = None) -> None:
        """End a task whose submit was answered with an error, as soon as Redis answers; the task may not exist."""
        self._cancel_soon(task, lambda: self._tasks.endings.cancel_unacknowledged(task, idempotency))

    def cancel_abandoned(self, task: TaskRef, idempotency: Idempotency | None) -> None:
        """End a task whose client has gone, as soon as Redis answers; it pays as a task that is cancelled."""
        endings = self._tasks.endings
        self._cancel_soon(task, lambda: endings.cancel_abandoned(task, idempotency, *self.known(task)))

    def _cancel_soon(self, task: TaskRef, cancel: Callable[[], Awaitable[bool]]) -> None:
        cancelling = asyncio.create_task(self._repeat(task, cancel), name=f"cancels {task.task_id}")
        self._cancelling.add(cancelling)
        cancelling.add_done_callback(self._cancelling.discard)

    async def _repeat(self, task: TaskRef, cancel: Callable[[], Awaitable[bool]]) -> None:
        ends_at = asyncio.get_running_loop().time() + CANCEL_FOR_S
        looks = 2  # a submit that Redis had received may still have been queued when it answered again
        while looks and asyncio.get_running_loop().time() < ends_at:
            try:
                ended = await cancel()
            except TaskNotFound:
                looks -= 1
            except StorageUnavailable:
                pass
            else:
                if ended:
                    self.stop(task)
                log.info("submit_cancelled" if ended else "submit_repeated", task_id=task.task_id)
                return
            await asyncio.sleep(CANCEL_RETRY_S)

    async def _run(self, lease: Lease) -> None:
        structlog.contextvars.bind_contextvars(**lease.log_fields, attempt=lease.attempt)
        loop = asyncio.get_running_loop()
        taken_at = loop.time()
        try:
            async with asyncio.timeout_at(lease.deadline + OVERTIME_S):
                async with self._places:
                    self._begun.add(lease.ref)
                    with self._traced(lease):
                        await self._pipeline.run(lease, loop.time() - taken_at)
                await self._tasks.claims.let_go(lease.ref)
        except StepRefused:  # the server lost a step: the first process to claim the task runs it again
            log.warning("step_forgotten")
            await self._give([lease])
        except TimeoutError:
            log.warning("task_abandoned", reason="deadline")  # the reaper of some process ends it
        except TaskLost as exc:
            _note_stop(lease, type(exc).__name__)
        except asyncio.CancelledError:
            _note_stop(lease, "LeaseLost")
            raise
        except StorageUnavailable as exc:
            log.warning("task_abandoned", reason=exc.reason)  # the reaper of some process ends it
        except RecordUnreadable as exc:  # it has been logged with its key
            log.warning("task_abandoned", reason="record_unreadable", keys=exc.keys)
            await self._give_up(lease)
        except Exception:
            log.exception("task_crashed")
            await self._give_up(lease)
        finally:
            self._begun.discard(lease.ref)
            del self._leases[lease.ref], self._coroutines[lease.ref]

    async def _give_up(self, lease: Lease) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP_S):
                await self._pipeline.give_up(lease)

    @contextlib.contextmanager
    def _traced(self, lease: Lease) -> Iterator[None]:
        """Make a span of the run, under that of its submit; a takeover begins a trace that links to it."""
        origin, link = lease.origin, lease.origin.trace if lease.attempt > 1 else ""
        facts: Attributes = {
            "prompt.task_id": lease.task_id,
            "prompt.request_id": origin.request_id,
            "prompt.attempt": lease.attempt,
        }
        with self._tracing.span("generation", link=link, attributes=facts) as span:
            if span.trace_id and span.trace_id != origin.trace_id:
                first = {"submit_trace_id": origin.trace_id} if origin.trace_id else {}
                structlog.contextvars.bind_contextvars(trace_id=span.trace_id, **first)
            stopped: BaseException | None = None
            try:
                yield
            except (TaskLost, asyncio.CancelledError) as exc:
                lease.outcome = lease.outcome or (LOST if isinstance(exc, TaskLost) else TIME_OVER)
                if lease.outcome in NO_FAULTS:
                    stopped = exc
                else:
                    span.fail(lease.outcome)
                    raise
            finally:
                span.set({"prompt.outcome": lease.outcome or CRASHED})
        if stopped is not None:  # after the span, which is no failed one: somebody wanted it to stop
            raise stopped

    async def renew(self) -> None:
        """Keep the leases of all tasks of this process, in one round trip.

        Those that the server lost are put back; those that another process has are dropped.
        """
        while self._leases:
            try:
                lost = await self._tasks.renew(list(self._leases.values()))
                kept = await asyncio.gather(*map(self._put_back, lost))
            except StorageUnavailable as exc:
                log.warning("renewal_failed", reason=exc.reason)
                await asyncio.sleep(RENEW_AGAIN_S)
                continue
            gone = [lease for lease, is_kept in zip(lost, kept, strict=True) if not is_kept]
            cancelled = await asyncio.gather(*map(self._pipeline.cancelled_elsewhere, gone))
            for lease, was_cancelled in zip(gone, cancelled, strict=True):
                self.stop(lease.ref, CANCELLED.error_code if was_cancelled else LOST)
            return

    async def _put_back(self, lease: Lease) -> bool:
        return lease.gone and await self._tasks.restoration.put_back(lease)

    async def drain(self, timeout_s: float) -> None:
        """Refuse new tasks, let running ones end for ``timeout_s``, then hand the rest back to other processes."""
        self.draining = True
        waiting = [task for task in self._leases if task not in self._begun]
        await self._hand_back(waiting)
        if running := list(self._coroutines.values()):
            await asyncio.wait(running, timeout=timeout_s)
        await self._hand_back(list(self._leases))
        for cancelling in self._cancelling:
            cancelling.cancel()
        await asyncio.gather(*self._cancelling, return_exceptions=True)

    async def _hand_back(self, tasks: list[TaskRef]) -> None:
        leases = [self._leases[task] for task in tasks]
        if not leases:
            return
        coroutines = [self._coroutines[task] for task in tasks]
        for lease, coroutine in zip(leases, coroutines, strict=True):
            lease.outcome = HANDED_BACK
            coroutine.cancel()
        await asyncio.gather(*coroutines, return_exceptions=True)
        await self._give(leases)

    async def _give(self, leases: list[Lease]) -> None:
        given = {lease.ref: lease for lease in leases}
        try:
            for lease in await self._tasks.renew(leases, lease_s=0):
                if await self._put_back(lease):
                    await self._tasks.renew([lease], lease_s=0)
                else:
                    del given[lease.ref]  # another process has it
            await self._tasks.index.say_handed_back()
        except StorageUnavailable as exc:
            for lease in given.values():  # their leases run out by themselves
                log.warning("task_hand_back_failed", reason=exc.reason, **lease.log_fields)
        else:
            for lease in given.values():
                log.info("task_handed_back", **lease.log_fields)


def _note_stop(lease: Lease, reason: str) -> None:
    """Write the line of a task that stops here before its end; ``reason`` is how this process learned of its loss."""
    if lease.outcome == CANCELLED.error_code:
        log.info("task_cancelled")
    elif lease.outcome in ("", LOST):
        log.info("task_lost", reason=reason)
