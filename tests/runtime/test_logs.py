"""What a line of the log looks like, and what can never be in one."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import errno
import io
import json
import logging
import re
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TextIO, TypeVar
from urllib.parse import unquote

import pytest
import structlog
from redis import exceptions as redis_errors

from runtime.exception_facts import named, traced
from runtime.library_lines import take_warnings
from runtime.logs import ENCODED_TIMES, LOGGED_CHARACTERS, REDACTED, SECRET_FIELDS, configure_logging, logged_path
from runtime.settings import LogSettings
from storage.errors import StorageUnavailable

ROOT = Path(__file__).parents[2]
MARKER = "MARKER-the-secret-itself"
API_KEY = "pg_" + "aB3" * 14 + "x"
WATCH_TOKEN = "pw_" + "aB3_-" * 20 + "." + "x" * 43
ADMIN_KEY = "pa_" + "aB3" * 14 + "x"
WEBHOOK_SECRET = "whsec_" + "aB3/+" * 8 + "="
JWT_WITH_SPACES = "eyAiYWxnIjogIkhTMjU2IiB9.eyAic3ViIjogImEiIH0.c2lnbmF0dXJl"
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
    shown = warnings.showwarning
    try:
        configure_logging(LogSettings(format=format, level=level), stream)
        yield stream
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        warnings.showwarning = shown
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


def said_by_libraries(said: str) -> None:
    """Let loggers of libraries, a warning and asyncio say something, each in the way it does."""
    logging.getLogger("tornado.general").info("Malformed HTTP message from %s: %s", "127.0.0.1", ValueError(said))
    logging.getLogger("aiohttp.client").warning(f"Can not read {said}")
    logging.getLogger("redis.asyncio").error("%(command)s failed", {"command": said})
    logging.getLogger("odd").log(25, "between two levels")
    exc = ConnectionRefusedError(errno.ECONNREFUSED, said)
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: %s", said, exc_info=exc)
    with warnings.catch_warnings(action="default"):
        take_warnings()
        warnings.warn(f"{said} is soon gone", DeprecationWarning, stacklevel=1)


@pytest.mark.parametrize("format", ["json", "console"])
def test_the_words_of_a_library_are_never_logged(format: Format) -> None:
    with logging_to(Written(), format=format, level="debug") as written:
        said_by_libraries(MARKER)
    assert written.getvalue().count("library") >= 6
    assert MARKER not in written.getvalue()


def test_a_line_of_a_library_names_its_logger_its_place_and_its_count() -> None:
    with logging_to(Written()) as written:
        said_by_libraries("words")
        said_by_libraries("words")
        logging.getLogger("asyncio").debug("below the level")
    first, again = written.lines[:6], written.lines[6:]
    assert [(line["level"], line["event"], line["logger"]) for line in first] == [
        ("info", "library", "tornado.general"),
        ("warning", "library", "aiohttp.client"),
        ("error", "library", "redis.asyncio"),
        ("info", "library", "odd"),
        ("error", "library", "asyncio"),
        ("warning", "library", "py.warnings"),
    ]
    assert [line["count"] for line in first[:5]] == [1] * 5
    assert [line["count"] for line in again[:5]] == [2] * 5
    assert all(re.fullmatch(r"runtime/test_logs\.py:\d+ said_by_libraries", line["where"]) for line in first[:5])
    assert len({line["where"] for line in first}) == 6, "each sentence has its place"
    assert first[4]["trouble"] == "task_exception_never_retrieved"
    assert first[4]["exception"].endswith("\nConnectionRefusedError ECONNREFUSED")
    assert first[5]["category"] == "DeprecationWarning"


def test_a_library_with_a_broken_format_string_does_not_stop_its_caller(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to(Written()) as written:
        logging.getLogger("broken").error("%d", MARKER)
        structlog.get_logger().info("went_on")
    assert [line["event"] for line in written.lines] == ["library", "went_on"]
    assert capsys.readouterr().err == ""


class Refused(Exception):
    """An exception as the rooms have them: its arguments are facts."""

    __module__ = "storage.errors"


@pytest.mark.parametrize("format", ["json", "console"])
def test_an_exception_is_one_field_without_local_variables_or_the_words_of_a_library(format: Format) -> None:
    def fail(manual_prompt: str) -> None:
        try:
            int(manual_prompt)
        except ValueError as exc:
            raise Refused("timeout", 3) from exc

    with logging_to(Written(), format=format) as written:
        try:
            fail(MARKER)
        except Refused:
            structlog.get_logger().exception("task_crashed")
    text = written.getvalue()
    assert text.count("Traceback") == 2
    assert "int(manual_prompt)" in text, "the place in the code"
    assert "ValueError" in text
    assert "which led to:" in text
    assert "storage.errors.Refused: timeout, 3" in text
    assert MARKER not in text


def test_every_part_of_a_group_of_exceptions_is_told_and_a_long_chain_ends() -> None:
    group = ExceptionGroup(MARKER, [ValueError(MARKER), KeyError(MARKER)])
    chain: Exception = ValueError(MARKER)
    for _ in range(100):
        later = ValueError(MARKER)
        later.__context__ = chain
        chain = later
    assert [line for line in traced(group).splitlines() if "Error" in line or "part" in line] == [
        "its part 1 of 2:",
        "ValueError",
        "its part 2 of 2:",
        "KeyError",
    ]
    assert traced(chain).count("which led to:") == 8
    assert MARKER not in traced(group) + traced(chain)


@pytest.mark.parametrize(
    ("exc", "name"),
    [
        (OSError(errno.EMFILE, MARKER, MARKER), "OSError EMFILE"),
        (OSError(MARKER), "OSError"),
        (socket.gaierror(socket.EAI_NONAME, MARKER), "socket.gaierror EAI_NONAME"),
        (redis_errors.ReadOnlyError(MARKER), "redis.exceptions.ReadOnlyError"),
        (UnicodeDecodeError("utf-8", MARKER.encode(), 0, 1, MARKER), "UnicodeDecodeError"),
        (StorageUnavailable("timeout"), "storage.errors.StorageUnavailable: timeout"),
    ],
)
def test_an_exception_of_a_library_is_its_type_and_number_and_one_of_ours_its_facts(exc: Exception, name: str) -> None:
    assert named(exc) == name


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
        (f"watching with {WATCH_TOKEN} failed", "watching with [redacted] failed"),
        (f"admin {ADMIN_KEY} refused", "admin [redacted] refused"),
        (f"Authorization: Bearer {MARKER}", "Authorization: Bearer [redacted]"),
        (f"token {JWT} expired", "token [redacted] expired"),
        (f"token {JWT_WITH_SPACES} expired", "token [redacted] expired"),
        (f"signed with {WEBHOOK_SECRET}", "signed with [redacted]"),
        ("AIzaSyA-1234567890abcdefghijklmnopqrstu", "[redacted]"),
        (f"redis://user:{MARKER}@10.0.0.1:6379/0 is away", "redis://[redacted]@10.0.0.1:6379/0 is away"),
        ("http://10.0.0.1:8000/a@b is no password", "http://10.0.0.1:8000/a@b is no password"),
    ],
)
def test_secrets_are_taken_out_of_free_text(said: str, left: str) -> None:
    with logging_to(Written()) as written:
        structlog.get_logger().error("said", words=said)
        structlog.get_logger().error("crashed", exc_info=StorageUnavailable(said))
    line, crash = written.lines
    assert line["words"] == left
    assert crash["exception"].endswith(f"StorageUnavailable: {left}")


@pytest.mark.parametrize("secret", [API_KEY, ADMIN_KEY, WATCH_TOKEN, JWT, WEBHOOK_SECRET, JWT_WITH_SPACES])
@pytest.mark.parametrize("times", [0, 1, 2, 3, ENCODED_TIMES])
@pytest.mark.parametrize("before", ["/", "/" + "x" * (LOGGED_CHARACTERS - 12)])
def test_a_secret_in_a_path_is_not_logged_however_often_it_is_encoded(secret: str, times: int, before: str) -> None:
    once = "".join(f"%{byte:02X}" for byte in secret[:8].encode()) + secret[8:] if times else secret
    for _ in range(times - 1):
        once = once.replace("%", "%25")
    logged = logged_path(f"{before}{once}/more")
    assert len(logged) <= LOGGED_CHARACTERS
    assert secret[3:9] not in unquote(logged)
    assert logged.startswith(before[:20])


def test_a_path_is_logged_as_it_came_where_it_holds_no_secret_and_not_at_all_where_nobody_can_tell() -> None:
    assert logged_path("/a%20b/%0A?[x]") == "/a%20b/%0A?[x]"
    assert logged_path(f"/%0A{API_KEY}/ü") == "/%0A[redacted]/%C3%BC", "a line of the log stays one line"
    assert logged_path("/%" + "25" * (ENCODED_TIMES + 1) + "70") == REDACTED


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


CRASHES = """
import gc, threading
from runtime.library_lines import take_unraisable_exceptions
from runtime.logs import configure_logging
from runtime.settings import LogSettings
configure_logging(LogSettings(format="json"))
take_unraisable_exceptions()

class Left:
    def __del__(self):
        raise ValueError("MARKER-the-secret-itself")

Left()
gc.collect()
thread = threading.Thread(target=lambda: int("MARKER-the-secret-itself"))
thread.start()
thread.join()
"""


def test_what_threads_and_finalizers_raise_is_logged_without_its_words() -> None:
    done = subprocess.run([sys.executable, "-c", CRASHES], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["exception_ignored", "exception_in_thread"]
    assert all(line["exception"].endswith("\nValueError") for line in lines)


def test_a_debugger_of_asyncio_says_no_arguments_either() -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_debug(True)
        asyncio.get_running_loop().call_soon(int, MARKER)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with logging_to(Written()) as written:
        asyncio.run(main())
    [line] = [line for line in written.lines if line["level"] == "error"]
    assert (line["logger"], line["trouble"]) == ("asyncio", "exception_in_callback")
    assert line["exception"].endswith("\nValueError")
    assert MARKER not in written.getvalue()


ROOT = Path(__file__).parents[2]
ROOMS = ("accounts", "generation", "handlers", "notifications", "runtime", "server", "storage")
WRITERS = {"debug", "info", "warning", "error", "exception", "write"}


def test_no_line_has_a_member_that_is_always_redacted() -> None:
    """Such a member tells nobody anything: it needs another name."""
    found = []
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            writer = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            members = {keyword.arg for keyword in call.keywords}
            if writer in WRITERS and call.args and members & SECRET_FIELDS:
                found.append(f"{path}:{call.lineno}: {members & SECRET_FIELDS}")
    assert found == []
