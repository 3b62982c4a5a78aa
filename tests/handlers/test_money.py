"""What a generation may cost is held, and nobody gets an answer that they cannot pay."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

from accounts import Accounts, AdminKeys, UsageReport
from accounts.ledger import TOKEN_KINDS
from generation.lease import Lease
from generation.stages import WAITING, Stage
from generation.tasks import Tasks
from tests.support.rate_limit_fields import items
from tests.support.raw_http import connected, request
from tests.support.storage import OpenStorage
from tests.support.whole_server import BASE, Client, make_client

SHORT = "Answer questions about our bakery. Open 7-18."
LONG = "We bake bread of rye and spelt each morning, and we close when it is sold. "


async def settled(storage: OpenStorage, client: Client) -> tuple[int, int]:
    """Return the account's balance and its uncollected tokens; nothing may be held or negative."""
    accounts = Accounts(storage)
    account = await accounts.show(client.account_id)
    entries, _ = await accounts.ledger(client.account_id, limit=1_000)
    assert account.tokens_held == 0
    assert account.tokens_remaining >= 0
    assert account.tokens_granted == account.tokens_remaining + account.tokens_charged
    return account.tokens_remaining, sum(entry.uncollected for entry in entries)


@pytest.mark.gen_test
async def test_seven_hundred_tokens_are_enough_for_a_short_draft_and_nothing_stays_uncollected(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    poor = await make_client(storage, http_client, base_url, tokens=700)
    final = await poor.finished(await poor.start(SHORT))
    assert (final["status"], final["generated_by_ai"]) == ("completed", True), final
    assert 0 < final["tokens_used"] <= 700
    assert await settled(storage, poor) == (700 - final["tokens_used"], 0)


@pytest.mark.gen_test
async def test_a_draft_that_the_balance_cannot_rewrite_is_refused_with_what_it_needs(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    poor = await make_client(storage, http_client, base_url, tokens=1_500)
    final = await poor.finished(await poor.start(LONG * 60))
    assert (final["status"], final["error_code"]) == ("failed", "insufficient_tokens")
    needed = int(final["error"].split()[4])
    assert 1_500 < needed < 5_000
    assert final["error"] == f"You need at least {needed} tokens for prompt enhancement. Available: 1500"
    assert await settled(storage, poor) == (1_500, 0)
    await Accounts(storage).grants.add(poor.account_id, needed - 1_500, "what was asked for")
    final = await poor.finished(await poor.start(LONG * 60))
    assert (final["status"], final["generated_by_ai"]) == ("completed", True), final
    assert (await settled(storage, poor))[1] == 0


@pytest.mark.gen_test
async def test_the_hold_covers_the_largest_answer_where_the_balance_does(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    rich = await make_client(storage, http_client, base_url, tokens=10_000_000)
    final = await rich.finished(await rich.start(SHORT))
    assert final["status"] == "completed"
    entries, _ = await Accounts(storage).ledger(rich.account_id, limit=10)
    [hold] = [entry for entry in entries if entry.kind == "hold"]
    assert 2 * 24_576 < hold.tokens < 60_000, "twice the largest answer, with what is sent"


async def held_or_refused(client: Client, task_id: str) -> str:
    """Wait until Gemini has been asked for the task, or it has been refused; return which."""
    version = 0
    while True:
        document = (await client.status(task_id, f"?wait=20&after={version}")).json
        if document["status"] == "failed":
            return str(document["error_code"])
        if document["progress"] >= 50:
            return "held"
        version = document["version"]


@pytest.mark.gen_test
@pytest.mark.parametrize(("tokens", "held"), [(1_400, 2), (2_100, 3), (20_000, 5)])
async def test_parallel_tasks_share_a_balance_and_leave_nothing_uncollected(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, tokens: int, held: int
) -> None:
    client = await make_client(storage, http_client, base_url, tokens=tokens)
    ids = await asyncio.gather(*(client.start(SHORT + " [[standin:delay=60]]") for _ in range(5)))
    ends = await asyncio.gather(*(held_or_refused(client, task_id) for task_id in ids))
    assert (ends.count("held"), ends.count("insufficient_tokens")) == (held, 5 - held)
    await asyncio.gather(*(client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{each}/") for each in ids))
    assert (await settled(storage, client))[1] == 0


@pytest.mark.gen_test
async def test_document_ledger_and_usage_name_the_same_kinds_and_their_sum_is_the_charge(
    client: Client, storage: OpenStorage
) -> None:
    final = await client.finished(await client.start(SHORT))
    kinds = final["usage"]
    assert min(kinds["input"], kinds["output"], kinds["thoughts"]) > 0, "the stand-in reports all three"
    assert sum(kinds.values()) == final["tokens_used"]
    ledger = (await client.ask("GET", "/api/v1/account/ledger/")).json
    [settle] = [entry for entry in ledger["entries"] if entry["kind"] == "settle"]
    assert (settle["usage"], settle["tokens"]) == (kinds, final["tokens_used"])
    [month] = await UsageReport(storage).months(client.account_id)
    assert {kind: count for kind in TOKEN_KINDS if (count := month.as_dict()[kind])} == kinds
    assert (month.generations, month.completed, month.tokens) == (1, 1, final["tokens_used"])


@pytest.fixture
def unnoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process gets as far as to note that a request to Gemini has gone out."""
    advance = Tasks.advance

    async def advance_to_fifty(self: Tasks, lease: Lease, stage: Stage, *more: Any) -> None:
        if stage is WAITING:
            await asyncio.get_running_loop().create_future()
        await advance(self, lease, stage, *more)

    monkeypatch.setattr(Tasks, "advance", advance_to_fifty)


async def request_is_out(standin: Any) -> None:
    async with asyncio.timeout(180):
        while not standin.counters.running:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.001)


@pytest.mark.gen_test
@pytest.mark.usefixtures("unnoted")
async def test_a_cancel_before_the_request_is_noted_pays_an_estimate_all_the_same(
    client: Client, standin: Any, storage: OpenStorage
) -> None:
    task_id = await client.start(SHORT + " [[standin:delay=60]]")
    await request_is_out(standin)
    final = (await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")).json
    assert (final["error_code"], final["progress"], final["estimated"]) == ("cancelled", 100, True)
    again = (await client.ask("POST", f"{BASE}/generate-prompt-async/cancel/{task_id}/")).json
    assert again == final
    await paid_once_as_an_estimate(client, storage, final)


@pytest.mark.gen_test
@pytest.mark.usefixtures("unnoted")
async def test_a_synchronous_client_that_goes_before_the_request_is_noted_pays_an_estimate_all_the_same(
    client: Client, standin: Any, storage: OpenStorage
) -> None:
    body = json.dumps({"manual_prompt": SHORT + " [[standin:delay=60]]"}).encode()
    more = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    asked = request("POST", f"{BASE}/generate-prompt/", f"Bearer {client.api_key}", *more)
    address = urlsplit(client.base_url)
    assert address.port
    async with connected(("127.0.0.1", address.port)) as wire:
        wire.writer.write(asked + body)
        await request_is_out(standin)
    async with asyncio.timeout(180):
        while True:
            (task,) = (await client.ask("GET", f"{BASE}/generate-prompt-async/")).json["tasks"]
            if task["status"] == "failed":
                break
    assert (task["error_code"], task["estimated"]) == ("cancelled", True)
    await paid_once_as_an_estimate(client, storage, task)


@pytest.mark.gen_test
@pytest.mark.usefixtures("unnoted")
async def test_a_task_whose_account_is_deleted_pays_as_one_that_is_cancelled(
    client: Client, standin: Any, storage: OpenStorage
) -> None:
    await client.start(SHORT + " [[standin:delay=60]]")
    await request_is_out(standin)
    key = (await AdminKeys(storage).create()).key
    deleted = await client.ask(
        "DELETE", f"/api/v1/admin/accounts/{client.account_id}/", headers={"Authorization": f"Bearer {key}"}
    )
    assert deleted.status == 200, deleted.body
    entries, _ = await Accounts(storage).ledger(client.account_id, limit=1_000)
    (charge,) = [entry.tokens for entry in entries if entry.kind == "settle"]
    assert charge > 0
    assert (await settled(storage, client))[1] == 0


@pytest.mark.gen_test
async def test_a_task_that_a_defect_ends_pays_what_was_reported_before(
    client: Client, storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_arguments: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Tasks, "publish", crash)
    final = await client.finished(await client.start(SHORT))
    assert final["error_code"] == "internal_error"
    assert final["tokens_used"] > 0
    entries, _ = await Accounts(storage).ledger(client.account_id, limit=1_000)
    assert [entry.tokens for entry in entries if entry.kind == "settle"] == [final["tokens_used"]]


async def paid_once_as_an_estimate(client: Client, storage: OpenStorage, final: dict[str, Any]) -> None:
    entries, _ = await Accounts(storage).ledger(client.account_id, limit=1_000)
    settlements = [entry for entry in entries if entry.kind == "settle"]
    assert [(entry.tokens, entry.estimated) for entry in settlements] == [(final["tokens_used"], True)]
    assert final["tokens_used"] > 0
    assert (await settled(storage, client))[1] == 0


@pytest.mark.gen_test
async def test_random_letters_that_the_balance_just_covers_leave_nothing_uncollected(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    draft = f"{SHORT} The key of our menu: {'qhXzJkuvBoWpTamH' * 500}"
    poor = await make_client(storage, http_client, base_url, tokens=700)
    refused = await poor.finished(await poor.start(draft))
    assert refused["error_code"] == "insufficient_tokens"
    needed = int(refused["error"].split()[4])
    await Accounts(storage).grants.add(poor.account_id, needed - 700, "what was asked for")
    final = await poor.finished(await poor.start(draft))
    assert final["status"] == "completed", final
    assert (await settled(storage, poor))[1] == 0


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0.0001, "submits_burst_per_account": 15})
async def test_a_draft_that_the_balance_cannot_pay_counts_ten_submits_however_large_the_balance_is(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    able = await make_client(storage, http_client, base_url, tokens=1_500)
    for _ in range(2):
        refused = await able.finished(await able.start(LONG * 60))
        assert refused["error_code"] == "insufficient_tokens"
    answer = await able.ask("POST", f"{BASE}/generate-prompt-async/", {"manual_prompt": SHORT})
    assert (answer.status, answer.json["error_code"]) == (429, "too_many_submits")


@pytest.mark.gen_test
@pytest.mark.settings(limits={"submits_per_second_per_account": 0.0001, "submits_burst_per_account": 15})
async def test_a_synchronous_answer_tells_what_is_left_after_what_a_draft_that_is_too_dear_has_taken(
    http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage
) -> None:
    able = await make_client(storage, http_client, base_url, tokens=1_500)
    answer = await able.ask("POST", f"{BASE}/generate-prompt/", {"manual_prompt": LONG * 60})
    assert answer.status == 402
    assert items(answer.headers["RateLimit"])["submits"]["r"] == 15 - 10
