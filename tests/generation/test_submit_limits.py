"""How fast an account may submit that cannot pay what it sends, and what ends that."""

from __future__ import annotations

import time

import pytest

from accounts import Accounts
from generation import submit_limits
from generation.errors import TooManySubmits
from generation.lease import Lease
from generation.submit_limits import SubmitLimits
from runtime.settings import LimitSettings
from tests.support.storage import OpenStorage
from tests.support.task_owner import owner

PROMPT = "Answer for our bakery."
NO_RATE = LimitSettings(submits_per_second_per_account=0, submits_burst_per_account=2)
HOUR_MS = 3_600_000


@pytest.mark.gen_test
async def test_drafts_that_a_balance_cannot_pay_are_limited_where_others_are_not(storage: OpenStorage) -> None:
    tasks = owner(storage, "one", limits=NO_RATE)
    account = (await Accounts(storage).create(tokens=1_000, subscription_days=1)).account_id
    drawn_until = str(int(time.time() * 1000) + HOUR_MS)  # far, so that no machine is too slow
    await storage.redis.set(storage.key(account, "submits"), drawn_until, px=HOUR_MS)
    with pytest.raises(TooManySubmits):
        await tasks.submit(account, PROMPT, None)


@pytest.mark.gen_test
async def test_drafts_that_a_balance_cannot_pay_keep_nobody_waiting_longer_than_for_one_of_them(
    storage: OpenStorage,
) -> None:
    tasks, limits = owner(storage, "one", limits=NO_RATE), SubmitLimits(NO_RATE)
    account = (await Accounts(storage).create(tokens=1_000, subscription_days=1)).account_id
    leases = [await tasks.submit(account, PROMPT, None) for _ in range(4)]
    for lease in leases:
        assert isinstance(lease, Lease)
        await tasks.draw_as_unable(lease, 1_000)
    left_ms = await storage.redis.pttl(storage.key(account, "submits"))
    assert 0 < left_ms <= limits.size_ms + limits.unable_ms


@pytest.mark.gen_test
async def test_a_refusal_is_remembered_for_a_moment_only_since_tokens_may_have_been_bought(
    storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit_limits, "REMEMBERED_S", 0.0)  # that time is over
    slow = LimitSettings(submits_per_second_per_account=0.001, submits_burst_per_account=20)
    tasks = owner(storage, "one", limits=slow)
    accounts = Accounts(storage)
    account = (await accounts.create(tokens=1, subscription_days=1)).account_id
    await tasks.submit(account, PROMPT, None)
    await tasks.submit(account, PROMPT, None)
    with pytest.raises(TooManySubmits) as caught:
        await tasks.submit(account, PROMPT, None)
    assert caught.value.wait_s > 60
    await accounts.grants.add(account, 10_000)
    await storage.redis.delete(storage.key(account, "submits"))  # what time does
    assert isinstance(await tasks.submit(account, PROMPT, None), Lease)
