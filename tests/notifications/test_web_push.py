"""A browser hears of the end of a task that nobody watches: encrypted for it alone, once, and without the prompt."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from accounts import AccountClosed, Accounts, AdminKeys, WatchTokens
from main import cli
from notifications import pushes
from notifications.pushes import PAUSES_S
from notifications.subscriptions import MAX_SUBSCRIPTIONS, PushSubscription, PushSubscriptions
from notifications.vapid import new_private_key, public_key
from runtime.configuration import InvalidSettings, load_settings, shown
from runtime.settings import Settings
from tests.notifications.dead_process import end_task_and_die
from tests.support.storage import OpenStorage
from tests.support.whole_server import BASE, START, Client

pytest.importorskip("pywebpush", reason="pywebpush is an extra")
from tests.support.push_service import Browser, PushService, base64url, serve_push_service

DRAFT = "Answer questions about our bakery. Open 7-18."
PATH = "/api/v1/account/push-subscriptions/"
PRIVATE = new_private_key()
SUBJECT = "mailto:ops@example.com"


@pytest.fixture
def push_service(io_loop: Any, stack: AsyncExitStack) -> PushService:
    made: PushService = io_loop.run_sync(lambda: stack.enter_async_context(serve_push_service()))
    return made


@pytest.fixture
def changes(request: pytest.FixtureRequest, push_service: PushService) -> dict[str, dict[str, Any]]:
    """Settings of one test, with Web Push and no webhooks; reapers are quick."""
    marker = request.node.get_closest_marker("settings")
    sections = dict(marker.kwargs) if marker else {}
    web_push = {"private_key": PRIVATE, "subject": SUBJECT, "allow_loopback": True, "unseen_s": 0}
    return sections | {
        "web_push": web_push | sections.get("web_push", {}),
        "tasks": {"reap_every_s": 0.2, "lease_s": 2.0, "renew_every_s": 0.5},
    }


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushes, "PAUSES_S", (0.0,) * len(PAUSES_S))


async def subscribed(client: Client, service: PushService, name: str = "one", **more: Any) -> Browser:
    browser = Browser(service, name)
    answer = await client.ask("POST", PATH, browser.subscription(**more))
    assert answer.status == 201, answer.body
    return browser


async def endpoints(client: Client) -> list[str]:
    answer = await client.ask("GET", PATH)
    return [each["endpoint"] for each in answer.json["subscriptions"]]


@pytest.mark.gen_test
async def test_the_end_is_pushed_encrypted_and_signed_and_without_the_prompt(
    client: Client, push_service: PushService
) -> None:
    browser = await subscribed(client, push_service)
    task_id = await client.start(DRAFT)
    [push] = await push_service.has(1)
    assert browser.read(push) == {"title": "Your prompt is ready", "task_id": task_id, "status": "completed"}
    assert b"bakery" not in push.body
    claims, key = push_service.sender_of(push)
    assert claims["sub"] == SUBJECT
    assert time.time() < claims["exp"] <= time.time() + 86_400
    assert key == public_key(PRIVATE) == (await client.ask("GET", "/api/v1/account/")).json["web_push_key"]
    assert push.headers["ttl"] == "600"
    assert push.headers["topic"] == task_id.replace("-", "")
    with pytest.raises(Exception, match=r"(?i)decrypt|tag|invalid"):
        Browser(push_service, "another").read(push)


@pytest.mark.gen_test
async def test_every_browser_of_the_account_is_told_in_its_own_words(client: Client, push_service: PushService) -> None:
    german = await subscribed(client, push_service, "german", titles={"completed": "Dein Prompt ist fertig"})
    english = await subscribed(client, push_service, "english")
    await client.start(DRAFT)
    came = {push.path: push for push in await push_service.has(2)}
    assert german.read(came[german.path])["title"] == "Dein Prompt ist fertig"
    assert english.read(came[english.path])["title"] == "Your prompt is ready"


@pytest.mark.gen_test
async def test_a_task_that_was_cancelled_is_not_pushed(client: Client, push_service: PushService) -> None:
    browser = await subscribed(client, push_service)
    cancelled = await client.start(DRAFT + " [[standin:delay=60]]")
    await client.ask("POST", f"{START}cancel/{cancelled}/")
    ended = await client.start(DRAFT)
    [push] = await push_service.has(1)
    assert browser.read(push)["task_id"] == ended


async def poll_to_the_end(client: Client, task_id: str) -> None:
    while (await client.status(task_id)).json["status"] not in ("completed", "failed"):  # noqa: ASYNC110  # it polls
        await asyncio.sleep(0.02)


async def wait_for_the_end(client: Client, task_id: str) -> None:
    await client.finished(task_id)


async def follow_to_the_end(client: Client, task_id: str) -> None:
    answer = await client.ask("GET", f"{START}events/{task_id}/")
    assert b"event: end" in answer.body


@pytest.mark.gen_test
@pytest.mark.settings(web_push={"unseen_s": 60})
@pytest.mark.parametrize("see", [poll_to_the_end, wait_for_the_end, follow_to_the_end])
async def test_an_end_that_somebody_sees_is_not_pushed(
    client: Client, push_service: PushService, storage: OpenStorage, see: Callable[[Client, str], Awaitable[None]]
) -> None:
    await subscribed(client, push_service)
    unseen, seen = [await client.start(DRAFT) for _ in range(2)]
    await see(client, seen)
    await until_pending(client, storage, [unseen])


@pytest.mark.gen_test
@pytest.mark.settings(web_push={"unseen_s": 60})
@pytest.mark.parametrize("balance", [100_000, 10])
async def test_who_gets_the_end_as_the_answer_to_the_request_is_not_notified_of_it(
    client: Client, push_service: PushService, storage: OpenStorage, balance: int
) -> None:
    await subscribed(client, push_service)
    if balance < 700:
        await Accounts(storage).grants.add(client.account_id, balance - 100_000, "taken back")
    unseen = await client.start(DRAFT)
    answer = await client.ask("POST", f"{BASE}/generate-prompt/", {"manual_prompt": DRAFT})
    assert answer.status == (200 if balance >= 700 else 402)
    await until_pending(client, storage, [unseen])


async def until_pending(client: Client, storage: OpenStorage, task_ids: list[str]) -> None:
    """Wait until just these tasks' notifications are there to be sent."""
    key = storage.key(client.account_id, "deliveries_due")
    wanted = {f"push-{task_id}".encode() for task_id in task_ids}
    async with asyncio.timeout(180):
        while set(await storage.command("ZRANGE", key, 0, -1)) != wanted:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.05)


@pytest.mark.gen_test
@pytest.mark.settings(web_push={"unseen_s": 1})
async def test_who_leaves_before_the_end_is_notified_when_nobody_has_come_for_it(
    client: Client, push_service: PushService
) -> None:
    browser = await subscribed(client, push_service)
    task_id = await client.start(DRAFT + " [[standin:delay=1]]")
    address = urlsplit(client.base_url)
    lines, leaver = await asyncio.open_connection(address.hostname, address.port)
    head = f"GET {START}events/{task_id}/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {client.api_key}\r\n\r\n"
    leaver.write(head.encode())
    await lines.readuntil(b'"progress":50')
    leaver.close()  # well before the end
    [push] = await push_service.has(1)
    assert browser.read(push)["task_id"] == task_id


@pytest.mark.gen_test
async def test_a_failure_is_pushed_as_one(client: Client, push_service: PushService, storage: OpenStorage) -> None:
    browser = await subscribed(client, push_service, titles={"failed": "Nothing came of it"})
    accounts = Accounts(storage)
    balance = (await accounts.show(client.account_id)).tokens_remaining
    await accounts.grants.add(client.account_id, -balance, "taken back")
    await client.start(DRAFT)
    [push] = await push_service.has(1)
    assert browser.read(push)["title"] == "Nothing came of it"
    assert browser.read(push)["status"] == "failed"


@pytest.mark.gen_test
@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_gone_is_removed_and_the_others_are_told(
    client: Client, push_service: PushService, storage: OpenStorage, status: int
) -> None:
    left, stays = await subscribed(client, push_service, "left"), await subscribed(client, push_service, "stays")
    push_service.answers[left.path] = [status]
    await client.start(DRAFT)
    await push_service.has(2)
    await delivery(client, storage, lambda each: each["state"] == "delivered")
    assert await endpoints(client) == [stays.endpoint]
    await client.start(DRAFT)
    await push_service.has(3)
    assert [push.path for push in push_service.received].count(left.path) == 1


@pytest.mark.gen_test
async def test_what_a_push_service_could_not_take_comes_again_and_only_there(
    client: Client, push_service: PushService, no_pauses: None
) -> None:
    troubled, well = await subscribed(client, push_service, "troubled"), await subscribed(client, push_service, "well")
    push_service.answers[troubled.path] = [503, 429]
    await client.start(DRAFT)
    came = [push.path for push in await push_service.has(4)]
    assert (came.count(troubled.path), came.count(well.path)) == (3, 1)
    assert sorted(await endpoints(client)) == sorted([troubled.endpoint, well.endpoint])


async def delivery(client: Client, storage: OpenStorage, reached: Callable[[Any], bool]) -> Any:
    key = await AdminKeys(storage).create("test")
    admin = Client(client.base_url, client.http, client.account_id, key.key)
    async with asyncio.timeout(180):
        while True:  # nothing tells a client of the record
            answer = await admin.ask("GET", f"/api/v1/admin/accounts/{client.account_id}/deliveries/")
            found = answer.json["deliveries"]
            if found and reached(found[0]):
                return found[0]
            await asyncio.sleep(0.05)


@pytest.mark.gen_test
async def test_tries_end_and_the_delivery_says_how(
    client: Client, push_service: PushService, storage: OpenStorage, no_pauses: None
) -> None:
    browser = await subscribed(client, push_service)
    push_service.answers[browser.path] = [500] * 20
    task_id = await client.start(DRAFT)
    found = await delivery(client, storage, lambda each: each["state"] == "failed")
    assert (found["id"], found["task_id"], found["type"]) == (f"push-{task_id}", task_id, "push.completed")
    assert found["tries"] == len(PAUSES_S) + 1 == len(push_service.received)


@pytest.mark.gen_test
async def test_a_notification_is_sent_again_when_an_operator_asks(
    client: Client, push_service: PushService, storage: OpenStorage
) -> None:
    browser = await subscribed(client, push_service)
    task_id = await client.start(DRAFT)
    sent = await delivery(client, storage, lambda each: each["state"] == "delivered")
    key = await AdminKeys(storage).create("test")
    admin = Client(client.base_url, client.http, client.account_id, key.key)
    path = f"/api/v1/admin/accounts/{client.account_id}/deliveries/{sent['id']}/resend/"
    answer = await admin.ask("POST", path)
    assert (answer.status, answer.json["delivery"]["state"]) == (200, "pending"), answer.body
    first, again = await push_service.has(2)
    assert browser.read(first) == browser.read(again)
    assert browser.read(again)["task_id"] == task_id


@pytest.mark.gen_test
async def test_a_watch_token_neither_reads_nor_changes_push_subscriptions(
    client: Client, push_service: PushService, storage: OpenStorage
) -> None:
    browser = await subscribed(client, push_service)
    token = (await WatchTokens(storage).signer()).make(client.account_id, await client.start(DRAFT))
    watcher = Client(client.base_url, client.http, client.account_id, token)
    bodies = {"GET": None, "POST": browser.subscription(), "DELETE": {"endpoint": browser.endpoint}}
    for method, body in bodies.items():
        answer = await watcher.ask(method, PATH, body)
        assert (answer.status, answer.json["error_code"]) == (403, "forbidden_for_watch_token"), method
    assert await endpoints(client) == [browser.endpoint]


@pytest.mark.gen_test
async def test_a_refusal_is_not_repeated(client: Client, push_service: PushService, storage: OpenStorage) -> None:
    browser = await subscribed(client, push_service)
    push_service.answers[browser.path] = [403]
    await client.start(DRAFT)
    found = await delivery(client, storage, lambda each: each["state"] != "pending")
    assert (found["state"], found["last"], found["tries"]) == ("failed", "refused", 1)


@pytest.mark.gen_test
async def test_what_a_process_that_died_left_is_pushed_by_another(
    client: Client, settings: Settings, push_service: PushService
) -> None:
    browser = await subscribed(client, push_service)
    lease = await end_task_and_die(settings, client.account_id, DRAFT, push=True)
    [push] = await push_service.has(1)
    assert browser.read(push)["task_id"] == lease.task_id


@pytest.mark.gen_test
async def test_a_push_service_that_hangs_holds_up_no_generation(client: Client, push_service: PushService) -> None:
    push_service.hangs = True
    await subscribed(client, push_service)
    ids = [await client.start(DRAFT) for _ in range(3)]
    for task_id in ids:
        assert (await client.finished(task_id))["status"] == "completed"


@pytest.mark.gen_test
async def test_subscribing_twice_is_one_subscription_and_unsubscribing_ends_it(
    client: Client, push_service: PushService
) -> None:
    browser = await subscribed(client, push_service)
    await client.ask("POST", PATH, browser.subscription())
    assert await endpoints(client) == [browser.endpoint]
    answer = await client.ask("DELETE", PATH, {"endpoint": browser.endpoint})
    assert (answer.status, await endpoints(client)) == (200, [])
    answer = await client.ask("DELETE", PATH, {"endpoint": browser.endpoint})
    assert (answer.status, answer.json["error_code"]) == (404, "subscription_not_found")


@pytest.mark.gen_test
async def test_above_the_limit_the_oldest_subscription_goes(client: Client, push_service: PushService) -> None:
    browsers = [await subscribed(client, push_service, f"b{n}") for n in range(MAX_SUBSCRIPTIONS + 1)]
    kept = await endpoints(client)
    assert len(kept) == MAX_SUBSCRIPTIONS
    assert browsers[-1].endpoint in kept


POINT = base64url(b"\x04" + bytes(64))  # not on the curve


@pytest.mark.gen_test
@pytest.mark.settings(web_push={"allow_loopback": False})
@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/a",
        "http://127.0.0.1:6379/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/a",
        "https://169.254.169.254/latest",
        "https://localhost/a",
        "https://redis/a",
        "https://push.internal/a",
        "https://user@push.example.com/a",
        "https://push.example.com/a b",
        "https://push.example.com:port/",
        "ftp://push.example.com/a",
        "https://push.example.com/" + "a" * 2_048,
        "",
    ],
)
async def test_an_endpoint_must_be_a_public_address_with_https(
    client: Client, push_service: PushService, endpoint: str
) -> None:
    body = Browser(push_service, "x").subscription() | {"endpoint": endpoint}
    answer = await client.ask("POST", PATH, body)
    assert answer.status == 400, answer.body
    assert await endpoints(client) == []
    answer = await client.ask("POST", PATH, body | {"endpoint": "https://updates.push.example.com/wpush/v2/abc"})
    assert answer.status == 201, answer.body


@pytest.mark.gen_test
async def test_an_invalid_subscription_is_refused_with_the_reason(client: Client, push_service: PushService) -> None:
    right = Browser(push_service, "x").subscription()
    wrong_ones: tuple[Any, ...] = (
        {},
        [],
        right | {"keys": {}},
        right | {"keys": right["keys"] | {"p256dh": POINT}},
        right | {"keys": right["keys"] | {"p256dh": "AAAA"}},
        right | {"keys": right["keys"] | {"auth": "?"}},
        right | {"titles": {"completed": "t" * 121}},
    )
    for wrong in wrong_ones:
        answer = await client.ask("POST", PATH, wrong)
        assert answer.status == 400, wrong
        assert answer.json["error"].endswith(".")
    assert await endpoints(client) == []


@pytest.mark.gen_test
async def test_subscriptions_are_exported_without_keys_and_deleted_with_the_account(
    client: Client, push_service: PushService, storage: OpenStorage
) -> None:
    browser = await subscribed(client, push_service)
    key = await AdminKeys(storage).create("test")
    admin = Client(client.base_url, client.http, client.account_id, key.key)
    path = f"/api/v1/admin/accounts/{client.account_id}/"
    exported = await admin.ask("GET", f"{path}export/")
    assert [each["endpoint"] for each in exported.json["push_subscriptions"]] == [browser.endpoint]
    assert browser.subscription()["keys"]["auth"].encode() not in exported.body
    assert (await admin.ask("DELETE", path)).status == 200
    assert await PushSubscriptions(storage).of(client.account_id) == []


@pytest.mark.gen_test
@pytest.mark.settings(web_push={"private_key": "", "subject": ""})
async def test_without_keys_nobody_can_subscribe(client: Client, push_service: PushService) -> None:
    answer = await client.ask("POST", PATH, Browser(push_service, "x").subscription())
    assert (answer.status, answer.json["error_code"]) == (404, "push_not_configured")
    assert (await client.ask("GET", PATH)).json["web_push_key"] is None


def test_the_command_makes_keys_that_the_settings_take_and_never_show(tmp_path: Path) -> None:
    made = json.loads(CliRunner().invoke(cli, ["web-push", "keys", "--json"]).stdout)
    settings = load_settings(None, {"web_push": {"private_key": made["private_key"], "subject": SUBJECT}})
    assert made["private_key"] not in json.dumps(shown(settings))
    assert public_key(made["private_key"]) == made["public_key"]
    for wrong in ({"private_key": "short", "subject": SUBJECT}, {"private_key": made["private_key"]}):
        with pytest.raises(InvalidSettings):
            load_settings(None, {"web_push": wrong})


@pytest.mark.gen_test
async def test_no_browser_is_subscribed_while_its_account_is_being_deleted(
    push_service: PushService, storage: OpenStorage
) -> None:
    accounts, subscriptions = Accounts(storage), PushSubscriptions(storage, allow_loopback=True)
    account = (await accounts.create(tokens=1, subscription_days=1)).account_id
    given = Browser(push_service, "late").subscription()
    late = PushSubscription(given["endpoint"], **given["keys"])
    await subscriptions.add(account, late)
    await accounts.close(account)
    await subscriptions.delete_all(account)
    with pytest.raises(AccountClosed):
        await subscriptions.add(account, late)
    assert await subscriptions.of(account) == []
