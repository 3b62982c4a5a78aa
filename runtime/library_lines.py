"""Turns messages of libraries (``logging``, ``warnings``, the interpreter's hooks) into log lines of ours.

A library's message repeats its input: Tornado's "Malformed HTTP message" quotes the header, asyncio's print the
arguments of callbacks. So the message is dropped, and the place in the library's code identifies it.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections import Counter
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger

# All lines of asyncio's loop come from one place in its code. These constants begin the ones that matter.
TROUBLES = (
    ("Task exception was never retrieved", "task_exception_never_retrieved"),
    ("Future exception was never retrieved", "future_exception_never_retrieved"),
    ("Task was destroyed but it is pending", "task_destroyed_while_pending"),
    ("Exception in callback", "exception_in_callback"),
    ("Unclosed client session", "client_session_not_closed"),
    ("Unclosed connection", "connection_not_closed"),
    ("Unclosed connector", "connector_not_closed"),
    ("socket.accept() out of system resource", "out_of_descriptors"),
    ("SSL handshake failed", "tls_handshake_failed"),
)


class LibraryLines(logging.Handler):
    """Turns each record into the event ``library``.

    Its fields: ``logger``, ``where`` (file:line function), ``count`` (how often this process was there), ``trouble``
    (for what asyncio reports), and the traceback of an exception without its message.
    """

    def __init__(self) -> None:
        super().__init__()
        self._log: FilteringBoundLogger = structlog.get_logger()
        self._counts: Counter[str] = Counter()  # as many as there are places in code

    def emit(self, record: logging.LogRecord) -> None:
        level = max(logging.DEBUG, min(record.levelno // 10 * 10, logging.CRITICAL))
        where = f"{_short(record.pathname)}:{record.lineno} {record.funcName}"
        self._counts[where] += 1
        trouble = next((name for words, name in TROUBLES if str(record.msg).startswith(words)), None)
        facts = {"trouble": trouble} if trouble else {}
        self._log.log(
            level,
            "library",
            logger=record.name,
            where=where,
            count=self._counts[where],
            **facts,
            exc_info=record.exc_info or None,
        )


def take_warnings() -> None:
    """Log Python's warnings by their category and place."""
    warnings.showwarning = _warned


def take_unraisable_exceptions() -> None:
    """Log exceptions of threads and of finalizers, which the interpreter would print with their messages."""
    threading.excepthook = lambda args: _unheard("exception_in_thread", args.exc_value)
    sys.unraisablehook = lambda args: _unheard("exception_ignored", args.exc_value)


def _warned(
    message: Warning | str,  # noqa: ARG001  # Python gives it by name, and it is a sentence
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    where = f"{_short(filename)}:{lineno}"
    structlog.get_logger().warning("library", logger="py.warnings", where=where, category=category.__name__)


def _unheard(event: str, exc: BaseException | None) -> None:
    if exc is not None and not isinstance(exc, SystemExit):
        structlog.get_logger().error(event, exc_info=exc)


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").rsplit("/", 2)[-2:])
