"""Which of very many descriptors can be read, a portion in each turn of the event loop.

asyncio takes all that is ready in one turn: with 10,000 clients that ask at the same time a turn lasts half a second,
and a submit, which needs several turns to get to Redis and back, as many times that. Here the clients wait in an epoll
of their own, which is a single descriptor to the loop. So whatever is under way (Redis, Gemini, timers) has its turn
after each portion of new work, and a connection that waits costs the loop nothing.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import Protocol

AT_ONCE = 256  # polls: 3 ms


class DescriptorReaders(Protocol):
    """Calls a function whenever its descriptor can be read, or has ended."""

    def add_reader(self, descriptor: int, reader: Callable[[], None]) -> None: ...

    def remove_reader(self, descriptor: int) -> None: ...

    def close(self) -> None: ...


def open_readers(loop: asyncio.AbstractEventLoop) -> DescriptorReaders:
    """Return the best that this system has: in portions with epoll, else (macOS, BSD) by the event loop's own means."""
    return Readers(loop) if hasattr(select, "epoll") else LoopReaders(loop)


class LoopReaders:
    """The event loop's own methods: everything that is ready is taken in one turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._descriptors: set[int] = set()

    def add_reader(self, descriptor: int, reader: Callable[[], None]) -> None:
        self._descriptors.add(descriptor)
        self._loop.add_reader(descriptor, reader)

    def remove_reader(self, descriptor: int) -> None:
        """To be called before the descriptor is closed; does nothing when it is not read."""
        if descriptor in self._descriptors:
            self._descriptors.remove(descriptor)
            self._loop.remove_reader(descriptor)

    def close(self) -> None:
        for descriptor in tuple(self._descriptors):
            self.remove_reader(descriptor)


class Readers:
    """Calls a function whenever its descriptor can be read, or has ended; stands for the loop's own methods."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        loop.add_reader(self._epoll, self._take_some)

    def add_reader(self, descriptor: int, reader: Callable[[], None]) -> None:
        self._readers[descriptor] = reader
        self._epoll.register(descriptor, select.EPOLLIN)

    def remove_reader(self, descriptor: int) -> None:
        """To be called before the descriptor is closed; does nothing when it is not read."""
        if self._readers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def close(self) -> None:
        self._loop.remove_reader(self._epoll)
        self._epoll.close()

    def _take_some(self) -> None:
        for descriptor, _ in self._epoll.poll(0, AT_ONCE):
            reader = self._readers.get(descriptor)  # one of the others may have removed it
            if reader is not None:
                try:
                    reader()
                except Exception as exc:  # noqa: BLE001  # as the loop does: the others must not suffer
                    self._loop.call_exception_handler({"message": f"Exception in {reader!r}", "exception": exc})
