"""A credential that is ended elsewhere is refused by the next polls: changes are reported, no recheck is waited for.

The recheck of keys is set to an hour and tokens are good for minutes, so a refusal within a test shows the report.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from accounts import Accounts, ApiKeys, WatchTokens
from runtime.settings import Settings
from storage.redis_server import RedisServer
from storage.storage import Storage
from storage.tracking import CLIENT_NAME, STALE_S
from tests.server.lane.conftest import SECRET, House, lane
from tests.support.raw_http import RawConnection, connected, document, poll, request
from tests.support.storage import OpenStorage

AN_HOUR_S = 3_600.0
PASSWORD = "word"  # of a server that only this test run knows

pytestmark = pytest.mark.settings(identity={"jwt": {"algorithm": "HS256", "secret": SECRET}})


@pytest.fixture
def user(key_prefix: str) -> str:
    """The server's own user of Redis, whose rights a test may take away."""
    return f"user-of-{key_prefix}"


@pytest.fixture
def settings(io_loop: Any, settings: Settings, storage: OpenStorage, user: str) -> Settings:
    """The settings of other tests, with that user, and a recheck that none of these lives to see."""
    rights: dict[str, Any] = {"keys": ["*"], "channels": ["*"], "categories": ["+@all"]}
    io_loop.run_sync(lambda: storage.redis.acl_setuser(user, enabled=True, passwords=[f"+{PASSWORD}"], **rights))
    url = SecretStr(f"redis://{user}:{PASSWORD}@{storage.url.partition('@')[2]}")
    identity = settings.identity.model_copy(update={"key_recheck_s": AN_HOUR_S})
    return settings.model_copy(update={"identity": identity, "redis": settings.redis.model_copy(update={"url": url})})


async def key_of(house: House, _task_id: str) -> str:
    return house.authorization


async def jwt_of(house: House, _task_id: str) -> str:
    return "Bearer " + jwt.encode({"sub": house.account_id, "exp": int(time.time() + AN_HOUR_S)}, SECRET, "HS256")


async def watch_token_of(house: House, task_id: str) -> str:
    return "Bearer " + (await WatchTokens(house.storage).signer()).make(house.account_id, task_id)


async def revoke(storage: Storage, account_id: str) -> None:
    (key,) = await ApiKeys(storage).of(account_id)
    await ApiKeys(storage).revoke(account_id, key.key_id)


async def revoke_all(storage: Storage, account_id: str) -> None:
    await ApiKeys(storage).revoke_all(account_id)


async def close(storage: Storage, account_id: str) -> None:
    await Accounts(storage).close(account_id)
    await ApiKeys(storage).revoke_all(account_id)


async def delete(storage: Storage, account_id: str) -> None:
    await ApiKeys(storage).delete_all(account_id)
    await Accounts(storage).forget(account_id, keep_ledger=False)


Credential = Callable[[House, str], Awaitable[str]]
Ending = Callable[[Storage, str], Awaitable[None]]
ENDINGS = [
    pytest.param(key_of, revoke, "unauthorized", id="a revoked key"),
    pytest.param(key_of, revoke_all, "unauthorized", id="all keys revoked"),
    pytest.param(key_of, close, "unauthorized", id="the key of a closed account"),
    pytest.param(key_of, delete, "unauthorized", id="the key of a deleted account"),
    pytest.param(jwt_of, close, "account_closed", id="a token of a closed account"),
    pytest.param(jwt_of, delete, "unknown_account", id="a token of a deleted account"),
    pytest.param(watch_token_of, close, "account_closed", id="a watch token of a closed account"),
    pytest.param(watch_token_of, delete, "unknown_account", id="a watch token of a deleted account"),
]


async def refusal(wire: RawConnection, asked: bytes) -> str:
    """Ask until the answer is a refusal; return its code."""
    async with asyncio.timeout(180):
        while (answer := await wire.ask(asked)).status == 200:
            pass
    return str(json.loads(answer.body)["error_code"])


@pytest.mark.gen_test
@pytest.mark.parametrize(("credential", "ending", "code"), ENDINGS)
async def test_is_refused_although_no_recheck_is_due(
    house: House, credential: Credential, ending: Ending, code: str
) -> None:
    task_id = await house.task()
    header = await credential(house, task_id)
    async with connected(house.address) as wire:
        for _ in range(5):
            assert (await wire.ask(poll(task_id, header))).status == 200
        assert (house.by_lane > 0) is lane(house)
        await ending(house.storage, house.account_id)
        assert await refusal(wire, poll(task_id, header)) == code
        ordinary = await wire.ask(request("GET", "/api/v1/account/", header))
        assert json.loads(ordinary.body)["error_code"] == code


async def cut_for_good(redis: Redis, user: str) -> None:
    """End the user's tracking connections, and let it have no others."""
    await redis.acl_setuser(user, enabled=True, commands=["-client|tracking"])
    for client in await redis.client_list():
        if client["user"] == user and client["name"] == CLIENT_NAME:
            await redis.client_kill_filter(_id=client["id"])


@pytest.mark.gen_test
@pytest.mark.parametrize(("credential", "ending", "code"), ENDINGS)
async def test_is_refused_while_no_change_can_be_reported(
    house: House, user: str, credential: Credential, ending: Ending, code: str
) -> None:
    task_id = await house.task()
    header = await credential(house, task_id)
    async with connected(house.address) as wire:
        for _ in range(5):
            assert (await wire.ask(poll(task_id, header))).status == 200
        await cut_for_good(house.storage.redis, user)
        await ending(house.storage, house.account_id)
        assert await refusal(wire, poll(task_id, header)) == code


@pytest.mark.gen_test
async def test_is_served_without_redis_for_as_long_as_it_was_found_good(
    house: House, redis_server: RedisServer
) -> None:
    task_id = await house.task(document(9, "completed"))  # which is known for certain
    header = await jwt_of(house, task_id)
    async with connected(house.address) as wire:
        for _ in range(3):
            assert (await wire.ask(poll(task_id, header))).status == 200
        redis_server.kill()
        try:
            deadline = time.monotonic() + 1.2 * STALE_S
            while time.monotonic() < deadline:
                assert (await wire.ask(poll(task_id, header))).status == 200
        finally:
            redis_server.start()


@pytest.mark.gen_test
async def test_a_credential_that_is_still_good_goes_on_in_the_lane_after_each_change(house: House) -> None:
    task_id = await house.task()
    header = await jwt_of(house, task_id)
    async with connected(house.address) as wire:
        for _ in range(3):
            assert (await wire.ask(poll(task_id, header))).status == 200
        for spent in range(20):
            await Accounts(house.storage).grants.add(house.account_id, 1 + spent)
            assert (await wire.ask(poll(task_id, header))).status == 200
    assert (house.by_lane > 11) is lane(house), "a change that comes while the record is read is Tornado's to answer"
