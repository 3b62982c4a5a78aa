"""The drill of docs/backup.md, step by step, on each kind of server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from storage.redis_server import RedisServer
from tests.support.account_commands import Commands
from tests.support.servers import each_server
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
ACCOUNTS = 12


@pytest.fixture(params=each_server())
def binary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def redis_server(binary: str, tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis with ``appendonly yes`` and accounts, one of which has moved money."""
    with RedisServer(tmp_path / "redis", binary=binary) as server:
        commands = Commands(server.url, "pg")
        for number in range(ACCOUNTS):
            commands.json("create", "--id", f"account-{number}", "--tokens", "900")
        commands.json("grant", "account-7", "100")
        yield server


def audit(server: RedisServer) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the output of an audit that expects as many accounts as there were."""
    done = Commands(server.url, "pg").run("audit", "--expect-accounts", str(ACCOUNTS), "--json")
    return done.exit_code, json.loads(done.stdout)


def persistence(server: RedisServer) -> dict[str, Any]:
    with Redis.from_url(server.url) as redis:
        facts: dict[str, Any] = redis.info("persistence")
        return facts


def rewritten(server: RedisServer) -> bool:
    facts = persistence(server)
    return not facts["aof_rewrite_in_progress"] and not facts["aof_rewrite_scheduled"]


def dumped(server: RedisServer, into: Path) -> Path:
    """Copy a dump, as the page says."""
    with Redis.from_url(server.url) as redis:
        redis.bgsave()
    assert eventually(lambda: not persistence(server)["rdb_bgsave_in_progress"])
    assert persistence(server)["rdb_last_bgsave_status"] == "ok"
    return Path(shutil.copy(into / "redis" / "dump.rdb", into))


def test_a_dump_beside_appendonly_yes_is_not_read_and_the_audit_says_so(
    redis_server: RedisServer, binary: str, tmp_path: Path
) -> None:
    dump = dumped(redis_server, tmp_path)
    redis_server.stop()
    (tmp_path / "restored").mkdir()
    shutil.copy(dump, tmp_path / "restored" / "dump.rdb")
    with RedisServer(tmp_path / "restored", binary=binary) as restored:
        exit_code, printed = audit(restored)
    assert exit_code == 1
    assert (printed["ok"], printed["accounts"], printed["missing"]) == (False, 0, ACCOUNTS)


def test_the_steps_for_a_dump_restore_every_account(redis_server: RedisServer, binary: str, tmp_path: Path) -> None:
    dump = dumped(redis_server, tmp_path)
    redis_server.stop()
    folder = tmp_path / "restored"
    folder.mkdir()
    shutil.copy(dump, folder / "dump.rdb")
    with (
        RedisServer(folder, binary=binary, options=("--appendonly", "no")) as restored,
        Redis.from_url(restored.url) as redis,
    ):
        assert redis.dbsize() > ACCOUNTS
        redis.config_set("appendonly", "yes")
        assert eventually(lambda: rewritten(restored))
    with RedisServer(folder, binary=binary) as restored:
        assert persistence(restored)["aof_enabled"] == 1
        assert audit(restored) == (
            0,
            {"ok": True, "accounts": ACCOUNTS, "unreadable": 0, "expected": ACCOUNTS, "missing": 0, "failures": []},
        )
        shown = Commands(restored.url, "pg").json("show", "account-7")
        assert shown["tokens_remaining"] == 1_000


def test_the_append_only_files_are_copied_while_redis_serves_and_restore_every_account(
    redis_server: RedisServer, binary: str, tmp_path: Path
) -> None:
    with Redis.from_url(redis_server.url) as redis:
        redis.config_set("auto-aof-rewrite-percentage", 0)
        assert eventually(lambda: rewritten(redis_server))
        (tmp_path / "restored").mkdir()
        shutil.copytree(tmp_path / "redis" / "appendonlydir", tmp_path / "restored" / "appendonlydir")
        redis.config_set("auto-aof-rewrite-percentage", 100)
    with RedisServer(tmp_path / "restored", binary=binary) as restored:
        assert audit(restored)[0] == 0


def test_a_restore_that_misses_accounts_is_told_from_a_whole_one(redis_server: RedisServer) -> None:
    with Redis.from_url(redis_server.url) as redis:
        for name in ("account", "ledger"):
            redis.delete(f"pg:{{account-3}}:{name}")
    exit_code, printed = audit(redis_server)
    assert (exit_code, printed["ok"]) == (1, False)
    assert [failure["account_id"] for failure in printed["failures"]] == ["account-3"]


def test_the_page_names_each_step() -> None:
    page = (ROOT / "docs" / "backup.md").read_text()
    for step in (
        "BGSAVE",
        "rdb_bgsave_in_progress:0",
        "rdb_last_bgsave_status:ok",
        "CONFIG SET auto-aof-rewrite-percentage 0",
        "--appendonly no",
        "CONFIG SET appendonly yes",
        "aof_rewrite_in_progress:0",
        "aof_rewrite_scheduled:0",
        "accounts audit --expect-accounts N",
    ):
        assert step in page
