"""Old ledger entries move to files; every token stays accounted for, whatever interrupts that."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from accounts import Accounts
from accounts.archives import ArchiveFile, Archives
from accounts.archiving import ENTRIES_PER_BATCH, Archiving
from storage.errors import StorageUnavailable
from storage.redis_server import RedisServer
from tests.support.account_commands import Commands
from tests.support.storage import OpenStorage

AT_ONCE = 0.0  # days: every entry is old


@pytest.fixture
def commands(redis_server: RedisServer, key_prefix: str) -> Commands:
    return Commands(redis_server.url, key_prefix)


@pytest.fixture
def accounts(storage: OpenStorage) -> Accounts:
    return Accounts(storage)


@pytest.fixture
def archiving(storage: OpenStorage, accounts: Accounts) -> Archiving:
    return Archiving(storage, accounts.index)


async def entries_left(storage: OpenStorage, account_id: str) -> int:
    return int(await storage.command("XLEN", storage.key(account_id, "ledger")))


async def problems(accounts: Accounts, folder: Path | None = None) -> list[str]:
    return [
        problem
        for failure in await accounts.audit(archives=Archives(folder) if folder else None)
        for problem in failure.problems
    ]


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


@pytest.mark.gen_test
async def test_archived_entries_leave_redis_and_their_sums_are_carried_forward(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    await accounts.create(account_id="bakery", tokens=900)
    await accounts.grants.add("bakery", 100)
    done = await archiving.archive(tmp_path, AT_ONCE)
    assert (done.accounts, done.entries, done.refused) == ({"bakery"}, 2, [])
    assert await entries_left(storage, "bakery") == 0
    assert [row["tokens"] for row in rows(tmp_path) if "tokens" in row] == [900, 100]
    assert await problems(accounts) == []
    assert await problems(accounts, tmp_path) == []
    await accounts.grants.add("bakery", -300)
    assert (await accounts.show("bakery")).tokens_remaining == 700
    assert await problems(accounts, tmp_path) == []


@pytest.mark.gen_test
async def test_a_second_run_goes_on_where_the_first_one_ended_and_one_without_old_entries_makes_no_file(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    await accounts.create(account_id="bakery", tokens=900)
    assert (await archiving.archive(tmp_path, 1.0)).file is None
    for tokens in (1, 2):
        await accounts.grants.add("bakery", tokens)
        assert (await archiving.archive(tmp_path, AT_ONCE)).file is not None
    assert (await archiving.archive(tmp_path, AT_ONCE)).file is None
    assert len(list(tmp_path.iterdir())) == 2
    assert await problems(accounts, tmp_path) == []


@pytest.mark.gen_test
async def test_a_ledger_longer_than_a_portion_is_archived_whole(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    await accounts.create(account_id="bakery", tokens=1)
    await asyncio.gather(*(accounts.grants.add("bakery", 1) for _ in range(ENTRIES_PER_BATCH)))
    assert (await archiving.archive(tmp_path, AT_ONCE)).entries == ENTRIES_PER_BATCH + 1
    assert await problems(accounts, tmp_path) == []


@pytest.mark.gen_test
async def test_a_hold_that_is_open_when_it_is_archived_is_settled_later(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    await accounts.create(account_id="bakery", tokens=900)
    account, ledger = storage.key("bakery", "account"), storage.key("bakery", "ledger")
    await storage.redis.hset(account, mapping={"balance": 200, "held": 700})
    await storage.redis.xadd(ledger, entry("hold", 700, 200, 700, 0))
    await archiving.archive(tmp_path, AT_ONCE)
    assert await problems(accounts, tmp_path) == []
    await storage.redis.hset(account, mapping={"balance": 400, "held": 0, "charged": 500})
    await storage.redis.xadd(ledger, entry("settle", 500, 400, 0, 500))
    assert await problems(accounts, tmp_path) == []
    await archiving.archive(tmp_path, AT_ONCE)
    assert await problems(accounts, tmp_path) == []


def entry(kind: str, tokens: int, balance: int, held: int, charged: int) -> Any:
    numbers = {"tokens": tokens, "balance": balance, "held": held, "charged": charged, "uncollected": 0}
    return {"kind": kind, "task": "a-task", "reason": "", **numbers}


@pytest.mark.gen_test
async def test_a_run_that_dies_between_disk_and_redis_is_repeated_and_nothing_counts_twice(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accounts.create(account_id="bakery", tokens=900)

    async def dies(*_given: Any) -> None:
        raise StorageUnavailable("unreachable")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "run_many", dies)
        with pytest.raises(StorageUnavailable):
            await archiving.archive(tmp_path, AT_ONCE)
    assert len(rows(tmp_path)) == 2  # they are on the disk
    assert await entries_left(storage, "bakery") == 1  # and still in Redis
    assert await problems(accounts, tmp_path) == []
    await accounts.grants.add("bakery", 100)
    assert (await archiving.archive(tmp_path, AT_ONCE)).entries == 2
    assert await problems(accounts, tmp_path) == []


@pytest.mark.gen_test
async def test_nothing_leaves_redis_that_the_disk_does_not_have(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accounts.create(account_id="bakery", tokens=900)

    def full(*_given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ArchiveFile, "append", full)
    with pytest.raises(OSError, match="No space"):
        await archiving.archive(tmp_path, AT_ONCE)
    assert await entries_left(storage, "bakery") == 1


@pytest.mark.gen_test
async def test_two_runs_at_once_archive_each_entry_once(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    for number in range(20):
        await accounts.create(account_id=f"account-{number}", tokens=900)
    both = await asyncio.gather(*(archiving.archive(tmp_path, AT_ONCE) for _ in range(2)))
    assert sum(done.entries for done in both) == 20
    assert await problems(accounts, tmp_path) == []


@pytest.mark.gen_test
async def test_an_audit_with_archives_finds_what_is_missing_changed_or_cut_off(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    await accounts.create(account_id="bakery", tokens=900)
    path = (await archiving.archive(tmp_path, AT_ONCE)).file
    assert path is not None
    whole = path.read_text()
    for wrong in ("", whole[:-40], whole.replace(": 900,", ": 800,"), whole.replace('"tokens": 900', '"tokens": 901')):
        assert wrong != whole
        path.write_text(wrong)
        [problem] = await problems(accounts, tmp_path)
        assert problem.startswith("no archive explains what is carried forward up to entry ")
        assert await problems(accounts) == []  # without the files what is carried is taken as it is
    path.write_text(whole)
    assert await problems(accounts, tmp_path) == []


@pytest.mark.gen_test
async def test_entries_that_do_not_add_up_are_not_moved_and_stop_nobody_elses(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    for name in ("bakery", "florist", "clinic"):
        await accounts.create(account_id=name, tokens=900)
    await storage.redis.xadd(storage.key("bakery", "ledger"), entry("grant", 5, 999, 0, 0))
    await storage.redis.xadd(storage.key("clinic", "ledger"), {"kind": "grant"})
    done = await archiving.archive(tmp_path, AT_ONCE)
    assert sorted(done.refused) == ["bakery", "clinic"]
    assert done.accounts == {"florist"}
    assert await entries_left(storage, "bakery") == 2


@pytest.mark.gen_test
async def test_a_grant_that_comes_again_after_its_entry_was_archived_still_counts_once(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    await accounts.create(account_id="bakery")
    first, _ = await accounts.grants.add_once("bakery", "payment-1", 500, "paid")
    await archiving.archive(tmp_path, AT_ONCE)
    again, repeated = await accounts.grants.add_once("bakery", "payment-1", 500, "paid")
    assert repeated
    assert (again.id, again.at, again.kind, again.tokens) == (first.id, first.at, "grant", 500)
    assert (await accounts.show("bakery")).tokens_remaining == 500


@pytest.mark.gen_test
async def test_a_deleted_account_leaves_no_sums_behind(
    storage: OpenStorage, accounts: Accounts, archiving: Archiving, tmp_path: Path
) -> None:
    await accounts.create(account_id="bakery", tokens=900)
    await archiving.archive(tmp_path, AT_ONCE)
    await accounts.forget("bakery", keep_ledger=False)
    assert await storage.command("EXISTS", storage.key("bakery", "ledger_archived")) == 0


def test_the_command_moves_what_is_old_enough_and_the_audit_proves_the_files(
    commands: Commands, redis_server: RedisServer, tmp_path: Path
) -> None:
    commands.json("create", "--id", "bakery", "--tokens", "900")
    done = commands.run("archive", "--into", str(tmp_path))
    assert (done.exit_code, "give --days or set money.ledger_days" in done.output) == (1, True)
    assert commands.json("archive", "--into", str(tmp_path), "--days", "30") == {
        "accounts": 0,
        "entries": 0,
        "file": None,
        "refused": [],
    }
    assert commands.json("audit", "--archives", str(tmp_path))["ok"]
    assert commands.run("archive", "--into", str(tmp_path / "nowhere"), "--days", "30").exit_code == 2


def test_the_command_moves_what_is_older_than_its_days_and_nothing_else(
    commands: Commands, redis_server: RedisServer, tmp_path: Path
) -> None:
    commands.json("create", "--id", "bakery", "--tokens", "900")
    ledger = f"{commands.prefix}:{{bakery}}:ledger"
    with Redis.from_url(redis_server.url) as redis:
        [(entry_id, fields)] = redis.xrange(ledger)
        redis.delete(ledger)
        redis.xadd(ledger, fields, id=f"{int(entry_id.split(b'-')[0]) - 31 * 86_400_000}-0")
    commands.json("grant", "bakery", "100")
    moved = commands.json("archive", "--into", str(tmp_path), "--days", "30")
    assert (moved["accounts"], moved["entries"], moved["refused"]) == (1, 1, [])
    assert [each["tokens"] for each in commands.json("ledger", "bakery")["entries"]] == [100]
    assert commands.json("audit", "--archives", str(tmp_path))["ok"]
    Path(moved["file"]).unlink()
    done = commands.run("audit", "bakery", "--archives", str(tmp_path))
    assert (done.exit_code, "no archive explains" in done.output) == (1, True)
    assert commands.json("audit")["ok"]
