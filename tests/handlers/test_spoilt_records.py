"""A record that somebody else has written over stops no start, no settlement and no list of others."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
import structlog

from accounts import Accounts, AdminKeys, ApiKeys
from composition import compose
from runtime.settings import Settings
from storage.spoilt_records import LEFT_FOR_S
from tests.support.storage import OpenStorage
from tests.support.topologies import until_true
from tests.support.whole_server import BASE, Client

NO_TEXT = b"\xff\xfe{"


def set_aside(lines: Any) -> list[str]:
    return [str(line["redis_key"]) for line in lines if line["event"] == "record_set_aside"]


@pytest.mark.gen_test
@pytest.mark.parametrize("spoilt", ["a value", "its type"])
async def test_a_process_starts_and_the_overview_answers_whatever_stands_among_the_processes(
    client: Client, storage: OpenStorage, settings: Settings, spoilt: str
) -> None:
    key = storage.shared_key("processes", "{00}")
    admin = {"Authorization": f"Bearer {(await AdminKeys(storage).create('shop')).key}"}
    if spoilt == "a value":
        await storage.redis.hset(key, b"\xff", NO_TEXT)
        await storage.redis.hset(key, b"another", b"9999999999999 " + NO_TEXT)
    else:
        await storage.redis.delete(key)
        await storage.redis.set(key, "other")
    with structlog.testing.capture_logs() as lines:
        async with AsyncExitStack() as stack:
            await compose(settings, stack)
    assert set_aside(lines) == ([] if spoilt == "a value" else [key])
    assert (await client.ask("GET", "/api/v1/admin/overview/", headers=admin)).status == 200


@pytest.mark.gen_test
async def test_numbers_of_usage_that_are_none_stop_no_settlement(client: Client, storage: OpenStorage) -> None:
    key = storage.key(client.account_id, "usage")
    await client.finished(await client.start("Write a menu."))
    for field in await storage.redis.hkeys(key):
        await storage.redis.hset(key, field, NO_TEXT)
    assert (await client.finished(await client.start("Write a menu.")))["status"] == "completed"
    await storage.redis.delete(key)
    await storage.redis.set(key, "other")
    assert (await client.finished(await client.start("Write a menu.")))["status"] == "completed"
    assert await Accounts(storage).audit(client.account_id) == []


@pytest.mark.gen_test
async def test_a_task_ends_and_is_charged_once_though_its_account_s_index_of_tasks_is_none(
    client: Client, storage: OpenStorage
) -> None:
    task_id = await client.start("Write a menu. [[standin:delay=1]]")
    await storage.redis.set(storage.key(client.account_id, "unfinished"), "other")
    document = await client.finished(task_id)
    assert document["status"] == "completed"
    account = await Accounts(storage).show(client.account_id)
    assert (account.tokens_held, account.tokens_charged) == (0, document["tokens_used"])
    assert await Accounts(storage).audit(client.account_id) == []


@pytest.mark.gen_test
async def test_a_key_or_an_entry_that_cannot_be_read_hides_no_other(client: Client, storage: OpenStorage) -> None:
    admin_keys = AdminKeys(storage)
    headers = {"Authorization": f"Bearer {(await admin_keys.create('shop')).key}"}
    await storage.redis.hset(storage.shared_key("admin_keys"), b"\xff", NO_TEXT)
    await storage.redis.hset(storage.key(client.account_id, "api_keys"), b"0" * 64, NO_TEXT)
    await storage.redis.xadd(storage.key(client.account_id, "ledger"), {b"\xff": NO_TEXT})
    with structlog.testing.capture_logs() as lines:
        keys = await client.ask("GET", f"/api/v1/admin/accounts/{client.account_id}/keys/", headers=headers)
        ledger = await client.ask("GET", "/api/v1/account/ledger/")
        assert [key.label for key in await admin_keys.list_all()] == ["shop"]
        assert [key.label for key in await ApiKeys(storage).of(client.account_id)] == ["test"]
    assert (keys.status, ledger.status) == (200, 200)
    assert [entry["kind"] for entry in ledger.json["entries"]] == ["grant"]
    assert len(set_aside(lines)) == 4


@pytest.mark.gen_test
@pytest.mark.parametrize("spoilt", ["a value", "its type"])
async def test_polls_of_a_document_that_is_none_tell_redis_once_that_it_is_to_expire(
    client: Client, storage: OpenStorage, spoilt: str
) -> None:
    task_id = "6f1c4a52-37a5-4e1b-9a0c-8d3f1f0a2b44"
    key = storage.key(client.account_id, "status", task_id)
    if spoilt == "a value":
        await storage.redis.set(key, NO_TEXT)
    else:
        await storage.redis.rpush(key, "x")
    path = f"{BASE}/generate-prompt-async/status/{task_id}/"

    async def will_expire() -> bool:
        return 0 < await storage.redis.ttl(key) <= LEFT_FOR_S

    assert (await client.ask("GET", path)).status == 503
    await until_true(will_expire)
    await storage.redis.persist(key)
    for _ in range(5):
        assert (await client.ask("GET", path)).status == 503
    assert await storage.redis.ttl(key) == -1
