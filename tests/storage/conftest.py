"""Fixtures of this room: a server of each kind that the machine has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.redis_server import RedisServer
from tests.support.servers import each_server


@pytest.fixture(params=each_server())
def binary(request: pytest.FixtureRequest) -> str:
    """The bundled server, then those on PATH."""
    return str(request.param)


@pytest.fixture
def server(binary: str) -> Iterator[RedisServer]:
    with RedisServer(binary=binary) as server:
        yield server
