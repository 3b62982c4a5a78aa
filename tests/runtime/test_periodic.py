"""Calls again and again, and how they end."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from runtime.periodic import Periodic
from tests.support.waiting import eventually


@pytest.mark.gen_test
async def test_calls_come_again_and_again_until_the_end() -> None:
    times: list[float] = []
    thrice = asyncio.Event()

    async def call() -> None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 3:
            thrice.set()

    async with Periodic("work", call, 0.01):
        await thrice.wait()
    made = len(times)
    await asyncio.sleep(0.05)  # five periods in which nothing may happen
    assert len(times) == made


@pytest.mark.gen_test
async def test_the_end_waits_for_a_call_that_is_under_way() -> None:
    began, may_end = asyncio.Event(), asyncio.Event()
    ended = False

    async def call() -> None:
        nonlocal ended
        began.set()
        await may_end.wait()
        ended = True

    async with Periodic("work", call, 0.01):
        await began.wait()
        asyncio.get_running_loop().call_later(0.05, may_end.set)
    assert ended


@pytest.mark.gen_test
async def test_a_call_that_fails_is_logged_and_the_next_one_comes() -> None:
    calls = 0
    thrice = asyncio.Event()

    async def call() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            thrice.set()
        raise ValueError("a defect")

    with structlog.testing.capture_logs() as lines:
        async with Periodic("work", call, 0.01):
            await thrice.wait()
    assert {(line["event"], line["name"]) for line in lines} == {("periodic_work_failed", "work")}


@pytest.mark.gen_test
async def test_work_whose_turns_do_not_end_stands_still_until_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.periodic.GRACE_S", 0.05)
    may_end, ended = asyncio.Event(), asyncio.Event()

    async def call() -> None:
        ended.set()
        await may_end.wait()

    async with Periodic("work", call, 0.02) as work:
        assert not work.stands_still
        await asyncio.to_thread(eventually, lambda: work.stands_still)
        assert work.age_s > 0.1
        may_end.set()
        await asyncio.to_thread(eventually, lambda: not work.stands_still)
        assert not work.stands_still


@pytest.mark.gen_test
async def test_the_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.periodic.ENDS_WITHIN_S", 0.05)
    began = asyncio.Event()

    async def call() -> None:
        began.set()
        await asyncio.Event().wait()

    with structlog.testing.capture_logs() as lines:
        async with Periodic("work", call, 0.01):
            await began.wait()
    assert [line["event"] for line in lines] == ["periodic_work_cancelled"]
