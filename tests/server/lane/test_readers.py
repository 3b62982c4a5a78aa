"""The clients' epoll: in portions, without harm from one to the others."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from runtime.descriptors import connections_within_limit
from server.batched_epoll import BATCH, BatchedEpoll, DescriptorReaders, LoopReaders, open_readers
from tests.server.lane.conftest import until

MANY = BATCH + 100


@pytest.fixture
def readable() -> Iterator[list[int]]:
    """Descriptors that can all be read at once."""
    connections_within_limit(MANY)
    pipes = [os.pipe() for _ in range(MANY)]
    for _, end in pipes:
        os.write(end, b"x")
    yield [end for end, _ in pipes]
    for both in pipes:
        for end in both:
            os.close(end)


@pytest.mark.gen_test
async def test_work_under_way_goes_on_before_all_new_work_is_taken(readable: list[int]) -> None:
    readers, turn = BatchedEpoll(asyncio.get_running_loop()), asyncio.Event()
    taken: list[int] = []

    def take(end: int) -> None:
        os.read(end, 1)
        taken.append(end)
        turn.set()

    for end in readable:
        readers.add_reader(end, partial(take, end))
    await turn.wait()
    assert len(taken) == BATCH
    await until(lambda: len(taken) == MANY)
    assert sorted(taken) == sorted(readable)  # each one once
    readers.close()


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", [BatchedEpoll, LoopReaders])
async def test_a_reader_that_fails_or_is_removed_is_nobody_elses_concern(
    kind: Callable[[asyncio.AbstractEventLoop], DescriptorReaders], readable: list[int]
) -> None:
    loop = asyncio.get_running_loop()
    readers = kind(loop)
    taken: list[int] = []
    failures: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: failures.append(context))
    first, *others = readable[:10]

    def fail() -> None:
        os.read(first, 1)
        readers.remove_reader(first)
        readers.remove_reader(others[-1])
        readers.remove_reader(others[-1])  # is no mistake
        raise RuntimeError("mine")

    def take(end: int) -> None:
        os.read(end, 1)
        taken.append(end)

    readers.add_reader(first, fail)
    for end in others:
        readers.add_reader(end, partial(take, end))
    await until(lambda: len(taken) == len(others) - 1)
    assert sorted(taken) == sorted(others[:-1])
    assert [str(failure["exception"]) for failure in failures] == ["mine"]
    readers.close()


@pytest.mark.gen_test
async def test_without_epoll_the_event_loop_itself_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    for expected in (BatchedEpoll, LoopReaders):
        readers = open_readers(loop)
        assert isinstance(readers, expected)
        readers.close()
        monkeypatch.delattr(select, "epoll", raising=False)
