"""The admin API: who may, what each verb does, and that a repeated one does nothing twice."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, unquote

import pytest
import structlog
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.web import Application

from accounts import Accounts, AdminKeys
from accounts.grants import Grants
from handlers.admin.base import client_address
from storage.errors import StorageUnavailable
from tests.support.http_reply import HttpReply
from tests.support.storage import OpenStorage
from tests.support.whole_server import BASE, Client

ADMIN = "/api/v1/admin"


@dataclass
class Backend(Client):
    """Speaks with an admin key."""

    async def do(self, method: str, path: str, body: Any = None) -> HttpReply:
        return await self.ask(method, ADMIN + path, body)


@pytest.fixture
def backend(
    io_loop: Any, app: Application, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> Backend:
    key = io_loop.run_sync(lambda: AdminKeys(storage).create("shop"))
    return Backend(base_url, http_client, "", key.key)


@pytest.mark.gen_test
async def test_an_account_is_made_once_however_often_the_same_is_asked_for(backend: Backend) -> None:
    body = {"account_id": "o'brien", "name": "O'Brien & Söhne", "tokens": 500, "subscription_days": 30}
    answers = await asyncio.gather(*(backend.do("POST", "/accounts/", body) for _ in range(10)))
    assert {answer.status for answer in answers} == {201}
    assert {answer.json["account"]["tokens_remaining"] for answer in answers} == {500}
    other = await backend.do("POST", "/accounts", body | {"tokens": 501})
    assert (other.status, other.json["error_code"]) == (409, "account_exists")
    named = await backend.do("POST", "/accounts/", {})
    assert named.json["account"]["account_id"].startswith("acc_")


@pytest.mark.gen_test
async def test_accounts_are_listed_in_pages_by_their_ids(backend: Backend) -> None:
    ids = sorted([f"user-{number}" for number in range(25)] + ["Jörg Müller", "a/b?c", "{x}"], key=str.encode)
    for account_id in ids:
        assert (await backend.do("POST", "/accounts/", {"account_id": account_id})).status == 201
    seen, after = [], ""
    while True:
        page = (await backend.do("GET", f"/accounts/?limit=10&after={quote(after)}")).json
        assert len(page["accounts"]) <= 10
        seen += [account["account_id"] for account in page["accounts"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == ids
    for account_id in ids:
        found = await backend.do("GET", f"/accounts/{quote(account_id, safe='')}/")
        assert found.json["account"]["account_id"] == account_id


@pytest.mark.gen_test
async def test_an_account_is_changed(backend: Backend, client: Client) -> None:
    path = f"/accounts/{client.account_id}/"
    changed = await backend.do("PATCH", path, {"name": "Bäckerei", "business_type": "restaurant"})
    assert changed.json["account"]["name"] == "Bäckerei"
    until = await backend.do("PATCH", path, {"subscription_until": "2031-05-01T12:00:00+02:00"})
    assert until.json["account"]["subscription_until"] == "2031-05-01T10:00:00Z"
    ended = await backend.do("PATCH", path, {"subscription_days": 0})
    assert ended.json["account"]["subscription_active"] is False
    assert (await client.ask("GET", "/api/v1/account/")).json["name"] == "Bäckerei"
    both = await backend.do("PATCH", path, {"name": "Café", "subscription_days": 2})
    assert (both.json["account"]["name"], both.json["account"]["subscription_active"]) == ("Café", True)


@pytest.mark.gen_test
async def test_a_task_is_found_by_its_id_alone_until_its_account_is_deleted(
    backend: Backend, client: Client, storage: OpenStorage
) -> None:
    running = await client.start("A menu. [[standin:delay=60]]")
    ended = await client.start("A menu.")
    final = await client.finished(ended)
    for task_id in (running.upper(), ended):
        found = await backend.do("GET", f"/tasks/{task_id}/")
        assert found.status == 200
        assert (found.json["account_id"], found.json["task"]["task_id"]) == (client.account_id, task_id.lower())
    assert found.json["task"] == final
    assert (await client.ask("GET", f"{ADMIN}/tasks/{ended}/")).status == 403
    for unknown in ("00000000-0000-4000-8000-000000000000", "x", "%7B00%7D"):
        missing = await backend.do("GET", f"/tasks/{unknown}/")
        assert (missing.status, missing.json["error_code"]) == (404, "task_not_found")
    await storage.redis.delete(storage.key(client.account_id, "status", ended))  # what ten minutes do
    await storage.redis.delete(storage.key(client.account_id, "task", ended))
    await eventually_null(backend, client, ended)
    await backend.do("DELETE", f"/accounts/{client.account_id}/?ledger=delete")
    for task_id in (running, ended):
        assert (await backend.do("GET", f"/tasks/{task_id}/")).status == 404


async def eventually_null(backend: Backend, client: Client, task_id: str) -> None:
    """Wait until the task's document is gone: the copy of it learns that from Redis."""
    found: dict[str, Any] = {"task": {}}
    while found["task"] is not None:
        found = (await backend.do("GET", f"/tasks/{task_id}/")).json
        assert found["account_id"] == client.account_id


@pytest.mark.gen_test
async def test_a_key_that_is_sent_for_an_account_s_id_is_in_no_line_however_it_is_encoded(
    backend: Backend, http_client: AsyncHTTPClient, base_url: str
) -> None:
    key = backend.api_key
    nobody = Client(base_url, http_client, "", "pa_" + "0" * 43)
    sent = [key.replace("_", "%5F"), key.replace("_", "%255F"), "x" * 230 + key.replace("_", "%255F")]
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        for caller, status in ((nobody, 401), (backend, 404)):
            for account_id in sent:
                assert (await caller.ask("GET", f"{ADMIN}/accounts/{account_id}/")).status == status
    text = unquote(unquote(json.dumps(lines, default=str)))
    assert key[3:20] not in text
    assert len([line for line in lines if line["event"] == "request"]) == 6
    assert not any("account_id" in line for line in lines if line.get("status") == 401), "nobody may say what they like"


@pytest.mark.gen_test
async def test_what_an_operator_reads_is_logged_with_the_admin_key_s_id(
    backend: Backend, client: Client, storage: OpenStorage
) -> None:
    [admin_key] = await AdminKeys(storage).list_all()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await backend.do("GET", f"/accounts/{client.account_id}/tasks/")
    [line] = [line for line in lines if line["event"] == "request"]
    assert (line["by"], line["account_id"]) == (admin_key.key_id, client.account_id)


@pytest.mark.gen_test
async def test_a_whole_number_of_tokens_may_be_written_as_any_language_writes_it(
    backend: Backend, client: Client
) -> None:
    path = f"/accounts/{client.account_id}/grants/"
    granted = await backend.do("POST", path, {"grant_id": "one", "tokens": 1_000.0})
    assert (granted.status, granted.json["entry"]["tokens"]) == (200, 1_000)
    half = await backend.do("POST", path, {"grant_id": "half", "tokens": 0.5})
    assert (half.status, half.json["error_code"]) == (400, "invalid_body")


@pytest.mark.gen_test
async def test_a_grant_counts_once_for_each_id(backend: Backend, client: Client, storage: OpenStorage) -> None:
    path = f"/accounts/{client.account_id}/grants/"
    before = (await Accounts(storage).show(client.account_id)).tokens_remaining
    grant = {"grant_id": "order 4711", "tokens": 2_000, "reason": "bought"}
    answers = await asyncio.gather(*(backend.do("POST", path, grant) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["entry"]["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    back = await backend.do("POST", path, {"grant_id": "refund 4711", "tokens": -1_500})
    assert back.json["entry"]["balance"] == before + 500
    assert (await backend.do("POST", path, grant)).json["entry"] == answers[0].json["entry"]
    reused = await backend.do("POST", path, grant | {"tokens": 1})
    assert (reused.status, reused.json["error_code"]) == (422, "grant_id_reused")
    refused = await backend.do("POST", path, {"grant_id": "all", "tokens": -before - 501})
    assert (refused.status, refused.json["error_code"]) == (409, "grant_refused")
    assert await storage.redis.ttl(storage.key(client.account_id, "grants")) == -1, "for ever"
    assert await Accounts(storage).audit() == []


@pytest.mark.gen_test
async def test_keys_are_made_listed_and_ended(backend: Backend, client: Client) -> None:
    path = f"/accounts/{client.account_id}/keys/"
    made = (await backend.do("POST", path, {"label": "web app"})).json
    listed = (await backend.do("GET", path)).json["keys"]
    assert {key["label"] for key in listed} == {"test", "web app"}
    assert made["api_key"] not in json.dumps(listed)
    ended = await backend.do("DELETE", f"{path}{made['key_id']}/")
    assert ended.json["key"]["revoked_at"]
    assert (await client.ask("GET", "/api/v1/account/", headers=bearer(made["api_key"]))).status == 401
    assert (await backend.do("DELETE", f"{path}nothing/")).status == 404
    assert all(key["revoked_at"] for key in (await backend.do("DELETE", path)).json["keys"])


@pytest.mark.gen_test
async def test_keys_and_tasks_are_listed_in_pages(backend: Backend, client: Client) -> None:
    base = f"/accounts/{client.account_id}"
    for label in ("a", "b"):
        await backend.do("POST", f"{base}/keys/", {"label": label})
    ids = [await client.start("Answer for our bakery.") for _ in range(3)]
    for name, member, cursor, wanted in (
        ("keys", "label", "after", {"test", "a", "b"}),
        ("tasks", "task_id", "before", set(ids)),
    ):
        first = (await backend.do("GET", f"{base}/{name}/?limit=2")).json
        last = (await backend.do("GET", f"{base}/{name}/?limit=2&{cursor}={first['next']}")).json
        assert (len(first[name]), len(last[name]), last["next"]) == (2, 1, None)
        assert {each[member] for each in first[name] + last[name]} == wanted
        assert (await backend.do("GET", f"{base}/{name}/?{cursor}=nothing")).status in (400, 404)


@pytest.mark.gen_test
async def test_tasks_are_listed_and_cancelled(backend: Backend, client: Client) -> None:
    task_id = await client.start("Answer for our bakery.")
    path = f"/accounts/{client.account_id}/tasks/"
    assert [task["task_id"] for task in (await backend.do("GET", path)).json["tasks"]] == [task_id]
    assert (await backend.do("POST", f"{path}{task_id}/cancel/")).json["status"] in ("failed", "completed")
    assert (await backend.do("POST", f"/accounts/{client.account_id}x/tasks/{task_id}/cancel/")).status == 404


@pytest.mark.gen_test
async def test_an_export_has_everything_except_credentials(backend: Backend, client: Client) -> None:
    final = await client.finished(await client.start("Answer for our bakery."))
    runs = await client.start("We bake. [[standin:delay=60]]")
    path = f"/accounts/{client.account_id}/grants/"
    granted = (await backend.do("POST", path, {"grant_id": "Zahlung für Ü", "tokens": 5})).json["entry"]
    export = (await backend.do("GET", f"/accounts/{client.account_id}/export/")).json
    assert export["account"]["account_id"] == client.account_id
    assert [task["task_id"] for task in export["tasks"]] == [runs, final["task_id"]]
    assert export["tasks"][1]["prompt"] == final["prompt"]
    draft = {"task_id": runs, "manual_prompt": "We bake. [[standin:delay=60]]", "feedback": "", "business_type": ""}
    assert (export["drafts"], export["webhooks"]) == ([draft], [])
    assert [entry["kind"] for entry in export["ledger"]][-1] == "grant"
    assert export["grants"] == [{"grant_id": "Zahlung für Ü", "entry_id": granted["id"]}]
    assert [(len(used["period"]), used["completed"]) for used in export["usage"]] == [(7, 1), (10, 1)]
    assert client.api_key not in json.dumps(export)


@pytest.mark.gen_test
async def test_a_closed_account_cannot_be_used_and_a_deleted_one_leaves_only_numbers(
    backend: Backend, client: Client, storage: OpenStorage
) -> None:
    await client.finished(await client.start("Answer for our bakery."))
    path = f"/accounts/{client.account_id}/"
    await backend.do("PATCH", path, {"name": "Somebody"})
    grant = {"grant_id": "paid by Somebody", "tokens": 5, "reason": "Somebody paid twice"}
    await backend.do("POST", f"{path}grants/", grant)
    closed = await backend.do("POST", f"{path}close/")
    assert closed.json["account"]["closed_at"]
    assert closed.json["account"]["subscription_active"] is False
    assert (await backend.do("POST", f"{path}keys/", {})).json["error_code"] == "account_closed"
    assert (await backend.do("PATCH", path, {"name": "x"})).json["error_code"] == "account_closed"
    deleted = await backend.do("DELETE", path)
    assert (deleted.status, deleted.json["ledger"]) == (200, "keep")
    left = {
        str(key, "utf-8").split(":")[-1] async for key in storage.redis.scan_iter(storage.key(client.account_id, "*"))
    }
    assert left == {"account", "ledger", "usage", "calls"}
    assert (await backend.do("GET", path)).json["account"]["name"] == ""
    entries = (await backend.do("GET", f"{path}ledger/")).json["entries"]
    assert [entry["tokens"] for entry in entries if entry["kind"] == "grant"] == [5, 100_000]
    assert "Somebody" not in json.dumps(entries)
    assert (await backend.do("POST", f"{path}grants/", grant)).json["error_code"] == "account_closed"
    assert await Accounts(storage).audit() == []
    assert (await backend.do("DELETE", f"{path}?ledger=delete")).status == 200
    gone = await backend.do("GET", path)
    assert (gone.status, gone.json["error_code"]) == (404, "account_not_found")
    assert (await backend.do("GET", "/accounts/")).json["accounts"] == []


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


PATHS = [
    ("GET", "/overview/"),
    ("POST", "/accounts/"),
    ("GET", "/accounts/"),
    ("GET", "/accounts/x/"),
    ("PATCH", "/accounts/x/"),
    ("DELETE", "/accounts/x/"),
    ("POST", "/accounts/x/close/"),
    ("GET", "/accounts/x/export/"),
    ("POST", "/accounts/x/grants/"),
    ("GET", "/accounts/x/ledger/"),
    ("GET", "/accounts/x/keys/"),
    ("POST", "/accounts/x/keys/"),
    ("DELETE", "/accounts/x/keys/"),
    ("DELETE", "/accounts/x/keys/y/"),
    ("GET", "/accounts/x/tasks/"),
    ("POST", "/accounts/x/tasks/y/cancel/"),
    ("GET", "/accounts/x/usage/"),
    ("GET", "/accounts/x/deliveries/"),
    ("POST", "/accounts/x/deliveries/y/resend/"),
]


@pytest.mark.gen_test
@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_an_admin_key_opens_it_and_nothing_else_does(
    backend: Backend, client: Client, storage: OpenStorage, method: str, path: str
) -> None:
    for headers, status, code in (
        (bearer(client.api_key), 403, "admin_key_required"),
        (bearer("pa_" + "0" * 43), 401, "unauthorized"),
        ({"Authorization": ""}, 401, "unauthorized"),
    ):
        answer = await backend.ask(method, ADMIN + path, {} if method in ("POST", "PATCH") else None, headers=headers)
        assert (answer.status, answer.json["error_code"]) == (status, code)
    key = await AdminKeys(storage).create()
    await AdminKeys(storage).revoke(key.key_id)
    assert (await backend.ask(method, ADMIN + path, headers=bearer(key.key))).status == 401


@pytest.mark.gen_test
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer   ", "BEARER "])
async def test_the_admin_key_may_stand_after_any_spelling_of_its_scheme(
    backend: Backend, storage: OpenStorage, scheme: str
) -> None:
    key = await AdminKeys(storage).create()
    answer = await backend.ask("GET", ADMIN + "/accounts/", headers={"Authorization": scheme + key.key})
    assert answer.status == 200


@pytest.mark.gen_test
async def test_an_admin_key_starts_no_generation(backend: Backend) -> None:
    for method, path in (
        ("POST", f"{BASE}/generate-prompt-async/"),
        ("GET", f"{BASE}/generate-prompt-async/"),
        ("GET", f"{BASE}/generate-prompt-async/status/{'0' * 8}-0000-4000-8000-{'0' * 12}/"),
        ("POST", f"{BASE}/generate-prompt/"),
        ("GET", "/api/v1/account/"),
    ):
        answer = await backend.ask(method, path, {"manual_prompt": "x"} if method == "POST" else None)
        assert (answer.status, answer.json["error_code"]) == (403, "account_key_required")


@pytest.mark.gen_test
@pytest.mark.settings(admin={"networks": ["10.0.0.0/8", "2001:db8::/32"]})
async def test_from_other_networks_no_admin_key_is_even_looked_at(backend: Backend) -> None:
    for headers in ({}, bearer("pa_nonsense")):
        answer = await backend.ask("GET", f"{ADMIN}/accounts/", headers=headers)
        assert (answer.status, answer.json["error_code"]) == (403, "network_not_allowed")


@pytest.mark.gen_test
@pytest.mark.settings(admin={"networks": ["127.0.0.0/8"]})
@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no sockets for both protocols")
async def test_an_ipv4_client_of_a_socket_for_both_protocols_is_in_its_ipv4_network(
    backend: Backend, app: Application
) -> None:
    both = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    both.setblocking(False)
    server = HTTPServer(app)
    server.add_sockets([both])
    try:
        through = replace(backend, base_url=f"http://127.0.0.1:{both.getsockname()[1]}")
        assert (await through.do("GET", "/accounts/")).status == 200
    finally:
        server.stop()
        await server.close_all_connections()


@pytest.mark.parametrize(
    ("remote_ip", "address"),
    [("::ffff:10.1.2.3", "10.1.2.3"), ("10.1.2.3", "10.1.2.3"), ("2001:db8::1", "2001:db8::1")],
)
def test_an_address_is_compared_in_the_form_that_networks_are_written_in(remote_ip: str, address: str) -> None:
    assert client_address(remote_ip) == ip_address(address)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/accounts/", b"{", "invalid_json"),
        ("POST", "/accounts/", [], "invalid_body"),
        ("POST", "/accounts/", {"tokens": "5"}, "invalid_body"),
        ("POST", "/accounts/", {"tokens": -1}, "invalid_body"),
        ("POST", "/accounts/", {"token": 1}, "invalid_body"),
        ("POST", "/accounts/", {"account_id": "a\nb"}, "invalid_account_id"),
        ("POST", "/accounts/", {"account_id": ""}, "invalid_account_id"),
        ("POST", "/accounts/", b'{"name": "\\ud800"}', "invalid_json"),
        ("POST", "/accounts/", {"name": "x" * 201}, "invalid_body"),
        ("POST", "/accounts/{}/grants/", {"tokens": 5}, "invalid_body"),
        ("POST", "/accounts/{}/grants/", {"grant_id": "", "tokens": 5}, "invalid_body"),
        ("POST", "/accounts/{}/grants/", {"grant_id": "a", "tokens": 10**15}, "tokens_out_of_range"),
        ("PATCH", "/accounts/{}/", {"subscription_until": "tomorrow"}, "invalid_body"),
        ("PATCH", "/accounts/{}/", {"subscription_until": "2031-05-01T12:00:00"}, "invalid_body"),
        ("PATCH", "/accounts/{}/", {"subscription_until": 0}, "invalid_body"),
        (
            "PATCH",
            "/accounts/{}/",
            {"subscription_until": "2031-05-01T12:00:00Z", "subscription_days": 1},
            "invalid_body",
        ),
        ("DELETE", "/accounts/{}/?ledger=perhaps", None, "invalid_parameter"),
        ("DELETE", "/accounts/{}/?legder=delete", None, "invalid_parameter"),
        ("POST", "/accounts/{}/close/?now", None, "invalid_parameter"),
        ("GET", "/accounts/?limit=many", None, "invalid_parameter"),
        ("GET", "/accounts/{}/ledger/?before=x", None, "invalid_parameter"),
        ("GET", "/failed-deliveries/?before=-1_%C3%BC", None, "invalid_parameter"),
    ],
)
async def test_what_is_wrong_is_said(
    backend: Backend, client: Client, method: str, path: str, body: Any, code: str
) -> None:
    answer = await backend.do(method, path.format(client.account_id), body)
    assert (answer.status, answer.json["error_code"]) == (400, code)


@pytest.mark.gen_test
async def test_the_line_of_each_request_about_an_account_or_a_task_names_it(backend: Backend, client: Client) -> None:
    task_id = await client.start("Answer for our bakery. [[standin:delay=30]]")
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        for _ in range(2):
            await backend.do("POST", "/accounts/", {"account_id": "Jörg/1"})
        await backend.do("GET", f"/accounts/{quote('Jörg/1', safe='')}/")
        await backend.do("GET", "/accounts/nobody/")
        await backend.do("POST", f"/accounts/{client.account_id}/tasks/{task_id}/cancel/")
        await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id.upper()}/")
        await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/no-id/")
    named = [(line.get("account_id"), line.get("task_id")) for line in lines if line["event"] == "request"]
    of_task = (client.account_id, task_id)
    assert named == [*[("Jörg/1", None)] * 3, ("nobody", None), of_task, of_task, (client.account_id, None)]


@pytest.mark.gen_test
async def test_every_change_is_a_line_of_the_audit_log_without_secrets(backend: Backend, client: Client) -> None:
    task_id = await client.start("Answer for our bakery. [[standin:delay=30]]")
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            await backend.do("POST", f"/accounts/{client.account_id}/tasks/{task_id}/cancel/")
            await backend.do("POST", "/accounts/", {"account_id": "a"})
        made = (await backend.do("POST", "/accounts/a/keys/", {})).json
        await backend.do("POST", "/accounts/a/keys/", {})
        for _ in range(2):
            await backend.do("POST", "/accounts/a/grants/", {"grant_id": "g", "tokens": 5})
            await backend.do("DELETE", f"/accounts/a/keys/{made['key_id']}/")
        await backend.do("GET", "/accounts/a/")
        await backend.do("PATCH", "/accounts/a/", {})
        for _ in range(2):
            await backend.do("PATCH", "/accounts/a/", {"name": "Anna", "business_type": "general"})
            await backend.do("PATCH", "/accounts/a/", {"subscription_days": 0})
            await backend.do("PATCH", "/accounts/a/", {"subscription_until": "2040-01-01T00:00:00Z"})
        for _ in range(2):
            await backend.do("DELETE", "/accounts/a/keys/")
        for _ in range(2):
            await backend.do("POST", "/accounts/a/close/")
        for ledger in ("keep", "keep", "delete", "delete"):
            await backend.do("DELETE", f"/accounts/a/?ledger={ledger}")
    done = [(line["action"], line["account_id"]) for line in lines if line["event"] == "admin"]
    assert done[0] == ("cancel task", client.account_id)
    assert {account_id for _, account_id in done[1:]} == {"a"}
    assert [action for action, _ in done[1:]] == [
        *("create", "create key", "create key", "grant", "revoke key", "change", "change", "change", "change"),
        *("revoke all keys", "close", "delete", "delete"),
    ]
    changed = [line["members"] for line in lines if line.get("action") == "change"]
    assert changed == [["name"], ["subscription_until"], ["subscription_until"], ["subscription_until"]]
    assert [line["ledger"] for line in lines if line.get("action") == "delete"] == ["keep", "delete"]
    assert "Anna" not in repr([line for line in lines if line["event"] == "admin"])
    assert {len(line["by"]) for line in lines if line["event"] == "admin"} == {12}
    assert made["api_key"] not in repr(lines)
    assert backend.api_key not in repr(lines)


@pytest.mark.gen_test
async def test_a_change_whose_answer_fails_is_in_the_audit_log_all_the_same(
    backend: Backend, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_arguments: object) -> None:
        raise StorageUnavailable("timeout")

    path = f"{ADMIN}/accounts/{client.account_id}/"
    monkeypatch.setattr(Accounts, "show", away)
    with structlog.testing.capture_logs() as lines:
        assert (await backend.ask("PATCH", path, {"name": "changed"})).status == 503
        assert (await backend.ask("GET", path)).status == 503
    (line,) = [line for line in lines if line["event"] == "admin"]
    assert (line["action"], line["account_id"]) == ("unsure", client.account_id)
    assert (line["request"], line["status"]) == (f"PATCH {path}", 503)
    monkeypatch.undo()
    assert (await backend.ask("GET", path)).json["account"]["name"] == "changed"


@pytest.mark.gen_test
async def test_a_change_whose_answer_fails_is_in_the_audit_log_with_what_only_its_body_names(
    backend: Backend, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_arguments: object, **_more: object) -> None:
        raise StorageUnavailable("timeout")

    monkeypatch.setattr(Accounts, "create_once", away)
    monkeypatch.setattr(Grants, "add_once", away)
    with structlog.testing.capture_logs() as lines:
        assert (await backend.ask("POST", f"{ADMIN}/accounts/", {"account_id": "anna"})).status == 503
        grant = {"grant_id": "payment-7", "tokens": 5, "reason": "bought"}
        assert (await backend.ask("POST", f"{ADMIN}/accounts/{client.account_id}/grants/", grant)).status == 503
    created, granted = [line for line in lines if line["event"] == "admin"]
    assert (created["action"], created["account_id"]) == ("unsure", "anna")
    assert (granted["action"], granted["account_id"], granted["grant_id"]) == ("unsure", client.account_id, "payment-7")
    assert granted["tokens_granted"] == 5
