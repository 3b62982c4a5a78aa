"""A submit whose client was told that there is no task: its cancellation races with a repetition of the submit."""

from __future__ import annotations

import json

import pytest

from accounts import Accounts
from generation.errors import TaskNotFound
from generation.idempotency import Idempotency, SubmitKey, idempotency
from generation.lease import Lease
from generation.lease_index import TaskRef
from generation.restoration import PROXY_KEY_TTL_S
from runtime.settings import TaskSettings
from tests.support.storage import OpenStorage
from tests.support.task_owner import owner

PROMPT = "Answer for our bakery."


def known_by(key: SubmitKey) -> Idempotency:
    found = idempotency(key, PROMPT)
    assert found is not None
    return found


@pytest.mark.gen_test
async def test_of_a_cancellation_and_a_repetition_the_first_decides(storage: OpenStorage) -> None:
    account = (await Accounts(storage).create(tokens=10_000, subscription_days=1)).account_id
    one, other = owner(storage, "one"), owner(storage, "other")
    for repeated_first in (False, True):
        key = known_by(SubmitKey(proxy=f"key {repeated_first}"))
        lease = await one.submit(account, PROMPT, key)
        assert isinstance(lease, Lease)
        if repeated_first:
            assert (await other.submit(account, PROMPT, key)).task_id == lease.task_id
            assert await one.endings.cancel_unacknowledged(lease.ref, key) is False
            assert await one.endings.cancel_unacknowledged(lease.ref, key) is False
            await one.endings.cancel(account, lease.task_id)
        else:
            assert await one.endings.cancel_unacknowledged(lease.ref, key) is True
            assert await one.endings.cancel_unacknowledged(lease.ref, key) is True
            made = await other.submit(account, PROMPT, key)
            assert isinstance(made, Lease)
            assert made.task_id != lease.task_id, "a cancelled task is never returned"
            assert json.loads(await one.endings.cancel(account, lease.task_id))["error_code"] == "cancelled"
            await other.endings.cancel(account, made.task_id)
    assert await Accounts(storage).audit() == []
    assert (await Accounts(storage).show(account)).tokens_remaining == 10_000


@pytest.mark.gen_test
async def test_a_submit_without_any_key_is_cancelled_and_one_that_never_arrived_is_not_found(
    storage: OpenStorage,
) -> None:
    account = (await Accounts(storage).create(tokens=10_000, subscription_days=1)).account_id
    tasks = owner(storage, "one")
    lease = await tasks.submit(account, PROMPT, None)
    assert isinstance(lease, Lease)
    assert await tasks.endings.cancel_unacknowledged(lease.ref, None) is True
    with pytest.raises(TaskNotFound):
        await tasks.endings.cancel_unacknowledged(TaskRef(account, "00000000-0000-4000-8000-000000000000"), None)


@pytest.mark.gen_test
async def test_a_proxys_key_is_kept_for_minutes_and_a_clients_own_for_a_day(storage: OpenStorage) -> None:
    account = (await Accounts(storage).create(tokens=10_000, subscription_days=1)).account_id
    tasks = owner(storage, "one")
    for key, ttl_s in (
        (known_by(SubmitKey(proxy="same")), PROXY_KEY_TTL_S),
        (known_by(SubmitKey(client="same", proxy="other")), TaskSettings().idempotency_key_ttl_s),
    ):
        assert isinstance(await tasks.submit(account, PROMPT, key), Lease), "the two do not meet"
        left_s = await storage.redis.ttl(storage.key(account, "idempotency", key.key_sha256))
        assert ttl_s - 60 < left_s <= ttl_s
