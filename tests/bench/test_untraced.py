"""The calls whose cost ``bench/untraced.py`` measures are the ones that a generation makes while tracing is off."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any

import pytest

import composition
from bench.untraced import calls_of_a_generation
from runtime.tracing import Span, Tracing
from tests.support.whole_server import Client

Calls = Counter[tuple[str, ...]]


class NotingSpan(Span):
    """One that records nothing, as while tracing is off, and notes which calls are made of it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def set(self, attributes: Mapping[str, Any]) -> None:
        self._calls["set", *attributes] += 1

    def fail(self, error_type: str) -> None:
        self._calls["fail", error_type] += 1

    def end(self) -> None:
        self._calls["end",] += 1


class NotingTracing(Tracing):
    """One that is off, and notes which calls are made of it, with the names of attributes."""

    def __init__(self) -> None:
        self.calls: Calls = Counter()

    @property
    def active(self) -> bool:  # type: ignore[override]  # looking is a call too
        self.calls["active",] += 1
        return False

    def begin(self, name: str, kind: str, parent: str, attributes: Mapping[str, Any], began_ns: int) -> Span:
        self.calls["begin", kind, *attributes] += 1
        return NotingSpan(self.calls)

    def span(
        self,
        name: str,
        kind: str = "internal",
        *,
        link: str = "",
        parent: str = "",
        attributes: Mapping[str, Any] | None = None,
    ) -> AbstractContextManager[Span]:
        self.calls["span", name, kind, *(attributes or {})] += 1
        return nullcontext(NotingSpan(self.calls))

    def record(self, name: str, began_ns: int) -> None:
        self.calls["record", name] += 1

    def note(self, attributes: Mapping[str, Any]) -> None:
        self.calls["note", *attributes] += 1

    def context(self) -> str:
        self.calls["context",] += 1
        return ""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> NotingTracing:
    tracing = NotingTracing()

    @asynccontextmanager
    async def opened(_settings: object) -> AsyncIterator[Tracing]:
        yield tracing

    monkeypatch.setattr(composition, "open_tracing", opened)
    return tracing


@pytest.mark.gen_test
async def test_the_timed_calls_are_those_of_a_real_generation(made: NotingTracing, client: Client) -> None:
    made.calls.clear()
    document = await client.finished(await client.start("Answer questions about our bakery."))
    assert document["generated_by_ai"]
    timed = NotingTracing()
    calls_of_a_generation(timed)
    async with asyncio.timeout(180):
        while made.calls.total() < timed.calls.total():  # noqa: ASYNC110  # its last ones come after the document
            await asyncio.sleep(0.01)
    assert made.calls == timed.calls
