"""The audit: silent about every true history, and never about a false one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import accounts.accounts
from accounts import Accounts, LedgerEntry
from accounts.audit import audit
from storage.scripts import load_scripts
from storage.storage import Storage
from tests.support.storage import OpenStorage

ACCOUNTS_LUA = Path(accounts.accounts.__file__).parent / "lua"
STORAGE_LUA = ACCOUNTS_LUA.parents[1] / "storage/lua"
MOVE = """--- @include "hold_tokens"
--- @include "settle_tokens"
if ARGV[1] == 'hold' then return hold_tokens(KEYS[1], KEYS[2], 700, ARGV[2]) end
return settle_tokens(KEYS[1], KEYS[2], 700, tonumber(ARGV[1]), ARGV[2], 'done')
"""


@st.composite
def histories(draw: st.DrawFn) -> list[LedgerEntry]:
    """Entries as the Lua fragments write them, for any order of grants, holds and their ends."""
    granted = charged = 0
    holds: dict[str, int] = {}
    entries: list[LedgerEntry] = []

    def write(kind: str, tokens: int, task: str = "") -> None:
        held = sum(holds.values())
        number = len(entries) + 1
        balance = granted - held - charged
        entries.append(LedgerEntry(f"{number}-0", "", kind, tokens, balance, held, charged, task, "", 0))

    for task in draw(st.lists(st.uuids(), min_size=1, max_size=12)):
        balance = granted - sum(holds.values()) - charged
        step = draw(st.sampled_from(["grant", "hold", "end"]))
        if step == "hold" and balance >= 700 and str(task) not in holds:
            holds[str(task)] = 700
            write("hold", 700, str(task))
        elif step == "end" and holds:
            ending = draw(st.sampled_from(sorted(holds)))
            hold = holds.pop(ending)
            used = draw(st.integers(0, hold + balance))
            charged += used
            write("settle" if used else "release", used or hold, ending)
        else:
            tokens = draw(st.integers(-balance, 5_000))
            granted += tokens
            write("grant", tokens)
    return entries


def numbers_after(entries: list[LedgerEntry]) -> dict[str, str]:
    last = entries[-1]
    granted = last.balance + last.held + last.charged
    numbers = {"granted": granted, "balance": last.balance, "held": last.held, "charged": last.charged}
    return {name: str(number) for name, number in numbers.items()}


def audited(members: dict[str, str], entries: list[LedgerEntry]) -> Any:
    async def oldest_first() -> AsyncIterator[LedgerEntry]:
        for entry in entries:
            yield entry

    return asyncio.run(audit("a", members, oldest_first()))


@given(histories())
def test_every_true_history_passes(entries: list[LedgerEntry]) -> None:
    assert audited(numbers_after(entries), entries) is None


@given(histories(), st.data())
def test_no_entry_can_be_changed_unnoticed(entries: list[LedgerEntry], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(entries) - 1))
    field = data.draw(st.sampled_from(["tokens", "balance", "held", "charged"]))
    more = data.draw(st.sampled_from([-700, -1, 1, 700]))
    changed = replace(entries[position], **{field: getattr(entries[position], field) + more})
    failure = audited(numbers_after(entries), [*entries[:position], changed, *entries[position + 1 :]])
    assert failure is not None
    assert any(f"from entry {changed.id} on" in problem for problem in failure.problems)


@given(histories(), st.sampled_from(["granted", "balance", "held", "charged"]), st.sampled_from([-1, 1, 10**15]))
def test_no_number_can_be_changed_unnoticed(entries: list[LedgerEntry], name: str, more: int) -> None:
    members = numbers_after(entries)
    assert audited(members | {name: str(int(members[name]) + more)}, entries) is not None


def test_an_entry_of_an_unknown_kind_is_noticed() -> None:
    grant = LedgerEntry("1-0", "", "grant", 5, 5, 0, 0, "", "", 0)
    failure = audited(numbers_after([grant]), [grant, replace(grant, id="2-0", kind="gift", tokens=0)])
    assert failure.problems == ("the ledger does not add up from entry 2-0 on",)


@pytest.mark.gen_test
async def test_an_audit_amid_generations_finds_nothing_wrong(
    storage: OpenStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.ledger.ENTRIES_PER_READ", 7)
    (tmp_path / "move.lua").write_text(MOVE)
    move = storage.redis.register_script(load_scripts((ACCOUNTS_LUA, STORAGE_LUA, tmp_path))["move"])
    keeper = Accounts(storage)
    await keeper.create(account_id="a", tokens=100_000)
    keys = [storage.key("a", "account"), storage.key("a", "ledger")]

    async def generation(number: int) -> None:
        await move(keys=keys, args=["hold", f"task-{number}"])
        await move(keys=keys, args=[number * 13 % 900, f"task-{number}"])

    async def audits() -> list[Any]:
        return [await keeper.audit("a") for _ in range(20)]

    found, *_ = await asyncio.gather(audits(), *(generation(number) for number in range(60)))
    assert found == [[]] * 20
    after = await keeper.show("a")
    assert (after.tokens_held, after.tokens_charged) == (0, sum(number * 13 % 900 for number in range(60)))
    assert await keeper.audit() == []


async def _move_into_hold(storage: OpenStorage) -> None:
    await storage.redis.hincrby(storage.key("bad", "account"), "balance", -10)
    await storage.redis.hincrby(storage.key("bad", "account"), "held", 10)


async def _give(storage: OpenStorage) -> None:
    await storage.redis.hincrby(storage.key("bad", "account"), "granted", 10)
    await storage.redis.hincrby(storage.key("bad", "account"), "balance", 10)


async def _forget_a_number(storage: OpenStorage) -> None:
    await storage.redis.hdel(storage.key("bad", "account"), "held")


async def _write_no_number(storage: OpenStorage) -> None:
    await storage.redis.hset(storage.key("bad", "account"), "held", "many")


async def _tear_out_an_entry(storage: OpenStorage) -> None:
    entries: Any = await storage.redis.xrange(storage.key("bad", "ledger"))
    await storage.redis.xdel(storage.key("bad", "ledger"), entries[1][0])


async def _write_an_entry_by_hand(storage: OpenStorage) -> None:
    await storage.redis.xadd(storage.key("bad", "ledger"), {"kind": "grant"})


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (_move_into_hold, "holds do not add up"),
        (_give, "grants do not add up"),
        (_forget_a_number, "is missing"),
        (_write_no_number, "is none"),
        (_tear_out_an_entry, "does not add up from entry"),
        (_write_an_entry_by_hand, "cannot be read"),
    ],
)
async def test_the_audit_names_what_somebody_did_to_an_account(
    storage: OpenStorage, tamper: Callable[[Storage], Awaitable[None]], problem: str
) -> None:
    keeper = Accounts(storage)
    for account_id in ("good", "bad"):
        await keeper.create(account_id=account_id, tokens=100)
        await keeper.grants.add(account_id, 20)
        await keeper.grants.add(account_id, 3)
    await tamper(storage)
    (failure,) = await keeper.audit()
    assert failure.account_id == "bad"
    assert problem in "; ".join(failure.problems)
