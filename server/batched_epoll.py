"""Reads very many descriptors as they become readable, one batch in each turn of the event loop.

asyncio handles everything that is ready in one turn: with 10,000 clients that send at the same time a turn lasts half a
second, and a submit, which needs several turns to get to Redis and back, takes as many times that. Here the clients
wait in an epoll of their own, which is a single descriptor to the loop. So work in progress (Redis, Gemini, timers)
gets its turn after each batch of new work, and an idle connection costs the loop nothing.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import Protocol

BATCH = 256  # readable descriptors in one turn; as polls they take 3 ms


class DescriptorReaders(Protocol):
    """Calls a function whenever its descriptor can be read, or has ended."""

    def add_reader(self, descriptor: int, reader: Callable[[], None]) -> None: ...

    def remove_reader(self, descriptor: int) -> None: ...

    def close(self) -> None: ...


def open_readers(loop: asyncio.AbstractEventLoop) -> DescriptorReaders:
    """Return the best that this system has: batches with epoll, else (macOS, BSD) the event loop's own readers."""
    return BatchedEpoll(loop) if hasattr(select, "epoll") else LoopReaders(loop)


class LoopReaders:
    """The event loop's own methods: everything that is ready is handled in one turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._descriptors: set[int] = set()

    def add_reader(self, descriptor: int, reader: Callable[[], None]) -> None:
        self._descriptors.add(descriptor)
        self._loop.add_reader(descriptor, reader)

    def remove_reader(self, descriptor: int) -> None:
        """Stop reading; to be called before the descriptor is closed. Does nothing when it is not read."""
        if descriptor in self._descriptors:
            self._descriptors.remove(descriptor)
            self._loop.remove_reader(descriptor)

    def close(self) -> None:
        for descriptor in tuple(self._descriptors):
            self.remove_reader(descriptor)


class BatchedEpoll:
    """Calls a function whenever its descriptor can be read, or has ended; takes the place of the loop's own methods."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        loop.add_reader(self._epoll, self._read_batch)

    def add_reader(self, descriptor: int, reader: Callable[[], None]) -> None:
        self._readers[descriptor] = reader
        self._epoll.register(descriptor, select.EPOLLIN)

    def remove_reader(self, descriptor: int) -> None:
        """Stop reading; to be called before the descriptor is closed. Does nothing when it is not read."""
        if self._readers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def close(self) -> None:
        self._loop.remove_reader(self._epoll)
        self._epoll.close()

    def _read_batch(self) -> None:
        for descriptor, _ in self._epoll.poll(0, BATCH):
            reader = self._readers.get(descriptor)  # one of the others may have removed it
            if reader is not None:
                try:
                    reader()
                except Exception as exc:  # noqa: BLE001  # as the loop does: one failure must not stop the others
                    self._loop.call_exception_handler({"message": f"Exception in {reader!r}", "exception": exc})
