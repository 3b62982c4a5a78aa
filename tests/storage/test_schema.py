"""A program serves only data whose layout it knows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog
from redis import Redis

from storage.errors import StorageMisconfigured
from storage.redis_server import RedisServer
from storage.schema import SCHEMA_VERSION, check_schema
from tests.storage.redis_clients import opened
from tests.support.storage import OpenStorage

ROOT = Path(__file__).parent.parent.parent


async def stored(storage: Any) -> bytes | None:
    version: bytes | None = await storage.command("GET", storage.shared_key("schema"))
    return version


@pytest.mark.gen_test
async def test_data_without_a_version_gets_ours_and_the_next_start_finds_it(storage: OpenStorage) -> None:
    assert await stored(storage) is None
    await check_schema(storage)
    await check_schema(storage)
    assert await stored(storage) == str(SCHEMA_VERSION).encode()


@pytest.mark.gen_test
async def test_older_data_is_read_and_is_ours_from_then_on(storage: OpenStorage) -> None:
    await check_schema(storage, 4)
    await check_schema(storage, 5)
    assert await stored(storage) == b"5"


@pytest.mark.parametrize("found", ["2", "10", "x", ""])
@pytest.mark.gen_test
async def test_newer_or_unreadable_data_is_refused_with_a_sentence_and_left_as_it_is(
    storage: OpenStorage, found: str
) -> None:
    await storage.command("SET", storage.shared_key("schema"), found)
    with pytest.raises(StorageMisconfigured) as refused:
        await check_schema(storage, 1)
    assert refused.value.sentence.startswith(f"the data in Redis has schema version {found} ")
    assert "knows 1" in refused.value.sentence
    assert "\n" not in refused.value.sentence
    assert await stored(storage) == found.encode()


@pytest.mark.gen_test
async def test_a_version_out_of_reach_is_said_and_keeps_nobody_from_serving_the_rest() -> None:
    async with opened("redis://127.0.0.1:1/0") as storage:
        with structlog.testing.capture_logs() as lines:
            await check_schema(storage)
    assert lines == [{"event": "schema_not_checked", "reason": "unreachable", "log_level": "warning"}]


def test_a_server_too_old_for_the_data_says_so_and_does_not_serve(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with RedisServer(tmp_path / "redis") as server:
        with Redis.from_url(server.url) as client:
            client.set("pg:schema", SCHEMA_VERSION + 1)
        done = subprocess.run(
            [sys.executable, "main.py", "serve", "--port", "0", "--ready-file", str(ready)],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PROMPT_REDIS__URL": server.url, "GEMINI_API_KEY": "x"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.count(f"schema version {SCHEMA_VERSION + 1} ") == 1
    assert "Traceback" not in done.stderr
    assert not ready.exists()
