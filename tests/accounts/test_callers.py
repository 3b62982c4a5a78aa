"""Callers are due as soon as their record changes, and what that costs: one read of the record, and bounded memory."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from accounts import Accounts, ApiKeys, Caller, Callers
from generation import StatusCopy
from storage.errors import RecordUnreadable
from storage.storage import Storage
from tests.support.storage import OpenStorage

AN_HOUR_S = 3_600.0


class CountedCopy(StatusCopy):
    """Counts tracked reads and watchers."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, entries=10)
        self.asked: list[str] = []
        self.watching = 0

    def watch(self, key: str, changed: Callable[[], None]) -> Callable[[], None]:
        unwatch = super().watch(key, changed)
        self.watching += 1

        def ended() -> None:
            self.watching -= 1
            unwatch()

        return ended

    async def read_tracked(self, name: str, key: str, *arguments: Any) -> Any:
        self.asked.append(name)
        return await super().read_tracked(name, key, *arguments)


@asynccontextmanager
async def reported(storage: OpenStorage, limit: int = 10) -> AsyncIterator[tuple[Callers, CountedCopy]]:
    copy = CountedCopy(storage)
    async with copy:
        yield Callers(storage, copy, limit), copy


def of_account(storage: Storage, account_id: str, token: int = 0) -> Caller:
    return Caller(account_id, b"%d" % token, Accounts(storage), time.monotonic() + AN_HOUR_S)


def is_fresh(caller: Caller) -> bool:
    return time.monotonic() < caller.fresh_until


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(180):
        while not condition():  # noqa: ASYNC110  # it may be any condition
            await asyncio.sleep(0.005)


@pytest.mark.gen_test
async def test_is_due_when_its_record_changes_and_at_no_other_time(storage: OpenStorage) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a")
    await accounts.create(account_id="b")
    async with reported(storage) as (callers, copy):
        caller = of_account(storage, "a")
        callers.add(caller)
        assert await callers.renew([caller]) == [caller]
        assert is_fresh(caller)
        await accounts.grants.add("b", 1)
        await ApiKeys(storage).create("a")
        assert is_fresh(caller), "neither is its record"
        for _ in range(3):
            await accounts.grants.add("a", 1)
            await until(lambda: not is_fresh(caller))
            valid_until = caller.valid_until
            assert await callers.renew([caller]) == [caller]
            assert is_fresh(caller)
            assert caller.valid_until == valid_until, "the token's own end is another matter"
        assert copy.asked == ["HMGET"] * 4
        await accounts.close("a")
        await until(lambda: not is_fresh(caller))
        assert await callers.renew([caller]) == [None]
        assert (len(callers), copy.watching) == (0, 0)


@pytest.mark.gen_test
async def test_a_recheck_is_not_tracked_again_as_long_as_nothing_changes(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="a")
    keys = ApiKeys(storage)
    made = [await keys.create("a") for _ in range(3)]
    async with reported(storage) as (callers, copy):
        found = [
            Caller("a", digest, keys, time.monotonic() + AN_HOUR_S, recheck_s=AN_HOUR_S)
            for digest in (hashlib.sha256(key.key.encode()).digest() for key in made)
        ]
        for caller in found:
            callers.add(caller)
        assert await callers.renew(found) == found
        for _ in range(3):
            before = [caller.valid_until for caller in found]
            assert await callers.renew(found) == found
            assert all(caller.valid_until > earlier for caller, earlier in zip(found, before, strict=True))
        assert copy.asked == ["HGET"] * 3, "each of them once"
        await keys.revoke("a", made[1].key_id)
        await until(lambda: not any(map(is_fresh, found)))
        assert (await callers.renew(found)).count(None) == 1
        assert copy.asked == ["HGET"] * 6, "and once more after the change"


@pytest.mark.gen_test
async def test_the_least_used_are_forgotten_followed_no_more_and_taken_back_when_they_come_again(
    storage: OpenStorage,
) -> None:
    accounts = Accounts(storage)
    for number in range(5):
        await accounts.create(account_id=f"a{number}")
    async with reported(storage, limit=2) as (callers, copy):
        many = [of_account(storage, f"a{number}", number) for number in range(5)]
        for caller in many:
            callers.add(caller)
            await callers.renew([caller])
        assert (len(callers), copy.watching) == (2, 2)
        assert [is_fresh(caller) for caller in many] == [False] * 3 + [True] * 2
        assert await callers.renew(many[:1]) == many[:1]
        assert is_fresh(many[0])
        assert (len(callers), copy.watching) == (2, 2)
        assert await callers.renew(many) == many, "more at once than are remembered"
        assert (len(callers), copy.watching) == (2, 2)
        assert sum(map(is_fresh, many)) <= 2, "nobody is fresh whose changes are not reported"


@pytest.mark.gen_test
async def test_the_newer_of_two_callers_with_one_token_serves_both(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="a")
    async with reported(storage) as (callers, copy):
        older, newer = of_account(storage, "a"), of_account(storage, "a")
        callers.add(older)
        callers.add(newer)
        assert copy.watching == 1
        assert await callers.renew([older, newer]) == [newer, newer]
        assert len(copy.asked) == 1


@pytest.mark.gen_test
async def test_a_record_that_cannot_be_read_is_good_for_nobody(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="a")
    async with reported(storage) as (callers, _):
        caller = of_account(storage, "a")
        callers.add(caller)
        assert await callers.renew([caller]) == [caller]
        key = storage.key("a", "account")
        await storage.redis.rename(key, f"{key}:kept")
        await storage.redis.set(key, "no hash")
        await until(lambda: not is_fresh(caller))
        assert await callers.renew([caller]) == [None]
        with pytest.raises(RecordUnreadable):
            await Accounts(storage).require_open("a")
