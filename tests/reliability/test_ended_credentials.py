"""Two processes and the command line on one Redis: what one of them ends, the other refuses before any recheck."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import jwt
import pytest

from accounts import Accounts, AdminKeys, ApiKeys, WatchTokens
from tests.deploy.processes import demo, serve
from tests.support.raw_http import RawConnection, connected, document, new_task_id, poll, request
from tests.support.storage import OpenStorage
from tests.support.warm_start import run_main

RECHECK_S = 60.0  # the longest that can be set
SECRET = "a secret of the tests that is long enough"
Ending = Callable[[str], Awaitable[None]]


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


async def until_refused(wire: RawConnection, asked: bytes) -> None:
    async with asyncio.timeout(RECHECK_S):
        while (answer := await wire.ask(asked)).status == 200:
            pass
    assert answer.status in (401, 403), answer.body


class Backend:
    """Ends credentials by the admin API of one process, and by the command line."""

    def __init__(self, wire: RawConnection, admin_key: str, redis_url: str) -> None:
        self._wire = wire
        self._authorization = f"Bearer {admin_key}"
        self._environment = dict(os.environ) | {"PROMPT_REDIS__URL": redis_url}

    async def _asks(self, method: str, account_id: str, rest: str) -> None:
        path = f"/api/v1/admin/accounts/{quote(account_id)}/{rest}"
        answer = await self._wire.ask(request(method, path, self._authorization, ("Content-Length", "0")))
        assert answer.status == 200, answer.body

    async def revokes(self, account_id: str, key_id: str) -> None:
        await self._asks("DELETE", account_id, f"keys/{key_id}/")

    async def revokes_all(self, account_id: str) -> None:
        await self._asks("DELETE", account_id, "keys/")

    async def closes(self, account_id: str) -> None:
        await self._asks("POST", account_id, "close/")

    async def deletes(self, account_id: str) -> None:
        await self._asks("DELETE", account_id, "?ledger=delete")

    async def commands(self, *words: str) -> None:
        done = await asyncio.to_thread(run_main, "accounts", *words, environment=self._environment)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.gen_test
async def test_what_one_process_ends_the_other_refuses(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", gemini_delay_s=0.0) as one:
        facts = one.start()
        other = serve(tmp_path / "other", 0, facts)
        other.environment |= {
            "PROMPT_IDENTITY__KEY_RECHECK_S": str(RECHECK_S),
            "PROMPT_IDENTITY__JWT__ALGORITHM": "HS256",
            "PROMPT_IDENTITY__JWT__SECRET": SECRET,
        }
        with other:
            polled = other.start()
            await _all_is_refused(facts, polled["url"])


async def _all_is_refused(facts: dict[str, str], polled_url: str) -> None:
    storage = OpenStorage(facts["redis_url"])
    keys = ApiKeys(storage)
    admin = await AdminKeys(storage).create()
    async with connected(address(facts["url"])) as to_one, connected(address(polled_url)) as to_other:
        backend = Backend(to_one, admin.key, facts["redis_url"])
        signer = await WatchTokens(storage).signer()

        async def refused_after(account_id: str, ending: Ending, kind: str = "key") -> None:
            await Accounts(storage).create(account_id=account_id, tokens=1_000, subscription_days=1)
            task_id = new_task_id()
            await storage.redis.set(storage.key(account_id, "status", task_id), document(), ex=600)
            if kind == "key":
                token = (await keys.create(account_id)).key
            elif kind == "JWT":
                token = jwt.encode({"sub": account_id, "exp": int(time.time()) + 900}, SECRET, "HS256")
            else:
                token = signer.make(account_id, task_id)
            asked = poll(task_id, f"Bearer {token}")
            for _ in range(3):
                assert (await to_other.ask(asked)).status == 200
            await ending(account_id)
            await until_refused(to_other, asked)
            ordinary = await to_other.ask(request("GET", "/api/v1/account/", f"Bearer {token}"))
            assert json.loads(ordinary.body)["success"] is False

        async def revoke_first(account_id: str) -> None:
            await backend.revokes(account_id, (await keys.of(account_id))[0].key_id)

        await refused_after("revoked", revoke_first)
        await refused_after("all revoked", backend.revokes_all)
        await refused_after("closed", backend.closes)
        await refused_after("deleted", backend.deletes)
        await refused_after("closed for a JWT", backend.closes, "JWT")
        await refused_after("deleted for a JWT", backend.deletes, "JWT")
        await refused_after("closed for a watch token", backend.closes, "watch token")
        await refused_after("deleted for a watch token", backend.deletes, "watch token")
        await refused_after("by a command", lambda account_id: backend.commands("keys", "revoke-all", account_id))
    await storage.aclose()
