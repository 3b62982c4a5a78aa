"""Paging through the ledger, with page ids that clients send."""

from __future__ import annotations

import pytest

from accounts import Accounts, InvalidEntryId
from storage.storage import Storage


@pytest.mark.gen_test
@pytest.mark.parametrize("limit", range(1, 9))
async def test_pages_of_any_size_hold_every_entry_once(storage: Storage, limit: int) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a")
    for tokens in range(1, 8):
        await accounts.grants.add("a", tokens)
    seen: list[int] = []
    before: str | None = None
    pages = 0
    while before is not None or not pages:
        page, before = await accounts.ledger("a", limit=limit, before=before)
        assert 0 < len(page) <= limit
        seen += [entry.tokens for entry in page]
        pages += 1
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert pages == -(-7 // limit)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "before",
    [
        "",
        "junk",
        "1",
        "-",
        "+",
        "$",
        "(1-0",
        "1-0 ",
        "1-0\n",
        "\u0661-\u0660",
        "1--1",
        "18446744073709551616-0",
        "1-99999999999999999999",
    ],
)
async def test_what_is_no_entry_id_is_refused_by_us_and_not_by_redis(storage: Storage, before: str) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a", tokens=1)
    with pytest.raises(InvalidEntryId):
        await accounts.ledger("a", before=before)


@pytest.mark.gen_test
async def test_the_ends_of_time_are_entry_ids_too(storage: Storage) -> None:
    accounts = Accounts(storage)
    await accounts.create(account_id="a", tokens=1)
    last = 2**64 - 1
    assert await accounts.ledger("a", before="0-0") == ([], None)
    assert await accounts.ledger("a", before="0-1") == ([], None)
    assert len((await accounts.ledger("a", before=f"{last}-{last}"))[0]) == 1
    assert await accounts.ledger("nobody") == ([], None)
