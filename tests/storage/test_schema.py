"""A program serves only data whose layout it knows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog
from redis import Redis
from tornado.httpclient import AsyncHTTPClient

from generation.status_copy import StatusCopy
from storage.errors import StorageMisconfigured
from storage.redis_server import RedisServer
from storage.schema import SCHEMA_VERSION, SchemaGuard, check_schema
from tests.deploy.processes import Process
from tests.storage.redis_clients import opened, until
from tests.support.storage import OpenStorage
from tests.support.whole_server import make_client

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


@pytest.mark.parametrize("found", ["x", "", "1.5"])
@pytest.mark.gen_test
async def test_a_version_that_is_none_is_set_aside_and_stops_no_start(storage: OpenStorage, found: str) -> None:
    key = storage.shared_key("schema")
    await storage.command("SET", key, found)
    with structlog.testing.capture_logs() as lines:
        await check_schema(storage, 1)
    assert (await stored(storage), await storage.command("GET", f"{key}:set_aside")) == (b"1", found.encode())
    assert [(line["event"], line["redis_key"]) for line in lines] == [("record_set_aside", key)]


@pytest.mark.parametrize("found", ["2", "10"])
@pytest.mark.gen_test
async def test_newer_data_is_refused_with_a_sentence_and_left_as_it_is(storage: OpenStorage, found: str) -> None:
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


@pytest.mark.gen_test
async def test_of_two_versions_that_start_at_once_the_newer_one_has_the_data_whoever_is_first(
    storage: OpenStorage,
) -> None:
    for round_number in range(20):
        await storage.command("DEL", storage.shared_key("schema"))
        starting = [check_schema(storage, known) for known in ((1, 2) if round_number % 2 else (2, 1))]
        await asyncio.gather(*starting, return_exceptions=True)
        assert await stored(storage) == b"2"


@pytest.mark.gen_test
async def test_a_running_process_hears_of_a_newer_version_also_of_one_that_came_before_it_looked(
    storage: OpenStorage,
) -> None:
    for before in (True, False):
        heard: asyncio.Future[StorageMisconfigured] = asyncio.get_running_loop().create_future()
        await check_schema(storage, 4 if not before else 5)
        async with StatusCopy(storage, entries=10) as copy, SchemaGuard(storage, copy, heard.set_result, 4):
            if not before:
                assert not heard.done()
                await check_schema(storage, 5)
            assert "schema version 5 " in (await heard).sentence
        assert await stored(storage) == b"5"
        await storage.command("DEL", storage.shared_key("schema"))


@pytest.mark.gen_test
async def test_a_running_process_writes_again_a_version_that_redis_lost(storage: OpenStorage) -> None:
    await check_schema(storage, 4)
    refused: list[StorageMisconfigured] = []
    async with StatusCopy(storage, entries=10) as copy, SchemaGuard(storage, copy, refused.append, 4):
        for lost in (("DEL",), ("SET", "3")):
            await storage.command(lost[0], storage.shared_key("schema"), *lost[1:])
            await until(lambda: _is(storage, b"4"))
    assert not refused


@pytest.mark.gen_test
async def test_a_password_that_is_changed_under_a_running_process_is_no_newer_version(tmp_path: Path) -> None:
    """It has to go on when the password is changed back, or a proxy has the new one."""
    refused: list[StorageMisconfigured] = []
    with RedisServer(tmp_path) as server:
        storage = OpenStorage(server.url)
        async with contextlib.aclosing(storage), StatusCopy(storage, entries=10) as copy:
            admin = storage.redis.client()
            await admin.config_set("requirepass", "another")
            await admin.execute_command("AUTH", "another")
            await admin.execute_command("CLIENT", "KILL", "TYPE", "normal")
            with pytest.raises(StorageMisconfigured):
                await storage.command("GET", "x")
            async with SchemaGuard(storage, copy, refused.append):
                await asyncio.sleep(0.1)  # nothing shall happen
                assert not refused
                await admin.config_set("requirepass", "")
                await until(lambda: _is(storage, b"%d" % SCHEMA_VERSION))
            await admin.aclose()


async def _is(storage: OpenStorage, version: bytes) -> bool:
    return await stored(storage) == version


@pytest.mark.gen_test
async def test_a_process_that_runs_hands_its_tasks_back_and_ends_when_a_newer_version_takes_the_data(
    tmp_path: Path,
) -> None:
    with RedisServer(tmp_path / "redis") as server, socket.create_server(("127.0.0.1", 0)) as never_answers:
        environment = {
            "PROMPT_REDIS__URL": server.url,
            "PROMPT_GEMINI__BASE_URL": f"http://127.0.0.1:{never_answers.getsockname()[1]}",
            "PROMPT_GEMINI__API_KEY": "x",
            "PROMPT_LIMITS__RUNNING_TASKS_PER_PROCESS": "1",
        }
        with Process(tmp_path, ["serve", "--port", "0"], environment) as process:
            url = (await asyncio.to_thread(process.start))["url"]
            async with opened(server.url) as storage:
                client = await make_client(storage, AsyncHTTPClient(), url, tokens=10_000)
                made = {await client.start("Be kind.", X_Request_ID=name): name for name in ("runs", "waits")}
                await storage.command("SET", "pg:schema", SCHEMA_VERSION + 1)
            assert await asyncio.to_thread(process.wait) == 1
    assert process.log().count(f"Error: the data in Redis has schema version {SCHEMA_VERSION + 1} ") == 1
    handed_back = [json.loads(line) for line in process.log().splitlines() if "task_handed_back" in line]
    assert {line["task_id"]: line["request_id"] for line in handed_back} == made
    assert {line["account_id"] for line in handed_back} == {client.account_id}
    assert "Traceback" not in process.log()


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
            timeout=180,
        )
    assert done.returncode == 1
    assert done.stderr.count(f"schema version {SCHEMA_VERSION + 1} ") == 1
    assert "Traceback" not in done.stderr
    assert not ready.exists()
