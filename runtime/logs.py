"""One line per thing that happened, as JSON for machines or coloured for a terminal, on standard error.

Owns the shape of a line and the last defence against logged secrets; refuses to know what is logged. Rooms call
``structlog.get_logger()`` with an event in snake_case and facts as fields. Fields bound with
``structlog.contextvars`` (request_id, task_id, account_id) are on every line. What libraries say (tornado, aiohttp,
asyncio, redis) is the event ``library``, without their words: runtime/library_lines.py.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import quote, unquote

import structlog

from runtime.debug_lines import DebugLines, debug_by_account
from runtime.exception_facts import for_machines, for_terminals
from runtime.library_lines import LibraryLines, take_warnings
from runtime.log_writer import LogWriter
from runtime.settings import LogSettings

REDACTED = "[redacted]"

# Nobody logs these on purpose. Counts of tokens have names of their own: tokens_charged, tokens_used, …
SECRET_FIELDS = frozenset(
    {
        *("authorization", "proxy_authorization", "cookie", "set_cookie", "headers", "body"),
        *("api_key", "x_goog_api_key", "key", "token", "jwt", "bearer", "secret", "password", "credentials"),
        *("manual_prompt", "prompt", "generated_prompt", "text", "chunk", "answer", "document"),
    }
)

# What a secret looks like when it slipped into a message, a URL or a traceback.
SECRET_TEXT = re.compile(
    r"p[ag]_[0-9A-Za-z]{43}"  # our API keys and admin keys
    r"|whsec_[0-9A-Za-z+/]{24,}=*"  # secrets of webhooks
    r"|pw_[0-9A-Za-z_-]{40,}\.[0-9A-Za-z_-]{43}"  # our watch tokens
    r"|AIza[0-9A-Za-z_-]{30,}"  # Google's
    r"|e(?:y[AJ]|wo|w0K)[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*\.[0-9A-Za-z_-]*"  # a JWT: '{"', '{ ' or '{\n' in base64url
    r"|(?<=://)[^\s/@:\"']*:(?!\d{1,5}[/?#])[^\s\"']*(?=@)"  # user:password in a URL, to the last @
    r"|(?i:(?<=bearer )[^\s\"',]+)"
)

# One of them, in any case, is in whatever the pattern finds. Looking for them costs a tenth of the pattern.
SECRET_SIGNS = ("pg_", "pa_", "pw_", "whsec_", "aiza", "eyj", "eya", "ewo", "ew0k", "://", "bearer ")

# Of a path that a client made up.
LOGGED_CHARACTERS = 200
LONGEST_KEY = 46
ENCODED_TIMES = 8  # at most; a character that is encoded once more has two characters more

EventDict = MutableMapping[str, Any]


def logged_path(path: str, longest: int = LOGGED_CHARACTERS) -> str:
    """Return the beginning of a path, or of a part of one, for a log line: without secrets, however often %-encoded."""
    path = path[: (longest + LONGEST_KEY) * (1 + 2 * ENCODED_TIMES)]
    decoded, times = path, 0
    while (once := unquote(decoded)) != decoded:
        if times == ENCODED_TIMES:
            return REDACTED
        decoded, times = once, times + 1
    without = _without_secrets(decoded)
    return (path if without == decoded else quote(without, safe="/[]"))[:longest]


def configure_logging(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send every line of this process to ``stream`` (standard error unless given).

    Loggers remember the configuration they were first used with: call this once, before anything logs.
    """
    global _writer  # one standard error a process, and one who writes to it
    stream = stream or sys.stderr
    descriptor = _descriptor(stream)
    _writer = None if descriptor is None else LogWriter(descriptor, _dropped_line)
    atexit.register(flush_logs)
    console = settings.format == "console" or (settings.format == "auto" and stream.isatty())
    level = getattr(logging, settings.level.upper())
    by_account = debug_by_account(settings)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *([DebugLines(settings)] if by_account else []),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            *(_for_terminals(stream) if console else _for_machines()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if by_account else level),
        logger_factory=lambda *_names: _Lines(stream, _writer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[LibraryLines()], level=level, force=True)
    take_warnings()


_writer: LogWriter | None = None


def flush_logs(within_s: float = 1.0) -> None:
    """Wait until the queued lines are written, so that the terminal shows what follows after them."""
    if _writer is not None:
        _writer.flush(within_s)


def dropped_lines() -> int:
    """Return how many lines were dropped because standard error was not read."""
    return _writer.dropped if _writer is not None else 0


def _descriptor(stream: TextIO) -> int | None:
    """Return where the stream leads out of the process, if it does."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _dropped_line(count: int) -> str:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"timestamp": now, "level": "warning", "event": "log_lines_dropped", "count": count}) + "\n"


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace the value of every field that must never be logged, however deep."""
    for name, value in event.items():
        if name in SECRET_FIELDS:
            event[name] = REDACTED
        elif type(value) is dict:
            event[name] = redact(_logger, _method, dict(value))
    return event


def _for_terminals(stream: TextIO) -> list[structlog.typing.Processor]:
    return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), sort_keys=False, exception_formatter=for_terminals)]


def _for_machines() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.ExceptionRenderer(for_machines),
        _in_reading_order,
        structlog.processors.JSONRenderer(),
    ]


def _in_reading_order(_logger: object, _method: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name) for name in ("timestamp", "level", "event")}
    return {**first, **event}


class _Lines:
    """Where structlog writes: whole lines, and no exception when the stream is full or gone."""

    def __init__(self, stream: TextIO, writer: LogWriter | None) -> None:
        self._stream = stream
        self._writer = writer

    def _write(self, line: str) -> None:
        if self._writer is not None:
            self._writer.write(_without_secrets(line) + "\n")
            return
        with contextlib.suppress(OSError, ValueError):  # a full disk or a closed pipe must not fail a request
            self._stream.write(_without_secrets(line) + "\n")
            self._stream.flush()

    msg = log = debug = info = warning = error = critical = exception = _write


def _without_secrets(line: str) -> str:
    lowered = line.lower()
    if any(sign in lowered for sign in SECRET_SIGNS):
        return SECRET_TEXT.sub(REDACTED, line)
    return line
