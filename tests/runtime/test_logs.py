"""What a line of the log looks like, and what can never be in one."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TextIO, TypeVar

import pytest
import structlog

from runtime.logs import configure_logging
from runtime.settings import LogSettings

ROOT = Path(__file__).parents[2]
MARKER = "MARKER-the-secret-itself"
API_KEY = "pg_" + "aB3" * 14 + "x"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
LEVELS: tuple[Literal["debug", "info", "warning", "error"], ...] = ("debug", "info", "warning", "error")

Format = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]
Stream = TypeVar("Stream", bound=TextIO)


class Written(io.StringIO):
    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@contextlib.contextmanager
def logging_to(stream: Stream, *, format: Format = "json", level: Level = "info") -> Iterator[Stream]:
    """Configure this process's logs, and put everything back at the end."""
    root = logging.getLogger()
    handlers, old_level, root.handlers = root.handlers, root.level, []
    try:
        configure_logging(LogSettings(format=format, level=level), stream)
        yield stream
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        logging.captureWarnings(False)
        root.handlers = handlers
        root.setLevel(old_level)


def test_a_line_is_one_json_object_that_begins_with_when_how_bad_and_what() -> None:
    with logging_to(Written()) as written:
        structlog.get_logger().info("request", route="status", status=200, duration_ms=1.5)
    [line] = written.lines
    assert list(line) == ["timestamp", "level", "event", "route", "status", "duration_ms"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["event"], line["status"]) == ("info", "request", 200)


def test_bound_context_is_on_every_line_of_its_coroutine_and_on_no_other() -> None:
    async def work(task_id: str) -> None:
        structlog.contextvars.bind_contextvars(task_id=task_id)
        await asyncio.sleep(0)
        log.info("stage")
        logging.getLogger("aiohttp.client").warning("said")

    async def main() -> None:
        await asyncio.gather(work("one"), work("two"))
        log.info("after")

    with logging_to(Written()) as written:
        log = structlog.get_logger()
        asyncio.run(main())
    assert [(line["event"], line.get("task_id")) for line in written.lines] == [
        ("stage", "one"),
        ("library", "one"),
        ("stage", "two"),
        ("library", "two"),
        ("after", None),
    ]


def test_lines_of_libraries_come_out_in_the_same_shape() -> None:
    with logging_to(Written()) as written:
        logging.getLogger("tornado.general").warning("Could not %s", "listen")
        logging.getLogger("asyncio").debug("below the level")
        logging.getLogger("odd").log(25, "between two levels")
        with warnings.catch_warnings(action="default"):
            logging.captureWarnings(True)
            warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
    assert [(line["level"], line["event"], line["logger"]) for line in written.lines] == [
        ("warning", "library", "tornado.general"),
        ("info", "library", "odd"),
        ("warning", "library", "py.warnings"),
    ]
    assert written.lines[0]["message"] == "Could not listen"


def test_a_library_with_a_broken_format_string_does_not_stop_its_caller(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to(Written()) as written:
        logging.getLogger("broken").error("%d", "not a number")
        structlog.get_logger().info("went_on")
    assert [line["event"] for line in written.lines] == ["went_on"]
    assert "--- Logging error ---" in capsys.readouterr().err


def test_an_exception_is_one_field_without_local_variables() -> None:
    def fail(manual_prompt: str) -> None:
        raise ValueError("no such thing")

    for format in ("json", "console"):
        with logging_to(Written(), format=format) as written:
            try:
                fail(MARKER)
            except ValueError:
                structlog.get_logger().exception("task_crashed")
        assert "Traceback" in written.getvalue()
        assert "ValueError: no such thing" in written.getvalue()
        assert MARKER not in written.getvalue()


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_below_the_level_is_written(level: Level) -> None:
    with logging_to(Written(), level=level) as written:
        for name in LEVELS:
            getattr(structlog.get_logger(), name)(name)
    assert [line["event"] for line in written.lines] == list(LEVELS[LEVELS.index(level) :])


def test_auto_writes_json_when_nobody_watches() -> None:
    with logging_to(Written(), format="auto") as written:
        structlog.get_logger().info("stage")
    assert written.lines[0]["event"] == "stage"


def test_auto_writes_for_people_on_a_terminal() -> None:
    class Terminal(Written):
        def isatty(self) -> bool:
            return True

    with logging_to(Terminal(), format="auto") as written:
        structlog.get_logger().info("stage", progress=30)
    assert "stage" in written.getvalue()
    assert "\x1b[" in written.getvalue(), "a terminal gets colours"


@pytest.mark.parametrize("format", ["json", "console"])
def test_fields_that_must_not_be_logged_are_redacted_however_deep(format: Format) -> None:
    with logging_to(Written(), format=format) as written:
        log = structlog.get_logger()
        log.info("request", authorization=MARKER, tokens_charged=912)
        log.info("task_failed", manual_prompt=MARKER, api_key=MARKER, prompt=MARKER)
        log.info("deep", request={"to": {"password": MARKER}, "route": "status"})
        structlog.contextvars.bind_contextvars(token=MARKER)
        log.info("context")
    assert MARKER not in written.getvalue()
    assert written.getvalue().count("[redacted]") == 6
    assert "912" in written.getvalue(), "counts of tokens are no secrets"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"key {API_KEY} refused", "key [redacted] refused"),
        (f"Authorization: Bearer {MARKER}", "Authorization: Bearer [redacted]"),
        (f"token {JWT} expired", "token [redacted] expired"),
        ("AIzaSyA-1234567890abcdefghijklmnopqrstu", "[redacted]"),
        (f"redis://user:{MARKER}@10.0.0.1:6379/0 is away", "redis://[redacted]@10.0.0.1:6379/0 is away"),
        ("http://10.0.0.1:8000/a@b is no password", "http://10.0.0.1:8000/a@b is no password"),
    ],
)
def test_secrets_are_taken_out_of_free_text(said: str, left: str) -> None:
    with logging_to(Written()) as written:
        logging.getLogger("redis").error(said)
        structlog.get_logger().error("crashed", exc_info=ValueError(said))
    message, crash = written.lines
    assert message["message"] == left
    assert crash["exception"].endswith(f"ValueError: {left}")


SCRIPT = """
import structlog
from runtime.logs import configure_logging
from runtime.settings import LogSettings
configure_logging(LogSettings())
structlog.get_logger().info("listening", port=8000)
print("what was asked for")
"""


def test_a_process_logs_to_standard_error_and_leaves_standard_output_to_its_commands() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "what was asked for\n"
    assert json.loads(done.stderr)["event"] == "listening"


def test_a_full_disk_under_the_log_does_not_reach_the_caller() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, stdout=subprocess.PIPE, stderr=full, text=True)
    assert done.stdout == "what was asked for\n"
