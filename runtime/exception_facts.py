"""Renders an exception for the log: its type, its error number, and the place in the code where it was raised.

A library's message repeats its input: header values, arguments of Redis commands, documents. It is never logged.
Exceptions of our own rooms carry facts, which are logged. Refuses to know the loggers.
"""

from __future__ import annotations

import errno
import socket
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

ROOMS = frozenset({"accounts", "generation", "handlers", "notifications", "runtime", "server", "standin", "storage"})
MAX_CHAIN = 8  # of a chain of exceptions, each raised while the one before was handled

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

_RESOLVER = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}


def named(exc: BaseException) -> str:
    """Return the type with its error number, as in ``ConnectionRefusedError ECONNREFUSED``.

    Exceptions of our rooms add the facts that they carry.
    """
    kind = type(exc)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__.partition(".")[0] in ROOMS and exc.args:
        return f"{name}: {', '.join(map(str, exc.args))}"
    if isinstance(exc, OSError) and isinstance(exc.errno, int):
        names = _RESOLVER if isinstance(exc, socket.gaierror) else errno.errorcode
        return f"{name} {names.get(exc.errno, exc.errno)}"
    return name


def traced(exc: BaseException) -> str:
    """Return the traceback of an exception and of what led to it, each ended by ``named`` instead of its message."""
    return "".join(_blocks(exc, MAX_CHAIN)).rstrip("\n")


def for_machines(exc_info: ExcInfo) -> str:
    """Render ``exc_info`` for structlog's ExceptionRenderer."""
    return traced(exc_info[1]) if exc_info[1] is not None else ""


def for_terminals(stream: TextIO, exc_info: ExcInfo) -> None:
    """Render ``exc_info`` for structlog's ConsoleRenderer."""
    stream.write("\n" + for_machines(exc_info))


def _blocks(exc: BaseException, links: int) -> Iterator[str]:
    earlier = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    if earlier is not None and links > 0:
        yield from _blocks(earlier, links - 1)
        yield "\nwhich led to:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(exc.__traceback__)
    yield f"{named(exc)}\n"
    if isinstance(exc, BaseExceptionGroup) and links > 0:
        for number, member in enumerate(exc.exceptions, 1):
            yield f"\nits part {number} of {len(exc.exceptions)}:\n\n"
            yield from _blocks(member, links - 1)
