"""Calls again and again, and how they end."""

from __future__ import annotations

import asyncio

import pytest

from runtime.periodic import Periodic


@pytest.mark.gen_test
async def test_calls_come_again_and_again_until_the_end() -> None:
    times: list[float] = []
    thrice = asyncio.Event()

    async def call() -> None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 3:
            thrice.set()

    async with Periodic(call, 0.01):
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

    async with Periodic(call, 0.01):
        await began.wait()
        asyncio.get_running_loop().call_later(0.05, may_end.set)
    assert ended
