"""API keys: their shape, their life, and what of them is stored."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import Accounts, ApiKeys, Unauthorized, UnknownAccount, UnknownApiKey
from accounts.api_keys import ApiKey, generate_key, is_well_formed, key_digest
from storage.storage import Storage
from tests.support.storage import OpenStorage

KEY = generate_key()


def test_a_key_is_pg_and_43_base62_characters() -> None:
    assert is_well_formed(KEY)
    assert is_well_formed(KEY)
    assert generate_key() != KEY


@given(st.integers(3, 45), st.sampled_from(string.ascii_letters + string.digits))
def test_any_single_wrong_character_is_noticed(position: int, character: str) -> None:
    wrong = KEY[:position] + character + KEY[position + 1 :]
    assert is_well_formed(wrong) is (wrong == KEY)


@pytest.mark.gen_test
async def test_keys_are_found_listed_and_revoked(storage: Storage) -> None:
    await Accounts(storage).create(account_id="a")
    keys = ApiKeys(storage)
    first, second = await keys.create("a", "phone"), await keys.create("a", "büro")
    assert await keys.find(first.key) == await keys.find(second.key) == "a"
    assert {key.label for key in await keys.of("a")} == {"phone", "büro"}
    revoked = await keys.revoke("a", first.key_id)
    assert revoked.revoked_at
    assert await keys.revoke("a", first.key_id) == revoked
    with pytest.raises(Unauthorized, match="revoked_key"):
        await keys.find(first.key)
    assert await keys.find(second.key) == "a"


@pytest.mark.gen_test
async def test_nothing_stored_contains_the_key(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="a")
    made = await ApiKeys(storage).create("a", "label")
    async for found in storage.redis.scan_iter(storage.shared_key("*")):
        name = found.decode()
        kind = await storage.command("TYPE", name)
        assert made.key not in name
        if kind in (b"string", "string"):
            assert made.key.encode() not in await storage.command("GET", name)
    assert made.key not in str(await storage.command("HGETALL", storage.key("a", "api_keys")))


@pytest.mark.gen_test
async def test_unknown_and_malformed_keys_are_told_apart(storage: Storage) -> None:
    keys = ApiKeys(storage)
    with pytest.raises(Unauthorized, match="unknown_key"):
        await keys.find(generate_key())
    with pytest.raises(Unauthorized, match="malformed"):
        await keys.find("pg_" + "a" * 43)


@pytest.mark.gen_test
async def test_a_flood_of_wrong_keys_asks_redis_once_for_each_and_is_forgotten(
    storage: OpenStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.api_keys.WRONG_KEPT", 10)
    asked: list[str] = []
    counted = OpenStorage(storage.url, prefix=storage.prefix, observe=lambda operation, _: asked.append(operation))
    keys = ApiKeys(counted)
    await Accounts(counted).create(account_id="a")
    made = await keys.create("a")
    wrong = [generate_key() for _ in range(20)]
    asked.clear()
    for key in wrong:
        for _ in range(5):
            with pytest.raises(Unauthorized, match="unknown_key"):
                await keys.find(key)
    assert len(asked) == 20
    assert len(keys._wrong) == 10
    assert await keys.find(made.key) == "a"
    monkeypatch.setattr("accounts.api_keys.WRONG_FOR_S", 0.0)
    keys._remember_wrong("x", "unknown_key")
    asked.clear()
    for _ in range(2):
        with pytest.raises(Unauthorized, match="unknown_key"):
            await keys.find(wrong[0])
    assert len(asked) == 2
    await counted.aclose()


@pytest.mark.gen_test
async def test_a_hint_without_the_accounts_own_record_proves_nothing(storage: OpenStorage) -> None:
    await Accounts(storage).create(account_id="a")
    made = await ApiKeys(storage).create("a")
    await storage.redis.delete(storage.key("a", "api_keys"))
    with pytest.raises(Unauthorized, match="unknown_key"):
        await ApiKeys(storage).find(made.key)


@pytest.mark.gen_test
async def test_keys_belong_to_accounts_that_exist(storage: Storage) -> None:
    with pytest.raises(UnknownAccount):
        await ApiKeys(storage).create("nobody")
    with pytest.raises(UnknownApiKey):
        await ApiKeys(storage).revoke("nobody", "abc")


class DeletedMeanwhile(ApiKeys):
    """Its account is deleted after its keys were read."""

    async def _records(self, account_id: str) -> list[tuple[str, ApiKey]]:
        records = await super()._records(account_id)
        await self.delete_all(account_id)
        return records


@pytest.mark.gen_test
async def test_a_key_that_is_revoked_while_its_account_is_deleted_does_not_come_back(storage: OpenStorage) -> None:
    account_id = (await Accounts(storage).create()).account_id
    key = await ApiKeys(storage).create(account_id)
    with pytest.raises(UnknownApiKey):
        await DeletedMeanwhile(storage).revoke(account_id, key.key_id)
    assert not await storage.redis.exists(storage.key(account_id, "api_keys"))


@pytest.mark.gen_test
async def test_the_hint_of_a_key_whose_record_cannot_be_read_is_deleted_too(storage: OpenStorage) -> None:
    account_id, keys = (await Accounts(storage).create()).account_id, ApiKeys(storage)
    digest = key_digest((await keys.create(account_id)).key)
    await storage.redis.hset(storage.key(account_id, "api_keys"), digest, "[]")
    await keys.delete_all(account_id)
    assert [key async for key in storage.redis.scan_iter(storage.shared_key("api_key", "*"))] == []
