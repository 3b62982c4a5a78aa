"""Tokens, subscriptions, ledger and audit on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from accounts import (
    AccountClosed,
    AccountExists,
    Accounts,
    ApiKeys,
    GrantRefused,
    InvalidAccountId,
    TokensOutOfRange,
    Unauthorized,
    UnknownAccount,
)
from storage.redis_server import RedisServer
from storage.storage import Storage
from storage.wire import Argument
from tests.support.storage import OpenStorage


@pytest.mark.gen_test
async def test_a_new_account_has_what_it_was_given(storage: Storage) -> None:
    made = await Accounts(storage).create(tokens=1_000, subscription_days=3, business_type="clinic", name="Dr. Ä")
    assert (made.tokens_granted, made.tokens_remaining, made.tokens_held, made.tokens_charged) == (1_000, 1_000, 0, 0)
    assert (made.business_type, made.name, made.subscription_active) == ("clinic", "Dr. Ä", True)
    assert await Accounts(storage).show(made.account_id) == made


@pytest.mark.gen_test
async def test_of_fifty_creations_at_once_one_succeeds(storage: Storage) -> None:
    accounts = Accounts(storage)
    outcomes = await asyncio.gather(
        *(accounts.create(account_id="same", tokens=10) for _ in range(50)), return_exceptions=True
    )
    assert sum(isinstance(outcome, AccountExists) for outcome in outcomes) == 49
    assert (await accounts.show("same")).tokens_granted == 10
    assert len((await accounts.ledger("same"))[0]) == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("account_id", ["42", "auth0|123", "a@b.example", "0b9e7c1e-1111-4222-8333-444455556666"])
async def test_the_ids_that_identity_providers_use_can_name_accounts(storage: Storage, account_id: str) -> None:
    assert (await Accounts(storage).create(account_id=account_id)).account_id == account_id


@pytest.mark.gen_test
@pytest.mark.parametrize("account_id", ["", "x\n", "a\0b", "x" * 256, "\u2028", "\ud800"])
async def test_ids_that_cannot_be_printed_are_refused(storage: Storage, account_id: str) -> None:
    with pytest.raises(InvalidAccountId):
        await Accounts(storage).create(account_id=account_id)


@pytest.mark.gen_test
async def test_grants_add_up_and_unused_tokens_can_be_taken_back(storage: Storage) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a", tokens=100)
    assert (await accounts.grants.add("a", 50, "bonus")).tokens_remaining == 150
    assert (await accounts.grants.add("a", -120)).tokens_granted == 30
    with pytest.raises(GrantRefused) as refused:
        await accounts.grants.add("a", -31)
    assert (refused.value.tokens, refused.value.available) == (31, 30)
    entries, _ = await accounts.ledger("a")
    assert [(entry.kind, entry.tokens, entry.reason) for entry in entries] == [
        ("grant", -120, "granted"),
        ("grant", 50, "bonus"),
        ("grant", 100, "account created"),
    ]
    assert await accounts.audit() == []


@pytest.mark.gen_test
async def test_what_does_not_exist_is_named_as_such(storage: Storage) -> None:
    accounts = Accounts(storage)
    for call in (accounts.show("x"), accounts.grants.add("x", 1), accounts.subscribe("x", 1), accounts.audit("x")):
        with pytest.raises(UnknownAccount):
            await call
    assert await accounts.exists("x") is False


@pytest.mark.gen_test
async def test_a_subscription_is_extended_from_its_end_and_can_be_ended(storage: Storage) -> None:
    accounts = Accounts(storage)
    first = await accounts.create(account_id="a", subscription_days=10)
    longer = await accounts.subscribe("a", 5)
    assert first.subscription_until is not None
    assert longer.subscription_until is not None
    assert longer.subscription_until > first.subscription_until
    ended = await accounts.subscribe("a", 0)
    assert ended.subscription_active is False
    assert (await accounts.subscribe("a", 1)).subscription_active is True
    assert (await accounts.create(account_id="b")).subscription_until is None


@pytest.mark.gen_test
async def test_the_ledger_is_read_page_by_page_newest_first(storage: Storage) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a")
    for tokens in range(1, 8):
        await accounts.grants.add("a", tokens)
    seen: list[int] = []
    before: str | None = None
    while True:
        page, before = await accounts.ledger("a", limit=3, before=before)
        seen += [entry.tokens for entry in page]
        if before is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.gen_test
@pytest.mark.parametrize("field", ["granted", "balance", "held", "charged"])
async def test_the_audit_finds_a_number_that_somebody_changed(storage: OpenStorage, field: str) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="good", tokens=100)
    await accounts.create(account_id="bad", tokens=100)
    await storage.redis.hincrby(storage.key("bad", "account"), field, 1)
    (failure,) = await accounts.audit()
    assert failure.account_id == "bad"
    assert failure.problems


@pytest.mark.gen_test
async def test_the_audit_finds_a_missing_ledger_entry(storage: OpenStorage) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a", tokens=100)
    await accounts.grants.add("a", 5)
    entries: Any = await storage.redis.xrange(storage.key("a", "ledger"))
    await storage.redis.xdel(storage.key("a", "ledger"), entries[0][0])
    (failure,) = await accounts.audit("a")
    assert failure.ledger_granted == 5


class LostAnswers(OpenStorage):
    """A Storage whose connection breaks after each script, so that it is run again and the second answer counts."""

    async def run(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        await super().run(script, keys, args)
        return await super().run(script, keys, args)


@pytest.mark.gen_test
async def test_what_the_connection_repeats_happens_once(redis_server: RedisServer, key_prefix: str) -> None:
    lossy = LostAnswers(redis_server.url, prefix=key_prefix)
    accounts = Accounts(lossy)
    made = await accounts.create(account_id="a", tokens=100, subscription_days=1)
    assert made.tokens_granted == 100
    with pytest.raises(AccountExists):
        await accounts.create(account_id="a", tokens=100)
    assert (await accounts.grants.add("a", 50)).tokens_granted == 150
    assert (await accounts.grants.add("a", -120)).tokens_remaining == 30
    for repeated in (False, True):
        assert (await accounts.grants.add_once("a", "order 7", 5))[1] is repeated
    assert (await accounts.show("a")).tokens_granted == 35
    longer = await accounts.subscribe("a", 1)
    assert _days_between(made.subscription_until, longer.subscription_until) == 1
    assert await accounts.audit() == []
    await lossy.aclose()


def _days_between(first: str | None, second: str | None) -> int:
    assert first is not None
    assert second is not None
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).days


@pytest.mark.gen_test
@pytest.mark.parametrize("tokens", [-1, 10**15 + 1, 10**20])
async def test_an_account_begins_with_tokens_that_can_be_counted(storage: Storage, tokens: int) -> None:
    with pytest.raises(TokensOutOfRange):
        await Accounts(storage).create(account_id="a", tokens=tokens)
    assert await Accounts(storage).exists("a") is False


@pytest.mark.gen_test
@pytest.mark.parametrize("tokens", [1, 10**15, 10**20, -(10**20)])
async def test_an_account_never_has_more_tokens_than_can_be_counted(storage: Storage, tokens: int) -> None:
    accounts = Accounts(storage)
    full = await accounts.create(account_id="a", tokens=10**15)
    with pytest.raises(TokensOutOfRange):
        await accounts.grants.add("a", tokens)
    assert await accounts.show("a") == full
    assert (await accounts.grants.add("a", -(10**15))).tokens_remaining == 0


@pytest.mark.gen_test
async def test_a_subscription_for_ever_ends_with_the_last_year(storage: Storage) -> None:
    accounts = Accounts(storage)
    made = await accounts.create(account_id="a", subscription_days=10_000_000)
    assert (made.subscription_until, made.subscription_active) == ("9999-12-31T23:59:59Z", True)
    assert (await accounts.subscribe("a", 36_500)).subscription_until == "9999-12-31T23:59:59Z"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("until", "stored"),
    [
        ("1960-01-01T00:00:00+00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z"),
    ],
)
async def test_an_end_outside_the_years_that_can_be_written_is_the_nearest_in_them(
    storage: Storage, until: str, stored: str | None
) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a", subscription_days=3)
    changed, members = await accounts.change("a", subscription_until=datetime.fromisoformat(until))
    assert (changed.subscription_until, set(members)) == (stored, {"subscription_until"})
    assert (await accounts.subscribe("a", 1)).subscription_active
    assert (await accounts.change("a", name="b"))[0].name == "b"


@pytest.mark.gen_test
async def test_ending_a_subscription_does_not_move_an_end_that_is_past(storage: OpenStorage) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a")
    assert (await accounts.subscribe("a", 0)).subscription_until is None
    await storage.redis.hset(storage.key("a", "account"), "subscription_until_ms", 1_000)
    assert (await accounts.subscribe("a", 0)).subscription_until == "1970-01-01T00:00:01Z"


@pytest.mark.gen_test
async def test_a_closed_account_is_not_changed_and_its_subscription_not_extended(storage: OpenStorage) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a", name="before")
    await accounts.close("a")
    for call in (accounts.change("a", name="after", subscription_days=5), accounts.subscribe("a", 5)):
        with pytest.raises(AccountClosed):
            await call
    account = await accounts.show("a")
    assert (account.name, account.subscription_active) == ("before", False)


@pytest.mark.gen_test
async def test_no_key_of_a_closed_account_works_whenever_it_was_made_and_whoever_dies(storage: OpenStorage) -> None:
    accounts, api_keys = Accounts(storage), ApiKeys(storage)
    await accounts.create(account_id="a")
    working = [await api_keys.create("a", 'Küche / "1"'), await api_keys.create("a")]
    ended = await api_keys.create("a")
    revoked = await api_keys.revoke("a", ended.key_id)
    assert await accounts.close("a") is True  # one script: nobody else has to revoke anything
    for made in working:
        with pytest.raises(Unauthorized, match="revoked_key"):
            await api_keys.find(made.key)
    assert await api_keys.working("a") == set()
    known = {key.key_id: key for key in await api_keys.of("a")}
    assert (known[working[0].key_id].label, known[ended.key_id]) == ('Küche / "1"', revoked)
    with pytest.raises(AccountClosed):
        await api_keys.create("a")
    with pytest.raises(UnknownAccount):
        await api_keys.create("b")
    assert await accounts.close("a") is False


@pytest.mark.gen_test
async def test_a_key_that_an_older_version_left_working_on_a_closed_account_ends_when_it_is_closed_again(
    storage: OpenStorage,
) -> None:
    accounts, api_keys = Accounts(storage), ApiKeys(storage)
    await accounts.create(account_id="a")
    made = await api_keys.create("a")
    await storage.redis.hset(storage.key("a", "account"), "closed_at", "2026-01-10T12:00:00Z")
    assert (await accounts.close("a"), await accounts.close("a")) == (True, False)
    assert (await accounts.show("a")).closed_at == "2026-01-10T12:00:00Z"
    with pytest.raises(Unauthorized):
        await api_keys.find(made.key)


@pytest.mark.gen_test
async def test_a_deletion_that_was_interrupted_has_something_to_do_when_it_is_repeated(storage: OpenStorage) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a", tokens=5, name="Anna")
    await accounts.close("a")
    await storage.redis.hset(storage.key("a", "account"), "deleted_at", "2026-01-10T12:00:00Z")
    assert (await accounts.forget("a", keep_ledger=True), await accounts.forget("a", keep_ledger=True)) == (True, False)
    members = await storage.redis.hgetall(storage.key("a", "account"))
    assert (members[b"name"], members[b"deleted_at"]) == (b"", b"2026-01-10T12:00:00Z")


@pytest.mark.gen_test
async def test_a_ledger_that_is_kept_has_no_reasons_of_grants_however_long_it_is(
    storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.accounts.ENTRIES_PER_BATCH", 3)
    accounts = Accounts(storage)
    await accounts.create(account_id="a", tokens=1)
    for number in range(6):
        await accounts.grants.add_once("a", f"Anna {number}", 10, "for Anna")
    before, _ = await accounts.ledger("a")
    await accounts.forget("a", keep_ledger=True)
    await accounts.forget("a", keep_ledger=True)
    after, _ = await accounts.ledger("a")
    assert after == [replace(entry, reason="") for entry in before]
    assert await accounts.audit("a") == []
    keys = [key async for key in storage.redis.scan_iter(storage.key("a", "*"))]
    assert {str(key, "ascii").split(":")[-1] for key in keys} == {"account", "ledger", "calls"}
    for call in (accounts.grants.add("a", 1), accounts.grants.add_once("a", "Anna 1", 10)):
        with pytest.raises(AccountClosed):
            await call


@pytest.mark.gen_test
async def test_the_marks_of_many_calls_are_never_read_as_a_whole_and_old_ones_go(storage: OpenStorage) -> None:
    accounts = Accounts(storage)
    account_id = (await accounts.create(tokens=1)).account_id
    calls, marks = storage.key(account_id, "calls"), dict[Any, Any]()
    for number in range(600):
        marks |= {f"old{number}": "1 ", f"recent{number}": f"{1 << 52} "}
    await storage.redis.hset(calls, mapping=marks)

    async def whole_reads() -> int:
        return int((await storage.redis.info("commandstats")).get("cmdstat_hgetall", {"calls": 0})["calls"])

    before = await whole_reads()
    for number in range(100):
        await accounts.grants.add_once(account_id, f"grant {number}", 1)
    assert await whole_reads() == before
    left = str(await storage.redis.hkeys(calls))
    assert left.count("recent") == 600
    assert left.count("old") < 300
