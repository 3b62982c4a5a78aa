"""The accounts commands as scripts and people use them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from pwd import getpwuid

import pytest
import redis
import structlog
from click.testing import CliRunner

from accounts import Accounts
from accounts.command_line import accounts
from storage.errors import StorageUnavailable
from storage.redis_server import RedisServer
from tests.support.account_commands import Commands
from tests.support.storage import OpenStorage
from tests.support.task_owner import owner
from tests.support.warm_start import run_main


@pytest.fixture
def commands(redis_server: RedisServer, key_prefix: str) -> Commands:
    return Commands(redis_server.url, key_prefix)


def main(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a person does, in a process of its own."""
    return run_main(*arguments, environment=os.environ | environment)


def test_an_accounts_life_by_script(commands: Commands) -> None:
    made = commands.json("create", "--tokens", "900", "--subscription-days", "3", "--business-type", "clinic")
    account_id = made["account_id"]
    assert made["api_key"].startswith("pg_")
    shown = commands.json("show", account_id)
    assert (shown["tokens_remaining"], shown["tokens_held"], shown["subscription_active"]) == (900, 0, True)
    assert commands.json("grant", account_id, "100", "--reason", "bonus")["tokens_remaining"] == 1_000
    assert commands.json("grant", account_id, "-400")["tokens_remaining"] == 600
    for _ in range(2):
        assert commands.json("grant", account_id, "7", "--grant-id", "payment 1")["tokens_remaining"] == 607
    assert commands.json("grant", account_id, "-7")["tokens_remaining"] == 600
    until = commands.json("subscribe-until", account_id, "2126-01-02T03:04:05+01:00")["subscription_until"]
    assert until == "2126-01-02T02:04:05Z"
    assert commands.json("subscribe", account_id, "0")["subscription_active"] is False
    assert commands.json("list")["accounts"] == [account_id]
    assert [entry["tokens"] for entry in commands.json("ledger", account_id)["entries"]] == [-7, 7, -400, 100, 900]
    another = commands.json("keys", "create", account_id, "--label", "laptop")
    assert len(commands.json("keys", "list", account_id)["keys"]) == 2
    assert commands.json("keys", "revoke", account_id, another["key_id"])["revoked_at"]
    assert commands.json("audit") == {"ok": True, "accounts": 1, "unreadable": 0, "failures": []}


def test_every_change_is_a_line_of_the_audit_trail_and_nothing_else_is(commands: Commands) -> None:
    made = commands.json("create", "--id", "a", "--tokens", "900", "--subscription-days", "3")
    other = commands.json("keys", "create", "a", "--label", "laptop")
    for words in (
        ["show", "a"],
        ["list"],
        ["search", "a"],
        ["ledger", "a"],
        ["usage", "a"],
        ["audit"],
        ["keys", "list", "a"],
    ):
        commands.json(*words)
    commands.json("grant", "a", "5", "--reason", "Anna paid")
    for _ in range(2):
        commands.json("grant", "a", "5", "--grant-id", "payment 1")
        commands.json("subscribe-until", "a", "2126-01-02T03:04:05Z")
    commands.json("subscribe", "a", "3")
    commands.json("rename", "a", "Anna")
    commands.json("business-type", "a", "clinic")
    for _ in range(2):
        commands.json("keys", "revoke", "a", other["key_id"])
    for _ in range(2):
        commands.json("keys", "revoke-all", "a")
    for _ in range(2):
        commands.json("close", "a")
    commands.json("delete", "a", "--yes")
    admin = commands.json("admin-keys", "create")
    for _ in range(2):
        commands.json("admin-keys", "revoke", admin["key_id"])
    assert commands.run("grant", "nobody", "5").exit_code == 1
    actions = [(line["action"], line.get("account_id")) for line in commands.changes]
    assert actions == [
        *[(action, "a") for action in ("create", "create key", "create key", "grant", "grant", *["change"] * 4)],
        *[(action, "a") for action in ("revoke key", "revoke all keys", "close", "delete")],
        ("create admin key", None),
        ("revoke admin key", None),
    ]
    trail = repr(commands.changes)
    assert {line["by"] for line in commands.changes} == {"command line"}
    assert not [secret for secret in (made["api_key"], other["api_key"], admin["admin_key"], "Anna") if secret in trail]


def test_a_script_reads_the_ledger_page_by_page(commands: Commands) -> None:
    account_id = commands.json("create", "--tokens", "1")["account_id"]
    commands.json("grant", account_id, "2")
    newest = commands.json("ledger", account_id, "--limit", "1")
    oldest = commands.json("ledger", account_id, "--limit", "1", "--before", newest["next"])
    assert [page["entries"][0]["tokens"] for page in (newest, oldest)] == [2, 1]
    assert oldest["next"] is None


def test_a_business_type_without_a_template_is_reported_and_accepted(commands: Commands) -> None:
    assert commands.run("create", "--business-type", "Real Estate").stderr == ""
    odd = commands.run("create", "--business-type", "lighthouse", "--json")
    assert json.loads(odd.stdout)["business_type"] == "lighthouse"
    assert "'lighthouse' has no template of its own" in odd.stderr
    assert "real_estate" in odd.stderr


async def submitted(url: str, prefix: str, account_id: str) -> str:
    storage = OpenStorage(url, prefix=prefix)
    try:
        lease = await owner(storage, "a process").submit(account_id, "Write a menu.", None)
        return lease.task_id
    finally:
        await storage.aclose()


def test_a_task_is_found_by_its_id_alone(commands: Commands, redis_server: RedisServer, key_prefix: str) -> None:
    account_id = commands.json("create", "--tokens", "900", "--subscription-days", "3")["account_id"]
    task_id = asyncio.run(submitted(redis_server.url, key_prefix, account_id))
    found = commands.json("tasks", "find", task_id.upper())
    assert (found["account_id"], found["task_id"], found["status"]) == (account_id, task_id, "queued")
    assert account_id in commands.run("tasks", "find", task_id).stdout
    commands.json("delete", account_id, "--yes")
    assert "no task" in commands.run("tasks", "find", task_id).stderr


def test_people_read_lines(commands: Commands) -> None:
    made = commands.json("create", "--tokens", "5", "--name", "Bäckerei", "--id", "bakery")
    first = commands.json("keys", "create", "bakery", "--label", "old phone")
    for arguments, words in (
        (("show", "bakery"), ["tokens_remaining", "Bäckerei"]),
        (("list",), ["bakery"]),
        (("ledger", "bakery"), ["grant", "account created"]),
        (("keys", "create", "bakery"), ["pg_", "key id"]),
        (("keys", "revoke", "bakery", first["key_id"]), ["revoked", first["key_id"]]),
        (("keys", "list", "bakery"), [made["key_id"], "revoked", "old phone"]),
        (("audit",), ["1 accounts, all that the index names, add up"]),
        (("audit", "bakery"), ["account bakery adds up"]),
        (("rename", "bakery", "Konditorei"), ["Konditorei"]),
        (("search", "KONDITOR"), ["bakery", "free tokens"]),
        (("business-type", "bakery", "restaurant"), ["restaurant"]),
        (("tasks", "show", "bakery"), ["task id", "status"]),
        (("admin-keys", "create", "--label", "shop"), ["pa_", "key id"]),
        (("admin-keys", "list"), ["shop", "key id"]),
        (("keys", "revoke-all", "bakery"), ["old phone"]),
        (("export", "bakery"), ["Konditorei", "old phone", "account created"]),
        (("close", "bakery"), ["closed_at"]),
        (("delete", "bakery", "--yes"), ["deleted bakery"]),
        (("delete", "bakery", "--yes", "--ledger", "delete"), ["deleted bakery"]),
    ):
        done = commands.run(*arguments)
        assert done.exit_code == 0, done.output
        for word in words:
            assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "exit_code", "sentence"),
    [
        (("show", "nobody"), 1, "there is no account 'nobody'"),
        (("grant", "nobody", "5"), 1, "there is no account"),
        (("subscribe", "nobody", "5"), 1, "there is no account"),
        (("ledger", "nobody"), 1, "there is no account"),
        (("audit", "nobody"), 1, "there is no account"),
        (("keys", "list", "nobody"), 1, "there is no account"),
        (("keys", "create", "nobody"), 1, "there is no account"),
        (("keys", "revoke", "nobody", "x"), 1, "no key 'x'"),
        (("create", "--id", "somebody"), 1, "there is an account 'somebody' already"),
        (("create", "--id", "a\tb"), 1, "cannot be an account id"),
        (("create", "--name", "\udcff"), 1, "not valid UTF-8"),
        (("create", "--tokens", "-1"), 2, "--tokens"),
        (("create", "--tokens", "9" * 20), 2, "--tokens"),
        (("grant", "somebody", "-6"), 1, "6 tokens cannot be taken back: the balance is 5"),
        (("grant", "somebody", "1" + "0" * 15), 1, "more than 1000000000000000 tokens in all"),
        (("grant", "somebody", "9" * 20), 2, "TOKENS"),
        (("ledger", "somebody", "--before", "junk"), 1, "'junk' is not the id of a ledger entry"),
        (("grant", "somebody", "1", "--grant-id", "a\tb"), 2, "1 to 255 printable characters"),
        (("subscribe", "somebody", "-1"), 2, "DAYS"),
        (("subscribe-until", "somebody", "2026-01-02T03:04:05"), 2, "date, time and zone"),
        (("subscribe-until", "somebody", "tomorrow"), 2, "date, time and zone"),
        (("rename", "nobody", "x"), 1, "there is no account"),
        (("close", "nobody"), 1, "there is no account"),
        (("delete", "nobody", "--yes"), 1, "there is no account"),
        (("export", "nobody"), 1, "there is no account"),
        (("tasks", "show", "nobody"), 1, "there is no account"),
        (("tasks", "cancel", "somebody", "x"), 1, "no task 'x'"),
        (("tasks", "find", "x"), 1, "no task 'x'"),
        (("admin-keys", "revoke", "x"), 1, "no key 'x'"),
        (("webhooks", "failed", "--before", "junk"), 1, "'junk' is not the next of a page"),
        (("webhooks", "failed", "--before", "junk", "--resend"), 1, "'junk' is not the next of a page"),
        (("frobnicate",), 2, "No such command"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    commands: Commands, arguments: tuple[str, ...], exit_code: int, sentence: str
) -> None:
    commands.json("create", "--id", "somebody", "--tokens", "5")
    done = commands.run(*arguments)
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == exit_code
    assert sentence in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("how", [["--json"], []], ids=["script", "person"])
def test_an_audit_that_fails_names_the_sums_and_exits_with_1(
    commands: Commands, redis_server: RedisServer, how: list[str]
) -> None:
    account_id = commands.json("create", "--tokens", "5")["account_id"]
    with redis.Redis.from_url(redis_server.url) as client:
        (key,) = client.keys(f"*{{{account_id}}}:account")
        client.hincrby(key, "balance", 1)
    done = commands.run("audit", *how)
    assert done.exit_code == 1
    if how:
        answer = json.loads(done.stdout)
        (failure,) = answer["failures"]
        assert answer["ok"] is False
        assert (failure["granted"], failure["balance"], failure["held"], failure["charged"]) == (5, 6, 0, 0)
    else:
        assert "granted is not balance + held + charged" in done.stdout


@pytest.mark.parametrize(
    "path",
    [[], *([name] for name in accounts.commands), *(["keys", name] for name in ("create", "list", "revoke"))],
    ids=" ".join,
)
def test_every_command_explains_itself(path: list[str]) -> None:
    done = CliRunner().invoke(accounts, [*path, "--help"])
    assert done.exit_code == 0
    assert "..." not in done.stdout.replace("[OPTIONS] COMMAND [ARGS]...", "")  # no sentence is cut off


def test_logs_stand_beside_the_answer_and_not_in_it(key_prefix: str) -> None:
    with RedisServer(options=("--appendonly", "no")) as server:
        done = main("accounts", "create", "--json", PROMPT_REDIS__URL=server.url, PROMPT_REDIS__KEY_PREFIX=key_prefix)
    assert done.returncode == 0
    assert json.loads(done.stdout)["account_id"]
    assert "redis_not_durable" in done.stderr
    trail = [line for line in map(json.loads, done.stderr.splitlines()) if line["event"] == "admin"]
    assert [line["action"] for line in trail] == ["create", "create key"]
    assert {line["by"] for line in trail} == {"command line"}
    assert {line.get("user") or int(line["uid"]) for line in trail} <= {getpwuid(os.getuid()).pw_name, os.getuid()}
    assert json.loads(done.stdout)["api_key"] not in done.stderr


@pytest.mark.parametrize(
    ("url", "sentence"), [("redis://127.0.0.1:1/0", "Redis cannot be used (unreachable)"), ("", "redis.url is not set")]
)
def test_a_redis_that_cannot_be_had_is_said_in_one_line(url: str, sentence: str) -> None:
    done = main("accounts", "list", PROMPT_REDIS__URL=url, PROMPT_REDIS__START_TIMEOUT_S="0.1")
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_public_key_that_cannot_be_read_ends_the_start(redis_server: RedisServer, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    jwt = {"PROMPT_IDENTITY__JWT__ALGORITHM": "RS256", "PROMPT_IDENTITY__JWT__PUBLIC_KEY_FILE": missing}
    done = main("serve", "--port", "0", PROMPT_REDIS__URL=redis_server.url, **jwt)
    assert done.returncode == 1
    assert f"identity.jwt.public_key_file: {missing} cannot be read" in done.stderr


def test_an_audit_of_an_empty_redis_proves_nothing(commands: Commands) -> None:
    done = commands.run("audit")
    assert done.exit_code == 1
    assert "nothing is proven" in done.stdout
    members = json.loads(commands.run("audit", "--json").stdout)
    assert members == {"ok": False, "accounts": 0, "unreadable": 0, "failures": []}


def test_an_audit_that_expects_more_accounts_than_there_are_fails_and_says_how_many_are_missing(
    commands: Commands,
) -> None:
    for name in ("bakery", "florist"):
        commands.json("create", "--id", name)
    assert commands.json("audit", "--expect-accounts", "2")["missing"] == 0
    assert commands.json("audit", "--expect-accounts", "1")["ok"]
    done = commands.run("audit", "--expect-accounts", "5", "--json")
    members = json.loads(done.stdout)
    assert (done.exit_code, members["ok"], members["accounts"], members["missing"]) == (1, False, 2, 3)
    done = commands.run("audit", "--expect-accounts", "5")
    assert (done.exit_code, "3 of the 5 accounts that were expected are not there" in done.stdout) == (1, True)
    assert commands.run("audit", "bakery", "--expect-accounts", "5").exit_code == 2


def test_an_audit_finds_an_account_that_lost_a_part(commands: Commands, redis_server: RedisServer) -> None:
    commands.json("create", "--id", "whole", "--tokens", "5")
    commands.json("create", "--id", "lost", "--tokens", "5")
    with redis.Redis.from_url(redis_server.url) as client:
        client.delete(f"{commands.prefix}:{{lost}}:account")
    done = commands.run("audit", "--json")
    members = json.loads(done.stdout)
    assert (done.exit_code, members["ok"], members["accounts"]) == (1, False, 2)
    assert [failure["account_id"] for failure in members["failures"]] == ["lost"]


def test_an_audit_finds_an_account_that_lost_everything_but_its_id(
    commands: Commands, redis_server: RedisServer
) -> None:
    commands.json("create", "--id", "whole", "--tokens", "5")
    commands.json("create", "--id", "lost", "--tokens", "5")
    with redis.Redis.from_url(redis_server.url) as client:
        client.delete(*client.scan_iter(f"{commands.prefix}:{{lost}}:*"))
    members = json.loads(commands.run("audit", "--json").stdout)
    assert (members["ok"], members["accounts"]) == (False, 2)
    assert [failure["account_id"] for failure in members["failures"]] == ["lost"]
    assert "there is no account" in commands.run("delete", "lost", "--yes").output
    assert commands.json("audit")["accounts"] == 1, "whoever says that it is no loss has the index without it"


def test_an_index_that_was_lost_proves_nothing_until_it_is_made_again(
    commands: Commands, redis_server: RedisServer
) -> None:
    for account_id in ("bakery", "büro 7"):
        commands.json("create", "--id", account_id, "--tokens", "5")
    with redis.Redis.from_url(redis_server.url) as client:
        client.delete(*client.scan_iter(f"{commands.prefix}:accounts:*"))
        assert "reindex" in commands.run("audit").stdout
        names = b"\n".join(client.scan_iter(f"{commands.prefix}:*:account"))
    noted = commands.run("reindex", "--json", given=names + b"\nnobody\n\xff\n")
    assert json.loads(noted.stdout) == {"accounts": 2}
    assert commands.json("audit")["accounts"] == 2
    assert commands.json("list")["accounts"] == ["bakery", "büro 7"]


POISON: dict[str, Callable[[redis.Redis, str], object]] = {
    "its record is of another type": lambda client, key: (
        client.delete(key + "account"),
        client.set(key + "account", 1),
    ),
    "its name is no UTF-8": lambda client, key: client.hset(key + "account", "name", b"\xff\xfe"),
    "its ledger is of another type": lambda client, key: (client.delete(key + "ledger"), client.set(key + "ledger", 1)),
    "an entry is none of ours": lambda client, key: client.xadd(key + "ledger", {"kind": b"\xff"}),
}


@pytest.mark.parametrize("poison", POISON)
def test_a_record_that_cannot_be_read_is_named_and_counted_and_the_rest_is_audited(
    commands: Commands, redis_server: RedisServer, poison: str
) -> None:
    for account_id in ("first", "poisoned", "wrong"):
        commands.json("create", "--id", account_id, "--tokens", "5")
    with redis.Redis.from_url(redis_server.url) as client:
        POISON[poison](client, f"{commands.prefix}:{{poisoned}}:")
        client.hincrby(f"{commands.prefix}:{{wrong}}:account", "balance", 1)
    done = commands.run("audit", "--json")
    members = json.loads(done.stdout)
    assert (done.exit_code, members["ok"], members["accounts"], members["unreadable"]) == (1, False, 3, 1)
    assert sorted(failure["account_id"] for failure in members["failures"]) == ["poisoned", "wrong"]
    assert "wrong: 2 of 3 accounts, 1 cannot be read" in commands.run("audit").stdout
    with structlog.testing.capture_logs():
        listed = commands.json("list")["accounts"]
    assert {"first", "wrong"} <= set(listed)


def test_a_poisoned_index_is_named_and_counted_and_takes_new_accounts(
    commands: Commands, redis_server: RedisServer
) -> None:
    commands.json("create", "--id", "first", "--tokens", "5")
    with redis.Redis.from_url(redis_server.url) as client:
        [shard] = client.scan_iter(f"{commands.prefix}:accounts:*")
        client.zadd(shard, {b"\xffmember": 0})
        for number in range(16):
            if (key := f"{commands.prefix}:accounts:{{{number:02x}}}".encode()) != shard:
                client.set(key, "no index")
    members = json.loads(commands.run("audit", "--json").stdout)
    named = {failure["account_id"] for failure in members["failures"]}
    assert (members["ok"], members["accounts"], members["unreadable"]) == (False, 2, 16)
    assert "\\xffmember" in named
    assert len(named) == 16
    assert commands.json("list")["accounts"] == ["first"]
    for number in range(20):
        commands.json("create", "--id", f"later-{number}", "--tokens", "5")
    assert len(commands.json("list")["accounts"]) == 21
    assert set(commands.logged) == {"record_set_aside"}


def test_a_change_of_which_nobody_knows_whether_it_happened_is_in_the_audit_trail(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_arguments: object) -> None:
        raise StorageUnavailable("timeout")

    commands.json("create", "--id", "a")
    before = len(commands.changes)
    monkeypatch.setattr(Accounts, "show", away)
    for words in (["grant", "a", "100"], ["rename", "a", "Anna"], ["show", "a"]):
        assert commands.run(*words).exit_code == 1
    lines = commands.changes[before:]
    assert [(line["action"], line["account_id"], line["failure"]) for line in lines] == [
        ("unsure", "a", "StorageUnavailable")
    ] * 2
    assert [line["command"].split()[-1] for line in lines] == ["grant", "rename"]
    assert "Anna" not in repr(lines)


def test_a_command_that_needs_a_record_that_cannot_be_read_names_it_in_one_line(
    commands: Commands, redis_server: RedisServer
) -> None:
    commands.json("create", "--id", "a", "--tokens", "5")
    key = f"{commands.prefix}:{{a}}:account"
    with redis.Redis.from_url(redis_server.url) as client:
        client.hset(key, "held", "many")
    result = commands.run("grant", "a", "100")
    assert result.exit_code == 1
    assert key in result.stderr.splitlines()[-1]
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_a_list_is_printed_page_by_page(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["accounts.command_line.accounts"], "ACCOUNTS_PER_PAGE", 2)
    assert commands.json("list") == {"accounts": []}
    names = ["anna", "bert", "c" * 30, "doris", "emil"]
    for name in reversed(names):
        commands.json("create", "--id", name)
    assert commands.json("list") == {"accounts": names}
    assert commands.json("search", "R") == {"accounts": ["bert", "doris"]}
    headings, *rows = commands.run("list").stdout.splitlines()
    assert headings.startswith("id ")
    assert [row.split()[0] for row in rows] == names
    assert rows[3].startswith("doris".ljust(32) + " ")
