"""The Lua scripts as a state machine against a model in Python: two owners, replays of every call, late writers."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis import asyncio as aioredis

from accounts import Accounts, InsufficientTokens
from generation.budget import Need
from generation.documents import INTERNAL, completed_head
from generation.errors import StepRefused, TaskClosed, TaskFenced, TaskLost, TooManyTasks
from generation.lease import Lease
from generation.lease_index import TaskRef
from generation.restoration import HOLDS_PER_BALANCE
from generation.stages import (
    CHECKING,
    COMPLETED,
    FAILED,
    FINALIZING,
    GENERATING,
    INITIALIZING,
    QUEUED,
    STEPS,
    WAITING,
    Stage,
)
from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from storage.redis_server import RedisServer
from tests.support.servers import each_server
from tests.support.storage import OpenStorage

ATTEMPTS = 3
UNFINISHED = 4
HOLD = 700
EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "10"))


@dataclass
class ModelTask:
    """What the task's record should be, in as few words as possible."""

    owner: str
    epoch: int = 1
    attempt: int = 1
    stage: Stage = QUEUED
    progress: int = 0
    hold: int = 0
    used: int = 0
    estimate: int = 0
    lost_estimate: int = 0
    lease_ended: bool = False
    final: bytes | None = None
    created_at: str = ""

    def refusal(self, owner: str, epoch: int) -> type[TaskLost] | None:
        if self.final is not None:
            return TaskClosed
        return None if (owner, epoch) == (self.owner, self.epoch) else TaskFenced


@dataclass
class ModelAccount:
    granted: int
    balance: int
    charged: int = 0
    tasks: dict[str, ModelTask] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return sum(task.hold for task in self.tasks.values())

    def close(self, task: ModelTask, used: int, final: bytes, stage: Stage, *, stopped: bool = False) -> None:
        task.used = max(task.used, used)
        estimate = (stopped and task.estimate) or task.lost_estimate
        if estimated := not task.used and min(estimate, task.hold + self.balance) > 0:
            task.used = min(estimate, task.hold + self.balance)
        document = json.loads(final)
        assert (document["tokens_used"], document.get("estimated", False)) == (task.used, estimated)
        charge = min(task.used, task.hold + self.balance)
        self.balance += task.hold - charge
        self.charged += charge
        task.hold, task.final, task.stage = 0, final, stage


class TaskScripts(RuleBasedStateMachine):
    """Every rule calls a script twice, as a client does that lost the first answer."""

    redis_url: str
    leases = Bundle("leases")

    @initialize(balance=st.sampled_from([0, 699, 700, 1_500, 5_000, 30_000]), target=leases)
    def open(self, balance: int) -> Any:
        self.loop = asyncio.Runner()
        self.redis = aioredis.Redis.from_url(self.redis_url)
        self.storage = OpenStorage(self.redis_url, prefix="model")
        self.owners = {name: self._tasks(name) for name in ("a", "b")}
        self.account = ModelAccount(granted=balance, balance=balance)
        self.shown: dict[str, list[bytes]] = {}
        self.loop.run(Accounts(self.storage).create(account_id="acc", tokens=balance, subscription_days=1))
        return self._submitted("a")

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.run(
                self._redis("FLUSHDB")
            )  # SCAN walks every key there is: the next run must not meet this one's
            self.loop.run(self.redis.aclose())
            self.loop.run(self.storage.aclose())
            self.loop.close()

    def _tasks(self, owner: str) -> Tasks:
        return Tasks(
            self.storage,
            owner,
            lambda _account, task_id, document: self.shown.setdefault(task_id, []).append(document),
            Metrics(),
            tasks=TaskSettings(attempts=ATTEMPTS),
            limits=LimitSettings(
                unfinished_tasks_per_account=UNFINISHED,
                submits_per_second_per_account=1_000,
                submits_burst_per_account=1_000_000,
            ),
            money=MoneySettings(),
        )

    async def _redis(self, *command: str | int) -> Any:
        return await self.redis.execute_command(*command)

    def _twice(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Return what the first call returned; the second may say that it came late, but changes nothing."""

        async def both() -> Any:
            first = await _outcome(call)
            before = await self._everything()
            await _outcome(call)
            assert await self._everything() == before
            return first

        return self.loop.run(both())

    async def _everything(self) -> dict[bytes, Any]:
        state: dict[bytes, Any] = {}
        async for key in self.redis.scan_iter(f"{self.storage.prefix}:{{acc}}:*"):
            if key.endswith(b":submits"):
                continue  # it ends by itself, at any moment
            kind = await self.redis.type(key)
            if kind == b"hash":
                state[key] = await self.redis.hgetall(key)
                state[key].pop(b"lease_ms", None)  # a lease that is renewed twice ends later: that is its purpose
            elif kind == b"stream":
                state[key] = await self.redis.xrange(key)
            elif kind == b"zset":
                state[key] = await self.redis.zrange(key, 0, -1, withscores=True)
            else:
                state[key] = await self.redis.get(key)
        return state

    def _submitted(self, owner: str) -> tuple[str, Lease] | None:
        open_tasks = sum(task.final is None for task in self.account.tasks.values())
        outcome = self.loop.run(_outcome(lambda: self.owners[owner].submit("acc", "hello", None)))
        if open_tasks >= UNFINISHED:
            assert isinstance(outcome, TooManyTasks)
            return None
        assert isinstance(outcome, Lease)
        self.account.tasks[outcome.task_id] = ModelTask(owner)
        return owner, outcome

    @rule(owner=st.sampled_from("ab"), target=leases)
    def submit(self, owner: str) -> Any:
        return self._submitted(owner)

    @rule(
        held=leases,
        stage=st.sampled_from([INITIALIZING, CHECKING, GENERATING, WAITING, FINALIZING]),
        estimate=st.sampled_from([1, 650, 1_900]),
    )
    def advance(self, held: Any, stage: Stage, estimate: int) -> None:
        if held is None:
            return
        owner, lease = held
        task = self.account.tasks[lease.task_id]
        estimate = estimate if stage is WAITING else 0
        outcome = self._twice(lambda: self.owners[owner].advance(lease, stage, None, estimate))
        refusal = task.refusal(owner, lease.epoch)
        if refusal:
            assert type(outcome) is refusal
        elif stage is task.stage:
            assert outcome is None
        elif stage not in STEPS[task.stage]:
            assert type(outcome) is StepRefused
        else:
            assert outcome is None
            task.stage, task.progress = stage, max(task.progress, stage.progress)
            task.estimate = estimate or task.estimate

    @rule(
        held=leases,
        need=st.sampled_from([Need(), Need(9_000, 1_200, 710), Need(2_000, 1_400, 300), Need(60_000, 6_000, 5_001)]),
    )
    def hold(self, held: Any, need: Need) -> None:
        if held is None:
            return
        owner, lease = held
        task = self.account.tasks[lease.task_id]
        outcome = self._twice(lambda: self.owners[owner].hold(lease, need))
        share = self.account.balance // HOLDS_PER_BALANCE
        wanted = max(HOLD, min(need.at_most, max(share, need.whole)))
        wanted = wanted if wanted <= self.account.balance else max(HOLD, share, need.least)
        refusal = task.refusal(owner, lease.epoch)
        if refusal:
            assert type(outcome) is refusal
        elif task.hold:
            assert outcome == task.hold
        elif self.account.balance < wanted:
            assert isinstance(outcome, InsufficientTokens)
            needed = HOLD if self.account.balance < HOLD else wanted
            assert (outcome.needed, outcome.available) == (needed, self.account.balance)
        else:
            assert outcome == wanted
            self.account.balance -= wanted
            task.hold = wanted

    @rule(held=leases, tokens=st.sampled_from([1, 700, 1_300, 9_000]))
    def extend_hold(self, held: Any, tokens: int) -> None:
        if held is None:
            return
        owner, lease = held
        task = self.account.tasks[lease.task_id]
        outcome = self._twice(lambda: self.owners[owner].extend_hold(lease, tokens))
        refusal = task.refusal(owner, lease.epoch)
        if refusal:
            assert type(outcome) is refusal
            return
        more = min(max(0, tokens - task.hold), self.account.balance) if task.hold else 0
        task.hold += more
        self.account.balance -= more
        assert outcome == task.hold

    @rule(held=leases, used=st.integers(0, 3_000), number=st.integers(1, 3))
    def publish(self, held: Any, used: int, number: int) -> None:
        if held is None:
            return
        owner, lease = held
        task = self.account.tasks[lease.task_id]
        outcome = self._twice(lambda: self.owners[owner].publish(lease, number, b'{"text":"x"}', used))
        refusal = task.refusal(owner, lease.epoch)
        if refusal:
            assert type(outcome) is refusal
        else:
            assert outcome is None
            task.used = max(task.used, used)

    @rule(held=leases, used=st.integers(0, 6_000))
    def complete(self, held: Any, used: int) -> None:
        if held is None:
            return
        owner, lease = held
        task = self.account.tasks[lease.task_id]
        head = completed_head("better", "m")
        outcome = self._twice(lambda: self.owners[owner].endings.complete(lease, COMPLETED, head, used, "generated"))
        refusal = task.refusal(owner, lease.epoch)
        if refusal:
            assert type(outcome) is refusal
        elif task.stage is not FINALIZING:
            assert type(outcome) is StepRefused
        else:
            self.account.close(task, used, outcome, COMPLETED)

    @rule(held=leases, used=st.integers(0, 1_000))
    def fail(self, held: Any, used: int) -> None:
        if held is None:
            return
        owner, lease = held
        task = self.account.tasks[lease.task_id]
        outcome = self._twice(lambda: self.owners[owner].endings.fail(lease, INTERNAL, used))
        refusal = task.refusal(owner, lease.epoch)
        if refusal:
            assert type(outcome) is refusal
        else:
            self.account.close(task, used, outcome, FAILED)

    @rule(held=leases, by=st.sampled_from("ab"))
    def cancel(self, held: Any, by: str) -> None:
        if held is None:
            return
        task_id = held[1].task_id
        task = self.account.tasks[task_id]
        document = self._twice(lambda: self.owners[by].endings.cancel("acc", task_id))
        if task.final is None:
            assert json.loads(document)["error_code"] == "cancelled"
            self.account.close(task, 0, document, FAILED, stopped=True)
        assert document == task.final

    @rule(held=leases)
    def the_lease_ends(self, held: Any) -> None:
        if held is None:
            return
        self.account.tasks[held[1].task_id].lease_ended = True
        key = self.storage.key("acc", "task", held[1].task_id)
        self.loop.run(self._redis("HSET", key, "lease_ms", 0))

    @rule(held=leases)
    def renew(self, held: Any) -> None:
        if held is None:
            return
        owner, lease = held
        task = self.account.tasks[lease.task_id]
        lost = self._twice(lambda: self.owners[owner].renew([lease]))
        assert lost == ([lease] if task.refusal(owner, lease.epoch) else [])
        if not lost:
            task.lease_ended = False

    @rule(held=leases, by=st.sampled_from("ab"), target=leases)
    def claim(self, held: Any, by: str) -> Any:
        if held is None:
            return None
        task_id = held[1].task_id
        task = self.account.tasks[task_id]
        outcome = self._twice(lambda: self.owners[by].claims.claim(TaskRef("acc", task_id)))
        if task.final is not None:
            assert outcome is None
        elif not task.lease_ended:
            if outcome is not None:  # what an owner gets that lost the answer to its first call
                assert (task.owner, task.stage, outcome.epoch) == (by, QUEUED, task.epoch)
        elif task.attempt >= ATTEMPTS:
            assert json.loads(outcome)["error_code"] == "interrupted"
            self.account.close(task, 0, outcome, FAILED, stopped=True)
        else:
            if task.stage is WAITING:
                task.lost_estimate = task.estimate
            assert outcome.lost_estimate == task.lost_estimate
            task.owner, task.epoch, task.attempt = by, task.epoch + 1, task.attempt + 1
            task.stage, task.lease_ended = QUEUED, False
            assert (outcome.epoch, outcome.attempt) == (task.epoch, task.attempt)
            assert (outcome.progress_floor, outcome.used_tokens) == (task.progress, task.used)
            return by, outcome
        return None

    @invariant()
    def money_adds_up(self) -> None:
        if not hasattr(self, "account"):
            return
        account = self.loop.run(Accounts(self.storage).show("acc"))
        assert account.tokens_granted == account.tokens_remaining + account.tokens_held + account.tokens_charged
        assert account.tokens_remaining == self.account.balance >= 0
        assert (account.tokens_held, account.tokens_charged) == (self.account.held, self.account.charged)
        assert self.loop.run(Accounts(self.storage).audit("acc")) == []

    @invariant()
    def what_clients_saw_was_true(self) -> None:
        for task_id, documents in getattr(self, "shown", {}).items():
            seen = [json.loads(document) for document in documents]
            assert len({document["created_at"] for document in seen}) == 1
            assert [d["version"] for d in seen] == sorted(d["version"] for d in seen)
            assert [d["progress"] for d in seen] == sorted(d["progress"] for d in seen)
            final = self.account.tasks[task_id].final
            assert [d for d in documents if b'"completed_at"' in d] in (
                [],
                [final] * sum(b'"completed_at"' in d for d in documents),
            )

    @invariant()
    def the_index_of_unfinished_tasks_is_exact(self) -> None:
        if not hasattr(self, "account"):
            return
        unfinished = self.loop.run(self._redis("ZRANGE", self.storage.key("acc", "unfinished"), 0, -1))
        assert {str(i, "ascii") for i in unfinished} == {
            i for i, task in self.account.tasks.items() if task.final is None
        }


async def _outcome(call: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await call()
    except (TaskLost, TooManyTasks, InsufficientTokens) as exc:
        return exc


@pytest.mark.slow
@pytest.mark.parametrize("binary", each_server())
def test_the_scripts_do_what_the_model_does(binary: str) -> None:
    with RedisServer(binary=binary) as own:
        TaskScripts.redis_url = own.url
        run_state_machine_as_test(
            TaskScripts,
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
