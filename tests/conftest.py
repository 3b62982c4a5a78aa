"""Fixtures that every room's tests share: a real Redis of our own, and a key prefix for each test."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings
from tornado.httpclient import AsyncHTTPClient
from tornado.platform.asyncio import BaseAsyncIOLoop

from storage.redis_server import NoRedisServer, RedisServer, find_redis_server
from storage.storage import Storage
from tests.deploy.processes import Process
from tests.lua_headers import CheckedStorage

_numbers = itertools.count()
# How fast the machine is decides nothing: neither how long an example takes, nor how long making one does.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
LONGEST = (
    "tests/web/test_builds.py",
    "tests/web/test_page.py",
    "tests/web/test_client.py",
    "tests/web/test_gallery.py",
    "tests/generation/test_task_scripts.py",
    "tests/reliability/",
    "tests/web/test_django_example.py",
    "tests/web/test_refining.py",
    "tests/examples/",
    "tests/server/lane/",
    "tests/handlers/test_openapi",
    "tests/handlers/test_generations.py",
    "tests/storage/test_topologies.py",
    "tests/test_end_to_end.py",
    "tests/web/",
    "tests/generation/fidelity/test_cost.py",
    "tests/notifications/",
    "tests/test_",
)
ANSWER_S = 180.0  # an answer of ours is waited for
TOOLS = "apt install redis-server nginx chromium nodejs npm curl wrk systemd"


def pytest_configure() -> None:
    """Have no event loop until a test makes one: asyncio, asked for the first time, makes one that nobody closes.

    A shell lets its background jobs ignore SIGINT, and their children inherit it: tests that send it need the default.
    Tornado's client gives up after 20 s, unless a test says otherwise: on a busy machine that is no failure.
    Loggers keep nothing: a command that one test runs in this process would leave them deaf to the next one's capture.
    """
    asyncio.set_event_loop(None)
    AsyncHTTPClient.configure(None, defaults={"connect_timeout": ANSWER_S, "request_timeout": ANSWER_S})
    structlog.configure = functools.partial(_configure_without_cache, structlog.configure)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    Process.warm = True


def _configure_without_cache(configure: Callable[..., None], **options: object) -> None:
    configure(**{**options, "cache_logger_on_first_use": False})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker runs one of them alone at the end."""
    items.sort(
        key=lambda item: next((n for n, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST))
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """End with one line on the tests that were left out, and how to run them."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(config, "workerinput"):
        reasons = Counter(
            str(report.longrepr[2]).removeprefix("Skipped: ") for report in reporter.stats.get("skipped", ())
        )
        if reasons:
            listed = ", ".join(f"{count} ({reason})" for reason, count in reasons.most_common())
            reporter.write_line(f"Left out: {listed}. All of them run after: {TOOLS}")


@pytest.fixture
def io_loop(io_loop: BaseAsyncIOLoop) -> Iterator[BaseAsyncIOLoop]:
    """pytest-tornado's own loop of each test. A coroutine that is still there at its end has no owner: an error."""
    yield io_loop
    orphans = asyncio.all_tasks(io_loop.asyncio_loop)
    assert not orphans, f"nobody waited for {orphans}"


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    try:
        find_redis_server()
    except NoRedisServer as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(exc))
    with RedisServer() as server:
        yield server


@pytest.fixture
def key_prefix() -> str:
    """A prefix no other test has, so that tests share one server without seeing each other."""
    return f"t{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def storage(io_loop: BaseAsyncIOLoop, redis_server: RedisServer, key_prefix: str) -> Iterator[Storage]:
    """A Storage on the session's Redis, each call held to its script's header. It belongs to the test's own IOLoop."""
    storage = CheckedStorage(redis_server.url, prefix=key_prefix)
    yield storage
    io_loop.run_sync(storage.aclose)
