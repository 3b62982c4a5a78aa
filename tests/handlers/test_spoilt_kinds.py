"""Every kind of record that the program stores, written over by somebody else with another type or with other bytes."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog
from tornado.httpclient import AsyncHTTPClient

from accounts import Accounts, AdminKeys, WatchTokens
from composition import Service, compose
from runtime.settings import Settings
from storage.record_kinds import RecordKinds
from tests.support.storage import OpenStorage
from tests.support.topologies import until_true
from tests.support.whole_server import BASE, Client, make_client
from wiring.storage import RECORD_KINDS

ARCHITECTURE = (Path(__file__).parents[2] / "docs/architecture.md").read_text("utf-8")
ROW = re.compile(r"^\| (`pg:.+?) \| (\w+) \|", re.MULTILINE)
TYPES = {"counter": "string"}
NO_TEXT = b"\xff\xfe{"
WEBHOOKS = {"url": "http://127.0.0.1:9/", "secrets": ("whsec_" + "QUFB" * 8,)}
SUBMIT = f"{BASE}/generate-prompt-async/"


async def spoil_type(redis: Any, key: str | bytes) -> None:
    async with redis.pipeline(transaction=True) as both:  # the server writes meanwhile
        await both.delete(key).rpush(key, "x").execute()


async def spoil_bytes(redis: Any, key: bytes, kind: str) -> None:
    """Overwrite every value of the key with bytes that are not UTF-8, and add more of them."""
    match kind:
        case "string":
            await redis.set(key, NO_TEXT)
        case "hash":
            await redis.hset(key, mapping=dict.fromkeys([*await redis.hkeys(key), NO_TEXT], NO_TEXT))
        case "zset":
            await redis.zadd(key, {NO_TEXT: 1, NO_TEXT + b" \xff": 2, b"": 3})
        case "stream":
            await redis.xadd(key, {NO_TEXT: NO_TEXT})


def set_aside(lines: Any) -> set[str]:
    return {str(line["redis_key"]) for line in lines if line["event"] == "record_set_aside"}


def crashed(lines: Any) -> list[str]:
    return [line["event"] for line in lines if line["event"].endswith("crashed") or line.get("exc_info")]


async def live_a_little(client: Client, storage: OpenStorage) -> str:
    """Let every kind of record be written; return the id of a task that still runs."""
    await AdminKeys(storage).create("shop")
    await WatchTokens(storage).signer()
    await storage.command("INCR", storage.shared_key("handed_back", "{00}"))
    await storage.redis.hset(storage.key(client.account_id, "push_subscriptions"), "id", "{}")
    await Accounts(storage).grants.add_once(client.account_id, "payment-1", 1_000, "bought")
    await storage.redis.hset(storage.key(client.account_id, "ledger_archived"), mapping={"last": "", "sums": ""})
    await client.finished(await client.start("Write a menu."))
    running = await client.start("Write a menu. [[standin:delay=60]]", Idempotency_Key="one")
    await storage.redis.set(storage.key(client.account_id, "readers", running), "", ex=10)
    await storage.redis.set(storage.key(client.account_id, "submits"), "1", ex=10)
    return running


async def holds_tokens(storage: OpenStorage, account_key: str) -> bool:
    return int(await storage.redis.hget(account_key, "held") or 0) > 0


async def runs_nothing(service: Service) -> bool:
    return not service.runner.running


async def keys_of(storage: OpenStorage) -> list[bytes]:
    return [key async for key in storage.redis.scan_iter(match=f"{storage.prefix}:*") if b":set_aside" not in key]


def test_every_kind_of_key_is_named_with_its_type_as_the_architecture_has_it() -> None:
    documented = {}
    for names, kind in ROW.findall(ARCHITECTURE):
        for name in re.findall(r"`(?:pg)?:(?:\{A\}:)?([a-z_]+)", names.split(" … ")[0]):
            documented[name] = TYPES.get(kind, kind)
    assert documented == {name: kind.type for name, kind in RECORD_KINDS.items()}


@pytest.mark.gen_test
@pytest.mark.settings(webhooks=WEBHOOKS)
async def test_every_key_that_is_written_is_of_a_kind(client: Client, storage: OpenStorage) -> None:
    await live_a_little(client, storage)
    kinds = RecordKinds(RECORD_KINDS, storage.prefix)
    for key in await keys_of(storage):
        kind = kinds.of(str(key, "utf-8"))
        assert kind is not None, key
        assert await storage.redis.type(key) == kind.type.encode(), key


@pytest.mark.gen_test
@pytest.mark.settings(webhooks=WEBHOOKS)
@pytest.mark.parametrize("how", ["another type", "other bytes"])
async def test_no_spoilt_index_hint_or_task_stops_a_start_a_list_a_new_task_or_another_account(
    client: Client, storage: OpenStorage, settings: Settings, http_client: AsyncHTTPClient, how: str
) -> None:
    other = await make_client(storage, http_client, client.base_url, tokens=1_000_000)
    await live_a_little(client, storage)
    kinds, spoilt = RecordKinds(RECORD_KINDS, storage.prefix), []
    with structlog.testing.capture_logs() as lines:
        for key in await keys_of(storage):
            kind = kinds.of(str(key, "utf-8"))
            assert kind is not None
            if kind.replaceable:
                spoilt.append(str(key, "utf-8"))
                await (
                    spoil_type(storage.redis, key)
                    if how == "another type"
                    else spoil_bytes(storage.redis, key, kind.type)
                )
        async with AsyncExitStack() as stack:
            await (await compose(settings, stack)).runner.renew()
        for caller in (other, client):
            listed = await caller.ask("GET", SUBMIT)
            assert (listed.status, isinstance(listed.json["tasks"], list)) == (200, True)
            task_id = await caller.start("Write a menu.")
            assert (await caller.finished(task_id))["status"] == "completed"
            assert task_id in {task["task_id"] for task in (await caller.ask("GET", SUBMIT)).json["tasks"]}
            assert await Accounts(storage).audit(caller.account_id) == []
        assert (await client.ask("GET", "/health/ready")).status == 200
        metrics = (await client.ask("GET", "/metrics")).body.decode()
    assert crashed(lines) == []
    logged = set_aside(lines)
    assert {storage.shared_key("leases", "{00}"), storage.shared_key("schema")} <= {key.split(" ")[0] for key in logged}
    if how == "another type":
        moved = {key for key in spoilt if await storage.redis.exists(f"{key}:set_aside")}
        assert moved <= logged
        of_the_account = [
            storage.key(client.account_id, name) for name in ("tasks", "unfinished", "usage", "deliveries")
        ]
        assert set(of_the_account) <= moved
    counted = re.search(r"^prompt_records_set_aside_total (\d+)", metrics, re.MULTILINE)
    assert counted is not None
    assert int(counted[1]) > 0


@pytest.mark.gen_test
@pytest.mark.settings(webhooks=WEBHOOKS)
async def test_a_task_that_runs_ends_and_is_charged_once_whatever_of_its_records_is_spoilt(
    client: Client, storage: OpenStorage
) -> None:
    task_id = await client.start("Write a menu. [[standin:delay=1]]")
    ids = {"status": task_id, "events": task_id, "readers": task_id, "delivery": task_id}
    for name in (
        "status",
        "events",
        "readers",
        "delivery",
        "tasks",
        "unfinished",
        "usage",
        "deliveries_due",
        "deliveries",
    ):
        await spoil_type(storage.redis, storage.key(client.account_id, name, *([ids[name]] if name in ids else [])))
    path = f"{BASE}/generate-prompt-async/status/{task_id}/"

    async def has_ended() -> bool:
        answer = await client.ask("GET", path)
        assert answer.status in (200, 503)  # a client would take 404 for the end
        return answer.status == 200 and answer.json["progress"] == 100

    await until_true(has_ended)
    document = await client.finished(task_id)
    assert document["status"] == "completed"
    account = await Accounts(storage).show(client.account_id)
    assert (account.tokens_held, account.tokens_charged) == (0, document["tokens_used"])
    assert await Accounts(storage).audit(client.account_id) == []


@pytest.mark.gen_test
async def test_the_owner_of_a_running_task_writes_its_record_anew(
    client: Client, storage: OpenStorage, service: Service
) -> None:
    task_id, beside = [await client.start("Write a menu. [[standin:delay=1]]") for _ in range(2)]
    await spoil_type(storage.redis, storage.key(client.account_id, "task", task_id))
    await service.runner.renew()
    assert [(await client.finished(each))["status"] for each in (task_id, beside)] == ["completed", "completed"]


@pytest.mark.gen_test
@pytest.mark.parametrize("spoilt", ["ledger", "charged"])
async def test_a_task_whose_ledger_or_account_cannot_be_read_fails_at_once_and_nothing_is_charged_in_part(
    client: Client, storage: OpenStorage, http_client: AsyncHTTPClient, service: Service, spoilt: str
) -> None:
    other = await make_client(storage, http_client, client.base_url, tokens=1_000_000)
    account_key, ledger_key = (storage.key(client.account_id, name) for name in ("account", "ledger"))
    task_id = await client.start("Write a menu. [[standin:delay=1]]")
    await until_true(lambda: holds_tokens(storage, account_key))
    if spoilt == "ledger":
        await spoil_type(storage.redis, ledger_key)
    else:
        await storage.redis.hset(account_key, "charged", NO_TEXT)
    before = await storage.redis.hgetall(account_key)
    with structlog.testing.capture_logs() as lines:
        await until_true(lambda: runs_nothing(service))
        assert (await other.finished(await other.start("Write a menu.")))["status"] == "completed"
    assert await storage.redis.hgetall(account_key) == before
    assert set_aside(lines) == {ledger_key if spoilt == "ledger" else account_key}
    assert crashed(lines) == []
    ended = await client.ask("GET", f"{BASE}/generate-prompt-async/status/{task_id}/")
    assert (ended.json["status"], ended.json["error_code"]) == ("failed", "record_unreadable")


@pytest.mark.gen_test
async def test_a_request_that_needs_a_record_that_is_spoilt_is_told_so_and_the_log_names_the_record(
    client: Client, storage: OpenStorage, http_client: AsyncHTTPClient
) -> None:
    await live_a_little(client, storage)
    admin = {"Authorization": f"Bearer {(await AdminKeys(storage).create('shop')).key}"}
    key_of = storage.key
    account = f"/api/v1/admin/accounts/{client.account_id}/"
    grant = {"grant_id": "payment-2", "tokens": 5, "reason": "bought"}
    [idempotency] = [key async for key in storage.redis.scan_iter(match=f"{storage.prefix}:*:idempotency:*")]
    [api_key] = [
        key
        async for key in storage.redis.scan_iter(match=f"{storage.prefix}:api_key:*")
        if await storage.redis.get(key) == client.account_id.encode()
    ]
    prompt = {"manual_prompt": "Write a menu. [[standin:delay=60]]"}
    cases: list[tuple[str, str, str, Any, dict[str, str]]] = [
        (key_of(client.account_id, "account"), "POST", SUBMIT, prompt, {}),
        (key_of(client.account_id, "account"), "GET", "/api/v1/account/", None, {}),
        (key_of(client.account_id, "ledger"), "GET", "/api/v1/account/ledger/", None, {}),
        (key_of(client.account_id, "ledger"), "POST", account + "grants/", grant, admin),
        (key_of(client.account_id, "grants"), "POST", account + "grants/", grant, admin),
        (key_of(client.account_id, "api_keys"), "GET", account + "keys/", None, admin),
        (str(idempotency, "utf-8"), "POST", SUBMIT, prompt, {"Idempotency-Key": "one"}),
        (storage.shared_key("admin_keys"), "GET", account, None, admin),
    ]
    for key, method, path, body, headers in cases:
        kept = await storage.redis.dump(key)
        await spoil_type(storage.redis, key)
        with structlog.testing.capture_logs() as lines:
            answer = await client.ask(method, path, body, headers=headers)
        assert (answer.status, answer.json["error_code"], key) == (503, "record_unreadable", key)
        assert answer.headers["Retry-After"] == "60"
        assert key not in answer.body.decode()
        assert crashed(lines) == []
        assert kept is not None
        await storage.redis.restore(key, 0, kept, replace=True)
    for key in (key_of(client.account_id, "api_keys"), str(api_key, "utf-8")):
        await spoil_type(storage.redis, key)
    stranger = await make_client(storage, http_client, client.base_url, tokens=1)
    digest = await storage.redis.hkeys(key_of(stranger.account_id, "api_keys"))
    await storage.redis.hset(key_of(stranger.account_id, "api_keys"), digest[0], "[]")
    with structlog.testing.capture_logs() as lines:
        answer = await stranger.ask("GET", "/api/v1/account/")
    assert (answer.status, answer.json["error_code"]) == (503, "record_unreadable")
    assert set_aside(lines) == {
        f"{key_of(stranger.account_id, 'api_keys')} {digest[0].decode() if isinstance(digest[0], bytes) else digest[0]}"
    }
