"""Gemini counts a request's tokens for an account that could not pay every text of that length."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from structlog.testing import capture_logs

from generation.gemini import Gemini, open_session
from standin import Standin
from tests.generation.gemini.conftest import settings_for
from tests.generation.gemini.served import Recorded, serve


async def counted(stack: AsyncExitStack, url: str, within_s: float = 60.0, **changes: str) -> int | None:
    settings = settings_for(url=url, **changes)
    gemini = Gemini(await stack.enter_async_context(open_session(settings)), settings)
    return await gemini.count_input(("We bake.", "", "qhXz"), deadline=asyncio.get_running_loop().time() + within_s)


@pytest.mark.gen_test
@pytest.mark.parametrize("backend", ["gemini", "vertex"])
async def test_gemini_counts_the_tokens_of_all_texts(standin: Standin, stack: AsyncExitStack, backend: str) -> None:
    assert await counted(stack, standin.url, backend=backend) == 3
    assert standin.counters.methods == {"countTokens": 1}


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "answer",
    [
        Recorded(b"{}", 503),
        Recorded(b'{"totalTokens": -1234}'),
        Recorded(b"[7]"),
        Recorded(b"{"),
        Recorded(b"not HTTP\r\n", content_type="x\r\nno header"),
    ],
    ids=["unavailable", "negative", "a list", "cut off", "not HTTP"],
)
async def test_no_count_is_better_than_a_wrong_one_and_is_told_the_operator(
    stack: AsyncExitStack, answer: Recorded
) -> None:
    server = await stack.enter_async_context(serve(answer))
    with capture_logs() as logs:
        assert await counted(stack, server.url) is None
    assert [each["event"] for each in logs] == ["gemini_not_counted"]


@pytest.mark.gen_test
async def test_a_count_is_not_waited_for_beyond_the_deadline(standin: Standin, stack: AsyncExitStack) -> None:
    assert await counted(stack, standin.url, within_s=-1.0) is None
