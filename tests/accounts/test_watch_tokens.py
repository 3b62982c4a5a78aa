"""Watch tokens: good for one task, in every process, until they expire."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import aiohttp
import pytest

from accounts import AccountClosed, Accounts, ApiKeys, Callers, Identity, Unauthorized, UnknownAccount, WatchTokens
from accounts.identity import WATCH_TOKEN_RECHECK_S
from accounts.watch_tokens import LASTS_S
from runtime.settings import IdentitySettings
from storage.storage import Storage

ACCOUNT, TASK = "user-1", "0b0e7f3c-5c0e-4b5e-9a52-0e6f7a1d2c3b"


def identity_of(storage: Storage, session: aiohttp.ClientSession, watch_tokens: WatchTokens) -> Identity:
    callers, settings = Callers(storage, None, 10), IdentitySettings()
    return Identity(ApiKeys(storage), Accounts(storage), callers, settings, session, watch_tokens=watch_tokens)


def encoded(claims: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


@pytest.mark.gen_test
async def test_a_token_names_its_account_and_task_for_at_most_a_quarter_of_an_hour(storage: Storage) -> None:
    signer = await WatchTokens(storage).signer()
    for account_id in (ACCOUNT, "Jörg Müller", "李.{}:%", "😀" * 255):
        watched = signer.check(signer.make(account_id, TASK))
        assert (watched.account_id, watched.task_id) == (account_id, TASK)
        assert LASTS_S - 120 < watched.left_s <= LASTS_S == 900
    assert signer.check(signer.make(ACCOUNT, TASK, 3_600)).left_s <= LASTS_S


@pytest.mark.gen_test
async def test_processes_that_start_together_and_later_agree_on_one_secret(storage: Storage) -> None:
    signers = await asyncio.gather(*(WatchTokens(storage).signer() for _ in range(20)))
    token = signers[0].make(ACCOUNT, TASK)
    for signer in (*signers, await WatchTokens(storage).signer()):
        assert signer.check(token).task_id == TASK


@pytest.mark.gen_test
async def test_a_secret_that_was_lost_and_made_anew_is_followed(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.watch_tokens.SECRET_KEPT_S", 0.0)
    running = WatchTokens(storage)
    before = await running.signer()
    await storage.command("DEL", storage.shared_key("watch_token_secret"))
    token = (await WatchTokens(storage).signer()).make(ACCOUNT, TASK)
    with pytest.raises(Unauthorized, match="invalid_token"):
        before.check(token)
    assert (await running.signer()).check(token).task_id == TASK


@pytest.mark.gen_test
async def test_an_expired_token_is_refused(storage: Storage) -> None:
    signer = await WatchTokens(storage).signer()
    with pytest.raises(Unauthorized, match="expired_token"):
        signer.check(signer.make(ACCOUNT, TASK, -1))


@pytest.mark.gen_test
async def test_a_token_that_was_changed_anywhere_is_refused(storage: Storage) -> None:
    signer = await WatchTokens(storage).signer()
    token = signer.make(ACCOUNT, TASK)
    claims, _, signature = token.removeprefix("pw_").partition(".")
    forged = encoded(["user-2", TASK, int(time.time()) + 600])
    changed = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(3, len(token))]
    shaped = [f"pw_{forged}.{signature}", f"pw_{claims}", f"pw_{claims}.", "pw_", "pw_.", f"{token}.", f"{token}="]
    for wrong in changed + shaped:
        with pytest.raises(Unauthorized, match="invalid_token"):
            signer.check(wrong)


@pytest.mark.gen_test
async def test_the_identity_knows_the_task_of_a_token(storage: Storage) -> None:
    watch_tokens = WatchTokens(storage)
    signer = await watch_tokens.signer()
    await Accounts(storage).create(account_id=ACCOUNT)
    async with aiohttp.ClientSession() as session:
        who = identity_of(storage, session, watch_tokens)
        header = "Bearer " + signer.make(ACCOUNT, TASK)
        caller = await who.authenticate(header)
        assert (caller.account_id, caller.task_id) == (ACCOUNT, TASK)
        assert 0 < caller.valid_until - time.monotonic() <= WATCH_TOKEN_RECHECK_S < LASTS_S
        assert await who.renew([caller]) == [caller]
        assert caller.may_ask_about(TASK)
        assert not caller.may_ask_about("")
        with pytest.raises(UnknownAccount):
            await who.authenticate("Bearer " + signer.make("nobody", TASK))


@pytest.mark.gen_test
async def test_a_token_of_an_account_that_was_closed_is_refused_when_it_is_checked_again(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.identity.WATCH_TOKEN_RECHECK_S", 0.0)
    watch_tokens, accounts = WatchTokens(storage), Accounts(storage)
    header = "Bearer " + (await watch_tokens.signer()).make(ACCOUNT, TASK)
    await accounts.create(account_id=ACCOUNT)
    async with aiohttp.ClientSession() as session:
        who = identity_of(storage, session, watch_tokens)
        assert (await who.authenticate(header)).account_id == ACCOUNT
        await accounts.close(ACCOUNT)
        with pytest.raises(AccountClosed):
            await who.authenticate(header)
