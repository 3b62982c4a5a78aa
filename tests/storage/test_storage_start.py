"""What a start does about Redis: it waits, it gives up, it warns."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
import structlog

from accounts import Accounts
from storage.errors import StorageMisconfigured, StorageUnavailable
from storage.redis_server import RedisServer
from storage.start import wait_until_ready, warn_about_redis
from tests.storage.redis_clients import (
    opened,
    port_of,
)
from tests.support.storage import OpenStorage


@pytest.mark.gen_test
async def test_a_start_waits_for_a_redis_that_is_away_and_says_so(tmp_path: Path, binary: str) -> None:
    with RedisServer(tmp_path, binary=binary) as server:
        server.kill()
        async with opened(server.url) as storage:
            with structlog.testing.capture_logs() as lines:
                waiting = asyncio.ensure_future(wait_until_ready(storage, 20))
                await asyncio.wait([waiting], timeout=0.5)
                server.start()
                await waiting
    assert lines[0]["event"] == "waiting_for_redis"
    assert lines[0]["reason"] == "unreachable"
    assert lines[0]["address"] == f"127.0.0.1:{port_of(server.url)}"
    assert lines[0]["error"] == "ConnectionRefusedError ECONNREFUSED"
    assert lines[0]["seconds_left"] == 20
    assert server.url.split(":")[2].split("@")[0] not in str(lines)


@pytest.mark.gen_test
async def test_a_start_gives_up_after_its_time() -> None:
    async with opened("redis://127.0.0.1:1/0") as storage:
        started = time.monotonic()
        with structlog.testing.capture_logs() as lines, pytest.raises(StorageUnavailable):
            await wait_until_ready(storage, 0.5)
        assert 0.5 <= time.monotonic() - started < 120
    assert {line["event"] for line in lines} == {"waiting_for_redis"}


async def begin(storage: OpenStorage) -> None:
    await wait_until_ready(storage, 90)
    await Accounts(storage).create()


@pytest.mark.parametrize(("taken", "told"), [("EVALSHA", "EVALSHA"), ("SCRIPT", "SCRIPT"), ("TIME", "a script")])
@pytest.mark.gen_test
async def test_a_redis_that_lacks_a_command_ends_the_start_at_once_with_its_name(
    binary: str, taken: str, told: str
) -> None:
    with RedisServer(binary=binary, options=("--rename-command", taken, "")) as server:
        async with opened(server.url) as storage:
            with pytest.raises(StorageMisconfigured) as caught:
                await begin(storage)
    assert told in caught.value.sentence
    assert "renamed" in caught.value.sentence


@pytest.mark.parametrize(
    ("options", "warnings"),
    [
        ((), []),
        (("--appendonly", "no"), ["redis_not_durable"]),
        (("--appendonly", "no", "--save", "3600 1"), []),
        (("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"), ["redis_may_evict"]),
        (("--maxmemory", "100mb", "--maxmemory-policy", "noeviction"), []),
        (("--rename-command", "CONFIG", "", "--appendonly", "no"), []),
    ],
)
@pytest.mark.gen_test
async def test_a_redis_that_may_lose_accounts_is_warned_about(
    binary: str, options: tuple[str, ...], warnings: list[str]
) -> None:
    with RedisServer(binary=binary, options=options) as server:
        async with opened(server.url) as storage:
            with structlog.testing.capture_logs() as lines:
                await warn_about_redis(storage)
    assert [line["event"] for line in lines] == warnings
    assert all(line["log_level"] == "warning" and line["advice"] for line in lines)
