"""A backend hears of every end, signed, and of none twice under two ids."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from email.utils import formatdate
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs
from tornado.httpclient import AsyncHTTPClient

from accounts import Accounts, AdminKeys
from generation.lease import Lease
from generation.lease_index import CLAIMED_FOR_S, SHARDS, TaskRef, shard_of
from generation.stages import CHECKING, INITIALIZING
from notifications import Deliveries, Notices, deliverer
from notifications import failed_deliveries as failed_index
from notifications.deliverer import PAUSES_S, Deliverer, pause_s
from notifications.low_balances import LowBalances
from notifications.workers import QUEUE_LIMIT
from runtime.configuration import InvalidSettings, load_settings, shown
from runtime.settings import Settings, WebhookSettings
from storage.errors import RecordUnreadable
from storage.redis_server import RedisServer
from storage.wire import Argument
from tests.generation.gemini.served import Recorded, serve
from tests.notifications.dead_process import TOKENS_USED, end_task_and_die
from tests.support.storage import OpenStorage
from tests.support.task_owner import owner
from tests.support.webhook_receiver import OTHER_SECRET, SECRET, Receiver
from tests.support.whole_server import START, Client, make_client

DRAFT = "Answer questions about our bakery. Open 7-18."
LOW_BELOW_900 = WebhookSettings(
    url="http://127.0.0.1:1/", secrets=(SecretStr(SECRET),), events=("account.low_balance",), low_balance_tokens=900
)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverer, "PAUSES_S", (0.0,) * len(PAUSES_S))


@pytest.fixture
def proxy(io_loop: Any, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """A proxy that refuses, named in the environment before the server starts."""
    made: Recorded = io_loop.run_sync(lambda: stack.enter_async_context(serve(Recorded(b"no", http_status=403))))
    monkeypatch.setenv("HTTPS_PROXY", made.url)
    return made


async def admin_of(storage: OpenStorage, client: Client) -> Client:
    key = await AdminKeys(storage).create("test")
    return Client(client.base_url, client.http, client.account_id, key.key)


async def deliveries(storage: OpenStorage, client: Client) -> list[Any]:
    answer = await (await admin_of(storage, client)).ask(
        "GET", f"/api/v1/admin/accounts/{client.account_id}/deliveries/"
    )
    assert answer.status == 200, answer.body
    found: list[Any] = answer.json["deliveries"]
    return found


@pytest.mark.gen_test
async def test_the_end_of_a_task_is_told_signed_and_without_its_prompt(client: Client, receiver: Receiver) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": DRAFT, "metadata": {"order": "4711", "who": "Jörg"}})
    final = await client.finished(answer.json["task_id"])
    [told] = await receiver.has(1)
    assert Webhook(SECRET).verify(told.body, told.headers) == told.event
    assert told.headers["content-type"] == "application/json"
    assert (told.id, told.event["type"]) == (final["task_id"], "task.completed")
    assert final["metadata"] == {"order": "4711", "who": "Jörg"}
    expected = {"account_id": client.account_id, **final}
    del expected["prompt"]
    assert told.event["data"] == expected
    assert told.event["timestamp"].endswith("Z")


@pytest.mark.gen_test
@pytest.mark.settings(webhooks={"include_prompt": True})
async def test_the_prompt_is_sent_where_the_settings_want_it(client: Client, receiver: Receiver) -> None:
    final = await client.finished(await client.start(DRAFT))
    [told] = await receiver.has(1)
    assert told.event["data"]["prompt"] == final["prompt"]


@pytest.mark.gen_test
async def test_a_body_that_was_changed_does_not_verify(client: Client, receiver: Receiver) -> None:
    await client.finished(await client.start(DRAFT))
    [told] = await receiver.has(1)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(told.body.replace(b"completed", b"cancelled"), told.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER_SECRET).verify(told.body, told.headers)


@pytest.mark.gen_test
@pytest.mark.settings(webhooks={"secrets": f"{OTHER_SECRET},{SECRET}"})
async def test_while_there_are_two_secrets_either_verifies(client: Client, receiver: Receiver) -> None:
    await client.finished(await client.start(DRAFT))
    [told] = await receiver.has(1)
    for secret in (SECRET, OTHER_SECRET):
        assert Webhook(secret).verify(told.body, told.headers)


@pytest.mark.gen_test
async def test_cancelled_and_failed_tasks_are_told_as_failed(
    client: Client, receiver: Receiver, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    task_id = await client.start(DRAFT + " [[standin:delay=60]]")
    await client.ask("POST", f"{START}cancel/{task_id}/")
    poor = await make_client(storage, http_client, base_url, tokens=5)
    await poor.finished(await poor.start(DRAFT))
    told = await receiver.has(2)
    assert {each.event["type"] for each in told} == {"task.failed"}
    assert {each.event["data"]["error_code"] for each in told} == {"cancelled", "insufficient_tokens"}


@pytest.mark.gen_test
@pytest.mark.settings(webhooks={"events": "task.failed"})
async def test_events_that_are_not_wanted_are_not_told(client: Client, receiver: Receiver) -> None:
    await client.finished(await client.start(DRAFT))
    task_id = await client.start(DRAFT + " [[standin:delay=60]]")
    await client.ask("POST", f"{START}cancel/{task_id}/")
    [told] = await receiver.has(1)
    assert told.id == task_id


@pytest.mark.gen_test
@pytest.mark.settings(webhooks={"low_balance_tokens": 99_000, "events": "account.low_balance"})
async def test_a_balance_that_falls_below_the_limit_is_told_once(client: Client, receiver: Receiver) -> None:
    final = await client.finished(await client.start(DRAFT))
    await client.finished(await client.start(DRAFT))
    [told] = await receiver.has(1)
    assert told.id == f"low-{final['task_id']}"
    assert told.event["type"] == "account.low_balance"
    left = 100_000 - final["tokens_used"]
    assert told.event["data"] == {
        "account_id": client.account_id,
        "tokens_remaining": left,
        "low_balance_tokens": 99_000,
    }


@pytest.mark.gen_test
@pytest.mark.settings(webhooks={"low_balance_tokens": 50_000, "events": "account.low_balance"})
async def test_tokens_that_are_taken_back_tell_of_a_low_balance_once(
    client: Client, receiver: Receiver, storage: OpenStorage
) -> None:
    admin, path = await admin_of(storage, client), f"/api/v1/admin/accounts/{client.account_id}/grants/"
    for grant_id, tokens in (("enough", -40_000), ("low", -20_000), ("low", -20_000), ("lower", -1)):
        answer = await admin.ask("POST", path, {"grant_id": grant_id, "tokens": tokens})
        assert answer.status == 200, answer.body
    [told] = await receiver.has(1)
    assert (told.event["type"], told.event["data"]["tokens_remaining"]) == ("account.low_balance", 40_000)
    assert [each["id"] for each in await deliveries(storage, client)] == [told.id]
    export = (await admin.ask("GET", path.replace("grants", "export"))).json
    assert export["webhooks"] == [{"id": told.id, "body": told.event}]


@pytest.mark.gen_test
async def test_a_settlement_that_comes_late_tells_of_a_low_balance(storage: OpenStorage) -> None:
    account_id = (await Accounts(storage).create(tokens=1_000, subscription_days=1)).account_id
    tasks = owner(storage, "owner", Notices(LOW_BELOW_900))
    lease = await tasks.submit(account_id, DRAFT, None)
    assert isinstance(lease, Lease)
    await tasks.advance(lease, INITIALIZING)
    await tasks.advance(lease, CHECKING)
    await tasks.hold(lease)
    await tasks.publish(lease, 1, b"{}", 200)
    await tasks.endings.fail_unsettled(lease.ref, lease)
    due = storage.key(account_id, "deliveries_due")
    assert await storage.redis.zrange(due, 0, -1) == []
    await tasks.endings.settle(lease.ref)
    assert await storage.redis.zrange(due, 0, -1) == [f"low-{lease.task_id}".encode()]


@pytest.mark.gen_test
@pytest.mark.usefixtures("no_pauses")
async def test_a_try_that_fails_is_repeated_with_the_same_id_and_body(
    client: Client, receiver: Receiver, storage: OpenStorage
) -> None:
    receiver.answers = [(500, {}), (302, {"Location": receiver.url}), (404, {})]
    await client.finished(await client.start(DRAFT))
    tries = await receiver.has(4)
    assert len({(each.id, each.body) for each in tries}) == 1
    for each in tries:
        assert Webhook(SECRET).verify(each.body, each.headers)
    while (found := await deliveries(storage, client))[0]["state"] == "pending":  # noqa: ASYNC110  # it is being written
        await asyncio.sleep(0.02)
    [delivery] = found
    assert (delivery["state"], delivery["tries"], delivery["last"]) == ("delivered", 4, "204")
    assert delivery["due_at"] is None


@pytest.mark.gen_test
@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(("answers", "tries"), [([(410, {})], 1), ([(503, {})] * 10, 10)])
async def test_tries_end_with_410_and_with_the_tenth_and_can_be_begun_again(
    client: Client, receiver: Receiver, storage: OpenStorage, answers: list[Any], tries: int
) -> None:
    receiver.answers = list(answers)
    task_id = await client.start(DRAFT)
    await client.finished(task_id)
    await receiver.has(tries)
    while (found := await deliveries(storage, client))[0]["state"] == "pending":  # noqa: ASYNC110  # it is being written
        await asyncio.sleep(0.02)
    assert (found[0]["state"], found[0]["tries"], found[0]["last"]) == ("failed", tries, str(answers[0][0]))
    admin = await admin_of(storage, client)
    path = f"/api/v1/admin/accounts/{client.account_id}/deliveries"
    again = await admin.ask("POST", f"{path}/{task_id}/resend/")
    assert (again.status, again.json["delivery"]["state"]) == (200, "pending")
    assert (await receiver.has(tries + 1))[-1].id == task_id
    unknown = await admin.ask("POST", f"{path}/{client.account_id}/resend/")
    assert (unknown.status, unknown.json["error_code"]) == (404, "delivery_not_found")


async def failed_deliveries(admin: Client, query: str = "") -> Any:
    answer = await admin.ask("GET", f"/api/v1/admin/failed-deliveries/{query}")
    assert answer.status == 200, answer.body
    return answer.json


@pytest.mark.gen_test
async def test_what_fails_is_listed_for_all_accounts_in_pages_until_it_is_sent_again(
    client: Client, receiver: Receiver, http_client: AsyncHTTPClient, storage: OpenStorage
) -> None:
    other = await make_client(storage, http_client, client.base_url, tokens=100_000)
    admin = await admin_of(storage, client)
    receiver.answers = [(410, {}), (503, {"Retry-After": "3600"}), (410, {})]
    ended = []
    for speaker in (client, other, client):
        ended.append(await speaker.start(DRAFT))
        await speaker.finished(ended[-1])
        while len((page := await failed_deliveries(admin))["deliveries"]) < len(ended):  # noqa: ASYNC110  # it is being written
            await asyncio.sleep(0.02)
    await other.finished(await other.start(DRAFT))
    await receiver.has(4)  # the last one was delivered
    assert page["next"] is None
    found = page["deliveries"]
    assert [(each["id"], each["account_id"], each["state"], each["last"]) for each in found] == [
        (ended[2], client.account_id, "failed", "410"),
        (ended[1], other.account_id, "pending", "503"),
        (ended[0], client.account_id, "failed", "410"),
    ]
    assert all(each["failed_at"] >= each["created_at"] for each in found)
    seen, before = [], ""
    while before is not None:
        page = await failed_deliveries(admin, f"?limit=1&before={before}")
        seen += page["deliveries"]
        before = page["next"]
    assert seen == found
    wrong = await admin.ask("GET", "/api/v1/admin/failed-deliveries/?before=nonsense")
    assert (wrong.status, wrong.json["error_code"]) == (400, "invalid_parameter")

    for each in found:
        path = f"/api/v1/admin/accounts/{each['account_id']}/deliveries/{each['id']}/resend/"
        assert (await admin.ask("POST", path)).status == 200
    assert {each.id for each in (await receiver.has(7))[4:]} == set(ended)
    assert await failed_deliveries(admin) == {"success": True, "deliveries": [], "next": None}


@pytest.mark.gen_test
async def test_a_webhook_that_arrives_in_the_end_and_one_of_a_deleted_account_are_listed_no_more(
    client: Client, receiver: Receiver, storage: OpenStorage, no_pauses: None
) -> None:
    admin = await admin_of(storage, client)
    receiver.answers = [(503, {}), (204, {}), (410, {})]
    await client.finished(await client.start(DRAFT))
    await receiver.has(2)
    while (await deliveries(storage, client))[0]["state"] == "pending":  # noqa: ASYNC110  # it is being written
        await asyncio.sleep(0.02)
    assert (await failed_deliveries(admin))["deliveries"] == []
    await client.finished(await client.start(DRAFT))
    while not (await failed_deliveries(admin))["deliveries"]:  # noqa: ASYNC110  # it is being written
        await asyncio.sleep(0.02)
    assert (await admin.ask("DELETE", f"/api/v1/admin/accounts/{client.account_id}/")).status == 200
    kept = [await listed_members(storage, shard) for shard in range(SHARDS)]
    assert kept == [[]] * SHARDS


async def listed_members(storage: OpenStorage, shard: int) -> list[Any]:
    key = storage.shared_key("failed_deliveries", f"{{{shard:02d}}}")
    members: list[Any] = await storage.command("ZRANGE", key, 0, -1)
    return members


def counting_storage(server: RedisServer, prefix: str, counted: itertools.count[int]) -> aclosing[OpenStorage]:
    return aclosing(OpenStorage(server.url, prefix=prefix, spoilt=lambda: next(counted)))


@pytest.mark.gen_test
async def test_the_list_of_failures_has_the_newest_only_and_survives_a_record_of_another_type(
    redis_server: RedisServer, key_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_index, "MAX_PER_SHARD", 3)
    counted = itertools.count()
    async with counting_storage(redis_server, key_prefix, counted) as storage:
        failed = failed_index.FailedDeliveries(storage)
        key = storage.shared_key("failed_deliveries", f"{{{shard_of('a b'):02d}}}")
        await storage.command("SET", key, "else")
        with capture_logs() as lines:
            assert await failed.page(10) == []
            await failed.note("a b", "delivery-0")
        assert [(line["event"], line["redis_key"]) for line in lines] == [("record_set_aside", key)]
        assert (next(counted), await storage.command("GET", f"{key}:set_aside")) == (1, b"else")
        for number in range(1, 6):
            await asyncio.sleep(0.002)  # the clock that orders them has milliseconds
            await failed.note("a b", f"delivery-{number}")
        page = await failed.page(10)
        assert [(each.delivery_id, each.account_id) for each in page] == [(f"delivery-{n}", "a b") for n in (5, 4, 3)]
        assert await failed.page(10, page[0].cursor) == page[1:]


@pytest.mark.gen_test
async def test_members_that_are_not_ours_are_taken_out_of_the_list_of_failures_counted_and_hide_no_other(
    redis_server: RedisServer, key_prefix: str
) -> None:
    counted = itertools.count()
    async with counting_storage(redis_server, key_prefix, counted) as storage:
        failed = failed_index.FailedDeliveries(storage)
        key = storage.shared_key("failed_deliveries", f"{{{shard_of('shop'):02d}}}")
        await failed.note("shop", "delivery-1")
        foreign = [
            ("-9e14", b"\xff\xfe{"),
            ("-8e14", b"no-space"),
            ("-inf", b"delivery-2 shop"),
            ("5", b"delivery-3 shop"),
        ]
        for score, member in (*foreign, ("-7e14", b"delivery-4 ")):
            await storage.command("ZADD", key, score, member)
        with capture_logs() as lines:
            assert [each.delivery_id for each in await failed.page(1)] == ["delivery-1"]
            assert [each.delivery_id for each in await failed.page(9)] == ["delivery-1"]
        assert next(counted) == 5 == len(lines)
        assert all(line["event"] == "record_set_aside" and line["redis_key"].startswith(f"{key} b") for line in lines)
        assert await listed_members(storage, shard_of("shop")) == [b"delivery-1 shop"]


def test_pauses_grow_to_three_days_and_respect_what_the_receiver_asks() -> None:
    assert 2.5 * 86_400 < sum(PAUSES_S) < 3.5 * 86_400
    assert len(PAUSES_S) == 9
    for number, pause in enumerate(PAUSES_S, 1):
        drawn = {pause_s(number, None) for _ in range(50)}
        assert len(drawn) > 1
        assert all(0.8 * pause <= each <= 1.2 * pause for each in drawn)
    assert pause_s(1, "120") == 120
    assert 100 < pause_s(1, formatdate(time.time() + 120, usegmt=True)) <= 121
    assert pause_s(1, "9" * 400) == 86_400
    for nonsense in ("soon", "-1", "", "1e9"):
        assert pause_s(1, nonsense) <= 6


@pytest.mark.gen_test
async def test_what_a_dead_process_left_undelivered_is_delivered_by_another(
    client: Client, receiver: Receiver, settings: Settings, storage: OpenStorage
) -> None:
    lease = await end_task_and_die(settings, client.account_id, DRAFT)
    [told] = await receiver.has(1)
    assert (told.id, told.event["data"]["tokens_used"]) == (lease.task_id, TOKENS_USED)


@pytest.mark.gen_test
async def test_webhooks_outlive_the_loss_of_the_index(
    client: Client, receiver: Receiver, storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer, "PAUSES_S", (3.0,) * len(PAUSES_S))
    receiver.answers = [(500, {})]
    task_id = await client.start(DRAFT)
    await client.finished(task_id)
    await receiver.has(1)
    while not (await deliveries(storage, client))[0]["last"]:  # noqa: ASYNC110  # it is being written
        await asyncio.sleep(0.02)
    for shard in range(16):
        await storage.command("DEL", storage.shared_key("leases", f"{{{shard:02d}}}"))
    assert {each.id for each in await receiver.has(2)} == {task_id}


@pytest.mark.gen_test
@pytest.mark.settings(
    webhooks={"connections": 3}, limits={"submits_per_second_per_account": 0, "unfinished_tasks_per_account": 100}
)
async def test_a_receiver_that_hangs_holds_up_no_generation_and_has_few_connections(
    client: Client, receiver: Receiver
) -> None:
    receiver.hangs = True
    ids = await asyncio.gather(*(client.start(DRAFT) for _ in range(10)))
    finals = await asyncio.gather(*map(client.finished, ids))
    assert {final["status"] for final in finals} == {"completed"}
    await receiver.has(3)
    assert receiver.most_open == 3
    receiver.hangs = False
    await receiver.has(10)
    assert set(receiver.tries()) == set(ids)
    assert receiver.most_open == 3


@pytest.mark.gen_test
async def test_metadata_that_is_no_small_object_of_strings_is_refused(client: Client) -> None:
    wrongs: list[Any] = [
        *("text", 5, [], {"a": 5}, {"": "a"}, {"a": None}, {"a": "b\0"}),
        {str(number): "" for number in range(17)},
        {"a": "x" * 501},
        {"n" * 65: ""},
    ]
    for wrong in wrongs:
        answer = await client.ask("POST", START, {"manual_prompt": DRAFT, "metadata": wrong})
        assert (answer.status, answer.json["error_code"]) == (400, "invalid_metadata"), wrong
    most = {str(number) + "n" * 60: "ü" * 500 for number in range(16)}
    answer = await client.ask("POST", START, {"manual_prompt": DRAFT, "metadata": most})
    assert answer.status == 202
    assert (await client.finished(answer.json["task_id"]))["metadata"] == most


@pytest.mark.gen_test
async def test_deleting_an_account_deletes_its_webhooks(
    client: Client, receiver: Receiver, storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.deliveries.DELETIONS_PER_BATCH", 2)
    for _task in range(3):
        await client.finished(await client.start(DRAFT))
    await receiver.has(3)
    admin = await admin_of(storage, client)
    assert (await admin.ask("DELETE", f"/api/v1/admin/accounts/{client.account_id}/?ledger=delete")).status in (
        200,
        204,
    )
    left = [key async for key in storage.redis.scan_iter(f"*{client.account_id}*deliver*")]
    assert left == []


@pytest.mark.settings(webhooks={"url": "https://app.example/hooks/"})
@pytest.mark.gen_test
async def test_webhooks_go_through_the_proxy_of_the_environment(
    proxy: Recorded, client: Client, storage: OpenStorage
) -> None:
    await client.finished(await client.start(DRAFT))
    told: dict[str, Any] = {"last": ""}
    while not told["last"]:
        [told] = await deliveries(storage, client)
        await asyncio.sleep(0.05)
    assert told["last"] == "unreachable"
    assert proxy.requests[0].startswith(b"CONNECT app.example:443")


def test_a_url_without_https_or_secret_is_refused_by_the_settings() -> None:
    good = {"url": "https://app.example/hooks/", "secrets": SECRET}
    assert json.dumps(shown(load_settings(None, {"webhooks": good}))).count("MfKQ9r8GK") == 0
    for wrong in (
        {"url": "http://app.example/"},
        {"url": "ftp://127.0.0.1/"},
        {"secrets": ""},
        {"secrets": "whsec_short"},
        {"secrets": SECRET.removeprefix("whsec_")},
        {"secrets": ",".join([SECRET] * 3)},
        {"events": "task.begun"},
    ):
        with pytest.raises(InvalidSettings):
            load_settings(None, {"webhooks": good | wrong})


@pytest.mark.gen_test
async def test_what_a_full_queue_has_no_room_for_is_left_alone_until_its_turn_can_come(storage: OpenStorage) -> None:
    sends = WebhookSettings(url="http://127.0.0.1:1/", secrets=(SecretStr(SECRET),), connections=1)
    async with aiohttp.ClientSession() as session:
        sender = Deliverer(session, sends)  # that has not begun: nothing is ever sent
        tasks = owner(storage, "owner", sender)
        waits = [sender.offer(TaskRef("a", f"task-{number}")) or 0 for number in range(QUEUE_LIMIT)]
        assert max(waits[:5]) < CLAIMED_FOR_S, "a short queue delays nothing"
        late = TaskRef("a", "late")
        await tasks.index.note([late], 0)
        await tasks.claims.let_go(late)
    (end,) = await storage.redis.zmscore(tasks.index.leases_key(shard_of("a")), ["late a"])
    now_s, _ = await storage.redis.time()
    assert end is not None
    assert 300 < end / 1000 - now_s < 700


@pytest.mark.gen_test
async def test_a_try_that_was_under_way_when_its_webhook_was_sent_again_counts_no_more(
    settings: Settings, storage: OpenStorage
) -> None:
    account_id = (await Accounts(storage).create(tokens=1_000, subscription_days=1)).account_id
    lease = await end_task_and_die(settings, account_id, DRAFT)
    webhooks = Deliveries(storage, owner(storage, "owner").index)
    [old], _ = await webhooks.claim(lease.ref)
    await webhooks.resend(account_id, lease.task_id)
    [new], _ = await webhooks.claim(lease.ref)
    assert (old.number, new.number) == (1, 1)
    await webhooks.end_try(lease.ref, new, "delivered", "204", 0)
    await webhooks.end_try(lease.ref, old, "failed", "410", 0)
    record = await storage.redis.hmget(storage.key(account_id, "delivery", lease.task_id), ["state", "last"])
    assert record == [b"delivered", b"204"]
    assert (await webhooks.failed_page(10))[0] == []


@pytest.mark.gen_test
async def test_no_try_lets_a_webhook_outlive_the_list_by_which_it_is_deleted(
    settings: Settings, storage: OpenStorage
) -> None:
    account_id = (await Accounts(storage).create(tokens=1_000, subscription_days=1)).account_id
    lease = await end_task_and_die(settings, account_id, DRAFT)
    webhooks = Deliveries(storage, owner(storage, "owner").index)
    record, due_key = storage.key(account_id, "delivery", lease.task_id), storage.key(account_id, "deliveries_due")
    await storage.redis.expire(record, 1_000)
    [first], _ = await webhooks.claim(lease.ref)
    await storage.redis.delete(due_key)
    await webhooks.end_try(lease.ref, first, "pending", "503", 60)
    assert 0 < await storage.redis.ttl(record) <= 1_000
    assert await storage.redis.ttl(due_key) > 0
    await webhooks.resend(account_id, lease.task_id)
    assert 0 < await storage.redis.ttl(record) <= 1_000


@pytest.mark.gen_test
async def test_a_deletion_finds_failures_that_the_list_has_forgotten(storage: OpenStorage) -> None:
    webhooks, failed = Deliveries(storage, owner(storage, "owner").index), failed_index.FailedDeliveries(storage)
    await failed.note("shop", "old")
    other = next(f"other-{n}" for n in itertools.count() if shard_of(f"other-{n}") == shard_of("shop"))
    await failed.note(other, "old")
    await webhooks.delete_all("shop")
    assert [each.account_id for each in await failed.page(10)] == [other]


@pytest.mark.gen_test
async def test_a_failure_is_listed_before_its_record_says_so_and_no_more_when_that_is_gone(
    settings: Settings, storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = (await Accounts(storage).create(tokens=1_000, subscription_days=1)).account_id
    lease = await end_task_and_die(settings, account_id, DRAFT)
    webhooks, failed = Deliveries(storage, owner(storage, "owner").index), failed_index.FailedDeliveries(storage)
    [due], _ = await webhooks.claim(lease.ref)
    listed, run = [], storage.run

    async def watched(name: str, *args: Any) -> Any:
        if name == "end_try":
            listed.append([each.delivery_id for each in await failed.page(10)])
        return await run(name, *args)

    monkeypatch.setattr(storage, "run", watched)
    await webhooks.end_try(lease.ref, due, "failed", "410", 0)
    assert listed == [[lease.task_id]]
    await webhooks.delete_all(account_id)
    await webhooks.end_try(lease.ref, due, "failed", "410", 0)
    assert await failed.page(10) == []


class Died(Exception):
    """Of a process, after Redis has run the script."""


class DiesAfter(LowBalances):
    async def answered(self, account_id: str, call_id: str, *, due: bool) -> None:
        raise Died


async def take_back_once(accounts: Accounts, account_id: str) -> None:
    await accounts.grants.add_once(account_id, "refund", -200)


async def take_back(accounts: Accounts, account_id: str) -> None:
    await accounts.grants.add(account_id, -200)


@pytest.mark.gen_test
@pytest.mark.parametrize("take", [take_back, take_back_once])
async def test_a_low_balance_is_told_of_when_the_process_that_took_the_tokens_back_has_died(
    storage: OpenStorage, take: Callable[[Accounts, str], Awaitable[None]]
) -> None:
    accounts, index = Accounts(storage), owner(storage, "owner").index
    account_id = (await accounts.create(tokens=1_000)).account_id
    accounts.grants.taken_back = DiesAfter(index, LOW_BELOW_900)
    with pytest.raises(Died):
        await take(accounts, account_id)
    [due], _next = await Deliveries(storage, index).page(account_id, 10, None)
    body: Any = await storage.redis.hget(storage.key(account_id, "delivery", due.id), "body")
    assert json.loads(body) == {"tokens_remaining": 800, "low_balance_tokens": 900}
    member = f"{due.task_id} {account_id}"
    leases = index.leases_key(shard_of(account_id))
    assert await storage.redis.zrange(leases, 0, -1) == [member.encode()]  # a reaper finds it


class CallsTwice(OpenStorage):
    """A connection that loses each answer and calls again."""

    async def run(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        await super().run(script, keys, args)
        return await super().run(script, keys, args)


@pytest.mark.gen_test
@pytest.mark.parametrize("take", [take_back, take_back_once])
async def test_a_low_balance_is_told_of_once_when_the_call_is_repeated(
    storage: OpenStorage, take: Callable[[Accounts, str], Awaitable[None]]
) -> None:
    accounts, index = Accounts(storage), owner(storage, "owner").index
    account_id = (await accounts.create(tokens=1_000)).account_id
    accounts.grants.taken_back = LowBalances(index, LOW_BELOW_900)
    storage.__class__ = CallsTwice
    await take(accounts, account_id)
    assert (await accounts.show(account_id)).tokens_remaining == 800
    assert await storage.redis.zcard(storage.key(account_id, "deliveries_due")) == 1
    assert await storage.redis.zcard(index.leases_key(shard_of(account_id))) == 1


@pytest.mark.gen_test
async def test_of_tokens_that_are_taken_back_at_once_those_that_pass_the_limit_tell_of_it(storage: OpenStorage) -> None:
    accounts, index = Accounts(storage), owner(storage, "owner").index
    accounts.grants.taken_back = LowBalances(index, LOW_BELOW_900)
    account_id = (await accounts.create(tokens=1_000)).account_id
    await asyncio.gather(*(accounts.grants.add(account_id, -20) for _ in range(10)))
    assert await storage.redis.zcard(storage.key(account_id, "deliveries")) == 1


@pytest.mark.gen_test
async def test_tokens_that_could_not_be_taken_back_leave_nothing_to_look_for(storage: OpenStorage) -> None:
    accounts, index = Accounts(storage), owner(storage, "owner").index
    accounts.grants.taken_back = LowBalances(index, LOW_BELOW_900)
    account_id = (await accounts.create(tokens=1_000)).account_id
    await storage.redis.set(storage.key(account_id, "ledger"), "no ledger")
    with pytest.raises(RecordUnreadable):
        await accounts.grants.add(account_id, -200)
    assert await storage.redis.zcard(index.leases_key(shard_of(account_id))) == 0


@pytest.mark.gen_test
async def test_no_index_names_a_deleted_account_whose_webhook_is_due_much_later(storage: OpenStorage) -> None:
    accounts, index = Accounts(storage), owner(storage, "owner").index
    accounts.grants.taken_back = LowBalances(index, LOW_BELOW_900)
    account_id = (await accounts.create(tokens=1_000)).account_id
    await accounts.grants.add(account_id, -200)
    webhooks, leases = Deliveries(storage, index), index.leases_key(shard_of(account_id))
    assert await storage.redis.zcard(leases) == 1
    await webhooks.delete_all(account_id)
    assert await storage.redis.zcard(leases) == 0


@pytest.mark.gen_test
@pytest.mark.parametrize("lost", ["deliveries", "deliveries_due"])
async def test_a_deletion_finds_a_webhook_that_one_of_the_two_lists_has_lost(storage: OpenStorage, lost: str) -> None:
    accounts, index = Accounts(storage), owner(storage, "owner").index
    accounts.grants.taken_back = LowBalances(index, LOW_BELOW_900)
    account_id = (await accounts.create(tokens=1_000)).account_id
    await accounts.grants.add(account_id, -200)
    assert await storage.redis.delete(storage.key(account_id, lost)) == 1
    await Deliveries(storage, index).delete_all(account_id)
    assert [key async for key in storage.redis.scan_iter(storage.key(account_id, "deliver*"))] == []


@pytest.mark.gen_test
async def test_no_low_balance_is_told_of_an_account_that_is_closed(storage: OpenStorage) -> None:
    accounts, index = Accounts(storage), owner(storage, "owner").index
    accounts.grants.taken_back = LowBalances(index, LOW_BELOW_900)
    account_id = (await accounts.create(tokens=1_000)).account_id
    await accounts.close(account_id)
    await accounts.grants.add(account_id, -200)
    assert await storage.redis.exists(storage.key(account_id, "deliveries")) == 0
