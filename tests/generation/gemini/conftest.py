"""Fixtures of this room: the stand-in, and a client that asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
import structlog

from generation.gemini import Gemini, GeminiAnswer, open_session
from runtime.settings import GeminiSettings
from standin import Standin, serve_standin
from tests.generation.gemini.served import Recorder

KEY = "a-key-for-tests"
MakeGemini = Callable[..., Awaitable[Gemini]]


@pytest.fixture
def stack(io_loop: Any) -> Iterator[AsyncExitStack]:
    stack = AsyncExitStack()
    yield stack
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def standin(io_loop: Any, stack: AsyncExitStack) -> Standin:
    made: Standin = io_loop.run_sync(lambda: stack.enter_async_context(serve_standin(api_key=KEY)))
    return made


def settings_for(url: str, **changes: Any) -> GeminiSettings:
    """Return settings that wait for little; names as in config.yaml."""
    quick: dict[str, Any] = {
        "models": ["gemini-3.8-flash"],
        "base_url": url,
        "api_key": KEY,
        "retry_base_s": 0.005,
        "retry_max_s": 0.01,
    }
    return GeminiSettings(**(quick | {"breaker_failures": 1_000} | changes))


@pytest.fixture
def make_gemini(stack: AsyncExitStack, standin: Standin) -> MakeGemini:
    """Make a client of the stand-in's (or of ``base_url``'s) with some settings changed."""

    async def make(
        attempted: Callable[[str, float], None] = lambda _outcome, _seconds: None,
        answered: Callable[[str, str], None] = lambda _model, _tier: None,
        **changes: Any,
    ) -> Gemini:
        settings = settings_for(**({"url": standin.url} | changes))
        session = await stack.enter_async_context(open_session(settings))
        return Gemini(session, settings, attempted=attempted, answered=answered)

    return make


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """Every log line of the test but debug ones, as structlog's dicts."""
    with structlog.testing.capture_logs(processors=[_without_debug]) as lines:
        yield lines


def _without_debug(_logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if method == "debug":
        raise structlog.DropEvent
    return event


async def ask(
    gemini: Gemini, text: str = "Sell bread. Call 030 1234567.", *, within_s: float = 90.0, observer: Any = None
) -> GeminiAnswer:
    """Ask for a rewrite of ``text``."""
    return await gemini.generate(
        system_instruction="Rewrite.",
        text=text,
        deadline=asyncio.get_running_loop().time() + within_s,
        observer=observer or Recorder(),
    )


async def until(condition: Callable[[], bool], within_s: float = 90.0) -> None:
    """Wait for another coroutine, or for the other end of a connection."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # plain counters have no event to wait for
            await asyncio.sleep(0)
