"""The accounts commands as a script and a person use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.redis_server import RedisServer

ROOT = Path(__file__).parent.parent.parent


class Commands:
    """Runs ``main.py accounts …`` against a Redis, under one key prefix."""

    def __init__(self, url: str, prefix: str) -> None:
        self._environment = os.environ | {"PROMPT_REDIS__URL": url, "PROMPT_REDIS__KEY_PREFIX": prefix}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "main.py", "accounts", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self._environment, check=False, capture_output=True, text=True, timeout=60
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        members: dict[str, Any] = json.loads(done.stdout)
        return members


@pytest.fixture
def commands(redis_server: RedisServer, key_prefix: str) -> Commands:
    return Commands(redis_server.url, key_prefix)


def test_an_accounts_life_by_script(commands: Commands) -> None:
    made = commands.json("create", "--tokens", "900", "--subscription-days", "3", "--business-type", "clinic")
    account_id = made["account_id"]
    assert made["api_key"].startswith("pg_")
    shown = commands.json("show", account_id)
    assert (shown["tokens_remaining"], shown["tokens_held"], shown["subscription_active"]) == (900, 0, True)
    assert commands.json("grant", account_id, "100", "--reason", "bonus")["tokens_remaining"] == 1_000
    assert commands.json("grant", account_id, "-400")["tokens_remaining"] == 600
    assert commands.json("subscribe", account_id, "0")["subscription_active"] is False
    assert commands.json("list")["accounts"] == [account_id]
    assert [entry["tokens"] for entry in commands.json("ledger", account_id)["entries"]] == [-400, 100, 900]
    another = commands.json("keys", "create", account_id, "--label", "laptop")
    assert len(commands.json("keys", "list", account_id)["keys"]) == 2
    assert commands.json("keys", "revoke", account_id, another["key_id"])["revoked_at"]
    assert commands.json("audit") == {"ok": True, "failures": []}


def test_people_read_lines(commands: Commands) -> None:
    account_id = commands.json("create", "--tokens", "5")["account_id"]
    for arguments in (
        ("show", account_id),
        ("ledger", account_id),
        ("keys", "list", account_id),
        ("list",),
        ("audit",),
    ):
        done = commands.run(*arguments)
        assert done.returncode == 0
        assert done.stdout.strip()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "sentence"),
    [
        (("show", "nobody"), 1, "there is no account 'nobody'"),
        (("grant", "nobody", "5"), 1, "there is no account"),
        (("create", "--id", "a b"), 1, "cannot be an account id"),
        (("create", "--tokens", "-1"), 2, "--tokens"),
        (("keys", "revoke", "nobody", "x"), 1, "no key 'x'"),
        (("frobnicate",), 2, "No such command"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    commands: Commands, arguments: tuple[str, ...], exit_code: int, sentence: str
) -> None:
    done = commands.run(*arguments)
    assert done.returncode == exit_code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_an_audit_that_fails_names_the_sums_and_exits_with_1(commands: Commands, redis_server: RedisServer) -> None:
    import redis

    account_id = commands.json("create", "--tokens", "5")["account_id"]
    with redis.Redis.from_url(redis_server.url) as client:
        (key,) = client.keys(f"*{{{account_id}}}:account")
        client.hincrby(key, "balance", 1)
    done = commands.run("audit", "--json")
    assert done.returncode == 1
    (failure,) = json.loads(done.stdout)["failures"]
    assert (failure["granted"], failure["balance"], failure["held"], failure["charged"]) == (5, 6, 0, 0)


def test_a_redis_that_is_away_is_said_in_one_line(key_prefix: str) -> None:
    os.environ["PROMPT_REDIS__START_TIMEOUT_S"] = "0.1"
    try:
        done = Commands("redis://127.0.0.1:1/0", key_prefix).run("list")
    finally:
        del os.environ["PROMPT_REDIS__START_TIMEOUT_S"]
    assert done.returncode == 1
    assert "Redis cannot be used" in done.stderr
