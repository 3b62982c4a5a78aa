"""What the reaper finds, what stays behind of submits that made no task, and what one bad record may not stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import structlog

from accounts import Accounts
from generation.claims import SETTLE_AGAIN_S
from generation.documents import INTERNAL
from generation.errors import IdempotencyKeyReused, TaskClosed, TaskFenced, TooManySubmits, TooManyTasks
from generation.gemini.usage import Usage
from generation.idempotency import Idempotency
from generation.lease import Lease
from generation.lease_index import SHARDS, TaskRef, shard_of
from generation.pipeline import Pipeline
from generation.reaper import Reaper
from generation.runner import Runner
from generation.stages import CHECKING, GENERATING, INITIALIZING, WAITING
from generation.status_copy import StatusCopy
from generation.tasks import Replayed, Tasks
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from storage.spoilt_records import LEFT_FOR_S
from storage.storage import Storage

KEY = Idempotency("k" * 64, "b" * 64, by_proxy=False)


class Endless:
    """A pipeline whose runs do not end by themselves."""

    async def run(self, _lease: Lease, _queued_s: float) -> None:
        await asyncio.Event().wait()


def tasks_of(storage: Storage, owner: str = "me", *, lease_s: float = 60.0, **limits: Any) -> Tasks:
    return Tasks(
        storage,
        owner,
        lambda _account, _task, _document: None,
        Metrics(),
        tasks=TaskSettings(lease_s=lease_s, renew_every_s=lease_s / 3),
        limits=LimitSettings(**limits),
        money=MoneySettings(),
    )


async def account(storage: Storage, account_id: str, tokens: int = 10_000) -> str:
    await Accounts(storage).create(account_id=account_id, tokens=tokens, subscription_days=1)
    return account_id


async def hints(storage: Storage, tasks: Tasks) -> list[bytes]:
    """Return every lease that the index holds, marks excepted."""
    found: list[bytes] = []
    for shard in range(SHARDS):
        found += await storage.command("ZRANGE", tasks.index.leases_key(shard), 0, -1)
    return [member for member in found if member != b"whole"]


async def held_task(owner: Tasks, account_id: str) -> Lease:
    """Submit a task and take it on until tokens are held for it."""
    lease = await owner.submit(account_id, "Be kind.", None)
    assert isinstance(lease, Lease)
    for stage in (INITIALIZING, CHECKING):
        await owner.advance(lease, stage)
    await owner.hold(lease)
    return lease


async def one_turn(storage: Storage, tasks: Tasks) -> set[TaskRef]:
    """Run the first turn of a reaper; return the tasks that it took over."""
    runner = Runner(tasks, cast(Pipeline, Endless()), running=10, waiting=0)
    async with StatusCopy(storage, entries=10) as copy:
        async with Reaper(tasks, runner, copy, Metrics(), every_s=3_600):
            taken = set(runner._leases)
        await runner.drain(0)
    return taken


@pytest.mark.gen_test
async def test_a_refused_or_replayed_submit_leaves_no_hint(storage: Storage) -> None:
    tasks = tasks_of(storage, unfinished_tasks_per_account=1)
    await account(storage, "a")
    made = await tasks.submit("a", "Be kind.", KEY)
    assert isinstance(made, Lease)
    before = await hints(storage, tasks)
    assert len(before) == 1
    again = await tasks.submit("a", "Be kind.", KEY)
    assert isinstance(again, Replayed)
    assert again.task_id == made.task_id
    assert made.left.rate
    assert again.left.rate
    assert again.left.rate.remaining >= made.left.rate.remaining, "a replay takes nothing"
    with pytest.raises(IdempotencyKeyReused):
        await tasks.submit("a", "Be stern.", Idempotency(KEY.key_sha256, "c" * 64, by_proxy=False))
    with pytest.raises(TooManyTasks):
        await tasks.submit("a", "Be kind.", None)
    assert await hints(storage, tasks) == before


@pytest.mark.gen_test
async def test_an_unfinished_entry_without_a_record_does_not_block_its_account(storage: Storage) -> None:
    tasks = tasks_of(storage, unfinished_tasks_per_account=2)
    await account(storage, "a")
    for ghost in ("g1", "g2"):
        await storage.command("ZADD", storage.key("a", "unfinished"), 1, ghost)
    assert isinstance(await tasks.submit("a", "Be kind.", None), Lease)


@pytest.mark.gen_test
async def test_the_bucket_of_submits_is_shared_by_all_processes_and_stricter_without_tokens(storage: Storage) -> None:
    settings = {"submits_per_second_per_account": 0.1, "submits_burst_per_account": 20}
    first, second = (tasks_of(storage, owner, unfinished_tasks_per_account=100, **settings) for owner in "ab")
    await account(storage, "rich")
    await account(storage, "poor", tokens=0)
    made = {"rich": 0, "poor": 0}
    waits = []
    for account_id in made:
        for number in range(30):
            try:
                await (first, second)[number % 2].submit(account_id, "Be kind.", None)
            except TooManySubmits as exc:
                waits.append(exc.wait_s)
            else:
                made[account_id] += 1
    assert all(0 < wait_s <= 100 for wait_s in waits)
    assert made == {"rich": 20, "poor": 2}
    assert await storage.command("ZCARD", storage.key("poor", "tasks")) == 2


@pytest.mark.gen_test
async def test_without_a_limit_nobody_is_refused_who_can_pay(storage: Storage) -> None:
    tasks = tasks_of(storage, unfinished_tasks_per_account=100, submits_per_second_per_account=0)
    for account_id, tokens in (("rich", 10_000), ("poor", 0)):
        await account(storage, account_id, tokens)
    for _ in range(60):
        assert isinstance(await tasks.submit("rich", "Be kind.", None), Lease)
    made = await asyncio.gather(*(tasks.submit("poor", "Be kind.", None) for _ in range(60)), return_exceptions=True)
    assert [type(each) for each in made].count(TooManySubmits) > 50


@pytest.mark.gen_test
async def test_a_lost_index_is_made_again_from_the_accounts_with_unfinished_tasks(storage: Storage) -> None:
    dead = tasks_of(storage, "dead", lease_s=0.01)
    made = set()
    for account_id in ("a", "b", "c"):
        await account(storage, account_id)
        lease = await dead.submit(account_id, "Be kind.", None)
        assert isinstance(lease, Lease)
        made.add(lease.ref)
        assert await dead.renew([lease], lease_s=0) == []
        await storage.command("DEL", dead.index.leases_key(shard_of(account_id)))
    assert await one_turn(storage, tasks_of(storage)) == made


@pytest.mark.gen_test
async def test_an_account_without_unfinished_tasks_leaves_the_index_but_not_at_once(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = tasks_of(storage)
    await account(storage, "a")
    lease = await tasks.submit("a", "Be kind.", None)
    assert isinstance(lease, Lease)
    await tasks.endings.cancel("a", lease.task_id)
    key = tasks.index.accounts_key(shard_of("a"))
    await tasks.index.rebuild(shard_of("a"))
    assert await storage.command("ZRANGE", key, 0, -1) == [b"a"]
    monkeypatch.setattr("generation.lease_index.SETTLED_S", 0.0)
    await tasks.index.rebuild(shard_of("a"))
    assert await storage.command("ZRANGE", key, 0, -1) == []


async def wrong_type_of_record(storage: Storage, tasks: Tasks, bad: TaskRef) -> None:
    key = tasks.records.keys(bad)[0]
    await storage.command("DEL", key)
    await storage.command("SET", key, "no hash")


async def number_that_is_none(storage: Storage, tasks: Tasks, bad: TaskRef) -> None:
    await storage.command("HSET", tasks.records.keys(bad)[0], "lease_ms", "soon")


async def prompt_that_is_no_text(storage: Storage, tasks: Tasks, bad: TaskRef) -> None:
    await storage.command("HSET", tasks.records.keys(bad)[0], "manual_prompt", b"\xff\xfe\xfd")


async def member_that_is_no_text(storage: Storage, tasks: Tasks, bad: TaskRef) -> None:
    await storage.command("ZADD", tasks.index.leases_key(shard_of(bad.account_id)), 1, b"\xff\xfe")


async def shard_of_a_wrong_type(storage: Storage, tasks: Tasks, bad: TaskRef) -> None:
    key = tasks.index.leases_key(shard_of(bad.account_id))
    await storage.command("DEL", key)
    await storage.command("SET", key, "no sorted set")


async def accounts_of_a_wrong_type(storage: Storage, tasks: Tasks, bad: TaskRef) -> None:
    key = tasks.index.accounts_key(shard_of(bad.account_id))
    await storage.command("DEL", key)
    await storage.command("SET", key, "no sorted set")


async def unfinished_of_a_wrong_type(storage: Storage, tasks: Tasks, bad: TaskRef) -> None:
    key = storage.key(bad.account_id, "unfinished")
    await storage.command("DEL", key)
    await storage.command("SET", key, "no sorted set")


POISONS = [
    wrong_type_of_record,
    number_that_is_none,
    prompt_that_is_no_text,
    member_that_is_no_text,
    shard_of_a_wrong_type,
    accounts_of_a_wrong_type,
    unfinished_of_a_wrong_type,
]


@pytest.mark.gen_test
@pytest.mark.parametrize("poison", POISONS, ids=lambda poison: poison.__name__)
async def test_a_poisoned_record_is_set_aside_and_the_rest_goes_on(
    storage: Storage, poison: Callable[..., Any]
) -> None:
    dead = tasks_of(storage, "dead", lease_s=0.01)
    for account_id in ("bad", "good"):
        await account(storage, account_id)
    bad, good = await dead.submit("bad", "Be kind.", None), await dead.submit("good", "Be kind.", None)
    assert isinstance(bad, Lease)
    assert isinstance(good, Lease)
    assert await dead.renew([bad, good], lease_s=0) == []
    await poison(storage, dead, bad.ref)
    alive = tasks_of(storage)
    with structlog.testing.capture_logs() as lines:
        assert good.ref in await one_turn(storage, alive)
    assert [line["redis_key"] for line in lines if line["event"] == "record_set_aside"]
    assert not [line for line in lines if line["event"] in ("reaper_crashed", "reaper_failed")]
    if poison in (wrong_type_of_record, number_that_is_none, prompt_that_is_no_text):
        assert await storage.command("ZRANGE", storage.key("bad", "unfinished"), 0, -1) == []
    if poison is prompt_that_is_no_text:
        shown = await Accounts(storage).show("bad")
        assert (shown.tokens_held, shown.tokens_remaining) == (0, 10_000)


@pytest.mark.gen_test
async def test_what_the_index_has_for_nothing_beside_a_ledger_that_cannot_be_read_is_looked_at_once_a_minute(
    storage: Storage,
) -> None:
    tasks, call = tasks_of(storage), TaskRef("bad", "call")
    await account(storage, "bad")
    kept = await ledger_of_a_wrong_type(storage)
    leases = tasks.index.leases_key(shard_of("bad"))
    await tasks.index.note([call], 0)
    began_ms = float(await storage.command("ZSCORE", leases, "call bad"))  # by Redis' clock
    assert await one_turn(storage, tasks) == set()
    due_ms = float(await storage.command("ZSCORE", leases, "call bad"))
    assert due_ms > began_ms + 1000 * SETTLE_AGAIN_S, "and not every few seconds"
    await storage.command("RESTORE", storage.key("bad", "ledger"), 0, kept, "REPLACE")
    await tasks.index.note([call], 0)
    assert await one_turn(storage, tasks) == set()
    assert await hints(storage, tasks) == []


@pytest.mark.gen_test
async def test_a_record_that_cannot_be_read_expires_with_its_prompt_and_then_its_hold_is_released(
    storage: Storage,
) -> None:
    owner, other = tasks_of(storage, "owner", lease_s=60), tasks_of(storage, "other")
    await account(storage, "bad")
    lease = await held_task(owner, "bad")
    assert await owner.renew([lease], lease_s=0) == []
    record = owner.records.keys(lease.ref)[0]
    await storage.command("HSET", record, "used", "many", "lease_ms", "soon")
    assert await one_turn(storage, other) == set()
    assert 0 < await storage.command("PTTL", record) <= LEFT_FOR_S * 1000
    assert await storage.command("ZSCORE", other.index.leases_key(shard_of("bad")), f"{lease.task_id} bad")
    await storage.command("DEL", record)  # what time does
    await other.index.note([lease.ref], 0)
    assert await one_turn(storage, other) == set()
    shown = await Accounts(storage).show("bad")
    assert (shown.tokens_held, shown.tokens_remaining) == (0, 10_000)


@pytest.mark.gen_test
async def test_a_task_whose_owners_end_while_they_finish_it_is_ended_after_the_second(storage: Storage) -> None:
    await account(storage, "a")
    lease: Lease | Replayed | bytes | None = None
    for owner in ("first", "second"):
        tasks = tasks_of(storage, owner, lease_s=0.05)
        lease = (
            await tasks.claims.claim(lease.ref)
            if isinstance(lease, Lease)
            else await tasks.submit("a", "Be kind.", None)
        )
        assert isinstance(lease, Lease)
        await storage.command("HSET", tasks.records.keys(lease.ref)[0], "stage", "finalizing", "lease_ms", 0)
    assert isinstance(lease, Lease)
    ended = await tasks_of(storage, "third").claims.claim(lease.ref)
    assert isinstance(ended, bytes)
    assert b'"error_code":"interrupted"' in ended


async def ledger_of_a_wrong_type(storage: Storage) -> bytes:
    key = storage.key("bad", "ledger")
    kept: bytes = await storage.command("DUMP", key)
    await storage.command("SET", key, "no ledger")
    return kept


async def account_whose_number_is_none(storage: Storage) -> bytes:
    key = storage.key("bad", "account")
    kept: bytes = await storage.command("DUMP", key)
    await storage.command("HSET", key, "held", b"\xff")
    return kept


@pytest.mark.gen_test
@pytest.mark.parametrize("spoil", [ledger_of_a_wrong_type, account_whose_number_is_none])
@pytest.mark.parametrize("ended_by", ["its owner", "the reaper"])
async def test_a_task_whose_account_is_spoilt_ends_and_is_settled_once_when_it_is_repaired(
    storage: Storage, spoil: Callable[[Storage], Awaitable[bytes]], ended_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.claims.SETTLE_AGAIN_S", 0.0)
    await account(storage, "bad")
    owner, other = tasks_of(storage, "owner", lease_s=60), tasks_of(storage, "other")
    lease = await held_task(owner, "bad")
    held = lease.hold_tokens
    await owner.publish(lease, 1, b"{}", 50, Usage(10, 40))
    key = storage.key("bad", "ledger" if spoil is ledger_of_a_wrong_type else "account")
    kept = await spoil(storage)
    if ended_by == "its owner":
        await owner.endings.fail_unsettled(lease.ref, lease)
        assert await owner.renew([lease], lease_s=0) == [lease]
    else:
        with pytest.raises(TaskFenced):  # while its owner may live
            await other.endings.fail_unsettled(lease.ref)
        assert await owner.renew([lease], lease_s=0) == []
        await storage.command("HSET", other.records.keys(lease.ref)[0], "attempt", 3)  # it has had them all
        assert await one_turn(storage, other) == set()
    document = await storage.command("GET", other.records.keys(lease.ref)[1])
    assert (b'"status":"failed"' in document, b'"error_code":"record_unreadable"' in document) == (True, True)
    await other.index.note([lease.ref], 0)
    assert await one_turn(storage, other) == set()  # it is still spoilt
    await storage.command("RESTORE", key, 0, kept, "REPLACE")
    assert (await Accounts(storage).show("bad")).tokens_held == held
    for _ in range(2):
        await other.index.note([lease.ref], 0)
        assert await one_turn(storage, other) == set()
    shown = await Accounts(storage).show("bad")
    assert (shown.tokens_held, shown.tokens_charged, shown.tokens_remaining) == (0, 50, 9_950)
    assert await Accounts(storage).audit("bad") == []
    assert await storage.command("GET", other.records.keys(lease.ref)[1]) == document
    assert await storage.command("ZRANGE", storage.key("bad", "unfinished"), 0, -1) == []
    with pytest.raises(TaskClosed):
        await owner.endings.fail(lease, INTERNAL, 50)


@pytest.mark.gen_test
async def test_the_estimate_of_a_request_whose_owner_died_is_settled_though_the_account_was_spoilt(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.claims.SETTLE_AGAIN_S", 0.0)
    await account(storage, "bad")
    owner, other = tasks_of(storage, "owner", lease_s=60), tasks_of(storage, "other")
    lease = await held_task(owner, "bad")
    await owner.advance(lease, GENERATING)
    await owner.advance(lease, WAITING, estimated_input=300)
    kept = await account_whose_number_is_none(storage)
    assert await owner.renew([lease], lease_s=0) == []
    await storage.command("HSET", other.records.keys(lease.ref)[0], "attempt", 3)  # it has had them all
    assert await one_turn(storage, other) == set()
    document = await storage.command("GET", other.records.keys(lease.ref)[1])
    assert b'"tokens_used":300,"usage":{"input":300},"estimated":true' in document
    await storage.command("RESTORE", storage.key("bad", "account"), 0, kept, "REPLACE")
    await other.index.note([lease.ref], 0)
    assert await one_turn(storage, other) == set()
    shown = await Accounts(storage).show("bad")
    assert (shown.tokens_held, shown.tokens_charged) == (0, 300)
    [entry, *_], _ = await Accounts(storage).ledger("bad")
    assert (entry.kind, entry.tokens, entry.estimated) == ("settle", 300, True)


async def of_a_wrong_type(storage: Storage, tasks: Tasks, task: TaskRef) -> None:
    await storage.command("DEL", tasks.records.keys(task)[0])
    await storage.command("SET", tasks.records.keys(task)[0], "no task")


async def gone(storage: Storage, tasks: Tasks, task: TaskRef) -> None:
    await storage.command("DEL", tasks.records.keys(task)[0])


async def gone_with_its_document(storage: Storage, tasks: Tasks, task: TaskRef) -> None:
    await storage.command("DEL", *tasks.records.keys(task)[:2])
    await storage.command("ZREM", storage.key(task.account_id, "tasks"), task.task_id)


@pytest.mark.gen_test
@pytest.mark.parametrize("spoil", [of_a_wrong_type, gone, gone_with_its_document])
async def test_a_task_whose_record_is_spoilt_and_whose_owner_is_dead_fails_and_its_hold_is_released(
    storage: Storage, spoil: Callable[[Storage, Tasks, TaskRef], Awaitable[None]]
) -> None:
    await account(storage, "a")
    owner, other = tasks_of(storage, "owner"), tasks_of(storage, "other")
    lease, beside = await owner.submit("a", "Be kind.", None), await owner.submit("a", "Be quick.", None)
    assert isinstance(lease, Lease)
    assert isinstance(beside, Lease)
    for stage in (INITIALIZING, CHECKING):
        await owner.advance(lease, stage)
    for task in (lease, beside):
        await owner.hold(task)
    await owner.extend_hold(lease, lease.hold_tokens + 100)
    shown = (await storage.command("GET", owner.records.keys(lease.ref)[1])).decode()
    await spoil(storage, owner, lease.ref)
    for _ in range(2):
        await other.index.note([lease.ref], 0)
        assert await one_turn(storage, other) == set()
    document = json.loads(await storage.command("GET", other.records.keys(lease.ref)[1]))
    assert (document["status"], document["error_code"]) == ("failed", "record_unreadable")
    if spoil is not gone_with_its_document:
        earlier = json.loads(shown)
        assert (document["created_at"], document["version"]) == (earlier["created_at"], earlier["version"] + 1)
    assert (await Accounts(storage).show("a")).tokens_held == beside.hold_tokens
    assert await Accounts(storage).audit("a") == []
    assert await storage.command("ZRANGE", storage.key("a", "unfinished"), 0, -1) == [beside.task_id.encode()]
    assert len(await hints(storage, other)) == 1


@pytest.mark.gen_test
async def test_a_hint_of_a_task_that_ended_long_ago_makes_no_record(storage: Storage) -> None:
    await account(storage, "a")
    owner, other = tasks_of(storage, "owner"), tasks_of(storage, "other")
    lease = await held_task(owner, "a")
    await owner.endings.fail(lease, INTERNAL, 50)
    await storage.command("DEL", *owner.records.keys(lease.ref)[:3])  # as their time to live does
    await other.index.note([lease.ref], 0)
    assert await one_turn(storage, other) == set()
    assert await storage.command("EXISTS", *owner.records.keys(lease.ref)[:3]) == 0
    assert await hints(storage, other) == []


@pytest.mark.gen_test
async def test_an_owner_learns_from_redis_itself_whether_its_task_was_cancelled_or_lost(storage: Storage) -> None:
    """The copy of documents may hear of an end later than a renewal does."""
    tasks, other = tasks_of(storage), tasks_of(storage)
    await account(storage, "a")
    lease = await tasks.submit("a", "Be kind.", None)
    assert isinstance(lease, Lease)
    assert not await tasks.was_cancelled(lease)
    await other.endings.cancel("a", lease.task_id)
    assert await tasks.renew([lease]) == [lease]
    assert await tasks.was_cancelled(lease)
    await storage.command("DEL", tasks.records.keys(lease.ref)[1])
    assert not await tasks.was_cancelled(lease)
