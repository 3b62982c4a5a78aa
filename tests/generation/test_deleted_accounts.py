"""Tasks of an account that is being deleted: the process that runs one, and a submit that was let in just before."""

from __future__ import annotations

import time
from typing import Any

import pytest

from accounts import AccountClosed, Accounts
from accounts.deletion import delete_account
from generation.errors import TaskGone
from generation.idempotency import SubmitKey, idempotency
from generation.lease import Lease
from generation.stages import CHECKING, INITIALIZING
from generation.tasks import Tasks
from storage.errors import StorageUnavailable
from storage.wire import Argument
from tests.support.storage import OpenStorage
from tests.support.task_owner import owner

PROMPT = "Answer for our bakery."


async def kinds_left(storage: OpenStorage, account: str) -> set[str]:
    """Return the kinds of the account's keys."""
    keys = storage.redis.scan_iter(storage.key(account, "*"))
    prefix = storage.key(account, "")
    return {str(key, "utf-8").removeprefix(prefix).split(":")[0] async for key in keys}


@pytest.mark.gen_test
async def test_a_deleted_task_is_not_put_back_by_the_process_that_runs_it(storage: OpenStorage) -> None:
    accounts = Accounts(storage)
    account = (await accounts.create(tokens=10_000, subscription_days=1)).account_id
    runs_it, other = owner(storage, "one"), owner(storage, "other")
    lease = await runs_it.submit(account, PROMPT, None)
    assert isinstance(lease, Lease)
    await accounts.close(account)
    await other.deletion.delete_all(account)
    with pytest.raises(TaskGone):
        await runs_it.advance(lease, INITIALIZING)
    assert await runs_it.renew([lease]) == [lease]
    assert lease.gone
    assert await runs_it.restoration.put_back(lease) is False
    await accounts.forget(account, keep_ledger=True)
    assert await kinds_left(storage, account) == {"account", "ledger", "usage", "calls"}


@pytest.mark.gen_test
@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_an_account_that_was_made_anew_gets_no_task_of_the_one_before(
    storage: OpenStorage, is_cancelled: bool
) -> None:
    accounts, tasks, lease = await started(storage)
    for stage in (INITIALIZING, CHECKING):
        await tasks.advance(lease, stage)
    await tasks.hold(lease)
    if is_cancelled:
        await tasks.endings.cancel(lease.account_id, lease.task_id)
    await delete_account(accounts, [tasks.deletion], lease.account_id, keep_ledger=False)
    anew = await accounts.create(account_id=lease.account_id, tokens=10_000, subscription_days=1)
    made_later = int(time.time() * 1000) + 60_000  # the clock that matters is Redis'
    await storage.redis.hset(storage.key(lease.account_id, "account"), "created_ms", made_later)
    if is_cancelled:
        await tasks.endings.repeat()
    else:
        with pytest.raises(TaskGone):
            await tasks.publish(lease, 1, b"{}", 0)
    assert await kinds_left(storage, lease.account_id) == {"account", "ledger", "calls"}
    assert await accounts.show(lease.account_id) == anew


@pytest.mark.gen_test
async def test_a_cancellation_that_is_written_again_brings_no_deleted_document_back(storage: OpenStorage) -> None:
    accounts, tasks = Accounts(storage), owner(storage, "one")
    account = (await accounts.create(tokens=10_000, subscription_days=1)).account_id
    lease = await tasks.submit(account, PROMPT, None)
    assert isinstance(lease, Lease)
    await tasks.endings.cancel(account, lease.task_id)
    await delete_account(accounts, [tasks.deletion], account, keep_ledger=False)
    await tasks.endings.repeat()
    assert await kinds_left(storage, account) == set()


@pytest.mark.gen_test
async def test_a_submit_that_was_let_in_before_its_account_was_closed_leaves_no_prompt(storage: OpenStorage) -> None:
    accounts = Accounts(storage)
    account = (await accounts.create(tokens=10_000, subscription_days=1)).account_id
    await accounts.close(account)
    with pytest.raises(AccountClosed):
        await owner(storage, "one").submit(account, PROMPT, None)
    assert await kinds_left(storage, account) == {"account", "ledger", "calls"}
    assert [key async for key in storage.redis.scan_iter(storage.shared_key("task_account", "*"))] == []


@pytest.mark.gen_test
async def test_nothing_that_names_an_account_stays_when_its_ledger_is_deleted_too(storage: OpenStorage) -> None:
    accounts, tasks = Accounts(storage), owner(storage, "one")
    account = (await accounts.create(tokens=10_000, subscription_days=1)).account_id
    key = idempotency(SubmitKey("once"), PROMPT)
    lease = await tasks.submit(account, PROMPT, key)
    assert isinstance(lease, Lease)
    assert "idempotency" in await kinds_left(storage, account)
    await delete_account(accounts, [tasks.deletion], account, keep_ledger=False)
    assert await kinds_left(storage, account) == set()
    for index in ("leases", "unfinished_accounts", "accounts"):
        async for shared in storage.redis.scan_iter(storage.shared_key(index, "*")):
            assert account not in str(await storage.redis.zrange(shared, 0, -1)), shared
    assert [key async for key in storage.redis.scan_iter(storage.shared_key("task_account", "*"))] == []


@pytest.mark.gen_test
async def test_a_deletion_that_failed_at_any_step_leaves_nothing_when_it_is_repeated(
    storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, step, failed = storage.command, 0, True
    calls = 0

    async def command(name: str, key: str | bytes, *arguments: Argument) -> Any:
        nonlocal calls
        calls += 1
        if calls == step:
            raise StorageUnavailable("timeout")
        return await asked(name, key, *arguments)

    while failed:
        accounts, tasks, lease = await started(storage)
        calls, step, failed = 0, step + 1, False
        monkeypatch.setattr(storage, "command", command)
        try:
            await tasks.deletion.delete_all(lease.account_id)
        except StorageUnavailable:
            failed = True
        monkeypatch.setattr(storage, "command", asked)
        await delete_account(accounts, [tasks.deletion], lease.account_id, keep_ledger=False)
        assert await kinds_left(storage, lease.account_id) == set(), f"failed at step {step}"
        assert await hints_of(storage, lease) == [], f"failed at step {step}"
    assert step > 5


async def hints_of(storage: OpenStorage, lease: Lease) -> list[str]:
    """Return the shared records that still name the account or its task."""
    left = [str(key) async for key in storage.redis.scan_iter(storage.shared_key("task_account", "*"))]
    for index in ("leases", "unfinished_accounts"):
        async for shared in storage.redis.scan_iter(storage.shared_key(index, "*")):
            left += [str(each) for each in await storage.redis.zrange(shared, 0, -1) if lease.account_id in str(each)]
    return left


async def started(storage: OpenStorage) -> tuple[Accounts, Tasks, Lease]:
    accounts, tasks = Accounts(storage), owner(storage, "one")
    account = (await accounts.create(tokens=10_000, subscription_days=1)).account_id
    lease = await tasks.submit(account, PROMPT, None)
    assert isinstance(lease, Lease)
    return accounts, tasks, lease


@pytest.mark.gen_test
@pytest.mark.parametrize("lost", ["tasks", "task", "unfinished"])
async def test_no_task_survives_its_account_when_one_record_that_names_it_is_lost(
    storage: OpenStorage, lost: str
) -> None:
    accounts, tasks, lease = await started(storage)
    name = storage.key(lease.account_id, lost, *([lease.task_id] if lost == "task" else []))
    assert await storage.redis.delete(name) == 1
    await delete_account(accounts, [tasks.deletion], lease.account_id, keep_ledger=False)
    assert await kinds_left(storage, lease.account_id) == set()


@pytest.mark.gen_test
async def test_no_document_of_a_task_survives_that_ended_after_the_list_of_tasks_had_forgotten_it(
    storage: OpenStorage,
) -> None:
    accounts, tasks, lease = await started(storage)
    await storage.redis.delete(storage.key(lease.account_id, "tasks"))  # it ends 22 minutes after the last submit
    await tasks.endings.cancel(lease.account_id, lease.task_id)
    await delete_account(accounts, [tasks.deletion], lease.account_id, keep_ledger=False)
    assert await kinds_left(storage, lease.account_id) == set()


@pytest.mark.gen_test
async def test_a_task_that_ended_without_its_settlement_is_settled_before_it_is_deleted(storage: OpenStorage) -> None:
    accounts, tasks, lease = await started(storage)
    await tasks.advance(lease, INITIALIZING)
    await tasks.advance(lease, CHECKING)
    await tasks.hold(lease)
    await tasks.publish(lease, 1, b"{}", 200)
    await tasks.endings.fail_unsettled(lease.ref, lease)
    await delete_account(accounts, [tasks.deletion], lease.account_id, keep_ledger=True)
    left = await accounts.show(lease.account_id)
    assert (left.tokens_held, left.tokens_charged) == (0, 200)
    assert await kinds_left(storage, lease.account_id) == {"account", "ledger", "usage", "calls"}


@pytest.mark.gen_test
async def test_a_submit_that_could_not_be_paid_is_counted_once_and_not_for_a_deleted_account(
    storage: OpenStorage,
) -> None:
    accounts, tasks, lease = await started(storage)
    submits = storage.key(lease.account_id, "submits")
    await storage.redis.delete(submits)
    for _ in range(3):  # the first answer was lost
        await tasks.draw_as_unable(lease, 1_000)
    assert 0 < await storage.redis.pttl(submits) <= 900
    await delete_account(accounts, [tasks.deletion], lease.account_id, keep_ledger=False)
    await tasks.draw_as_unable(lease, 1_000)
    assert await kinds_left(storage, lease.account_id) == set()


@pytest.mark.gen_test
async def test_a_task_whose_own_record_cannot_be_read_stops_no_deletion_and_leaves_nothing_held(
    storage: OpenStorage,
) -> None:
    accounts, tasks, lease = await started(storage)
    await tasks.advance(lease, INITIALIZING)
    await tasks.advance(lease, CHECKING)
    await tasks.hold(lease)
    await storage.redis.hset(tasks.records.keys(lease.ref)[0], "used", "many")
    await delete_account(accounts, [tasks.deletion], lease.account_id, keep_ledger=True)
    assert (await accounts.show(lease.account_id)).tokens_held == 0
    assert await accounts.audit(lease.account_id) == []
    assert await kinds_left(storage, lease.account_id) == {"account", "ledger", "usage", "calls"}
