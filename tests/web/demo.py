"""The demo as these tests use it: one process for all of them, and an account for each that needs its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from accounts import Accounts, AdminKeys, ApiKeys
from tests.deploy.processes import Process
from tests.support.storage import OpenStorage
from tests.support.waiting import eventually

JWT_SECRET = "a secret for tests, of thirty-two bytes and more"
RICH = 1_000_000

Result = TypeVar("Result")


@dataclass(frozen=True)
class Account:
    account_id: str
    api_key: str


@dataclass(frozen=True)
class Demo:
    """A running `main.py demo`; the fields of its ready file."""

    url: str
    api_key: str
    account_id: str
    redis_url: str
    gemini_url: str
    pid: int

    def accounts(self, *names: str, tokens: int = RICH, subscription_days: int = 30) -> dict[str, Account]:
        """Make one account for each name."""
        return _run(_made(self.redis_url, names, tokens, subscription_days))

    def account(self, *, tokens: int = RICH, subscription_days: int = 30) -> Account:
        return self.accounts("one", tokens=tokens, subscription_days=subscription_days)["one"]

    def account_called(self, account_id: str) -> Account:
        """Make an account with this id."""
        return _run(_called(self.redis_url, account_id))

    def grant(self, account_id: str, tokens: int) -> None:
        _run(_granted(self.redis_url, account_id, tokens))

    def admin_key(self) -> str:
        """Make an admin key."""
        return _run(_made_admin_key(self.redis_url))

    def revoke_admin_key(self, key: str) -> None:
        _run(_revoked_admin_key(self.redis_url, key))

    def submit(self, account: Account, manual_prompt: str) -> str:
        """Start a generation for the account; return its task's id."""
        request = Request(
            f"{self.url.rstrip('/')}/api/v1/web-knowledge/generate-prompt-async/",
            json.dumps({"manual_prompt": manual_prompt}).encode(),
            {"Authorization": f"Bearer {account.api_key}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=180) as answer:
            return str(json.load(answer)["task_id"])

    def cancel(self, account: Account, task_id: str) -> None:
        """Cancel a generation as the account itself does."""
        request = Request(
            f"{self.url.rstrip('/')}/api/v1/web-knowledge/generate-prompt-async/cancel/{task_id}/",
            b"",
            {"Authorization": f"Bearer {account.api_key}"},
        )
        with urlopen(request, timeout=180):
            pass

    def finished(self, account: Account, manual_prompt: str) -> str:
        """Run a generation for the account to its end; return its task's id."""
        task_id = self.submit(account, manual_prompt)
        request = Request(
            f"{self.url.rstrip('/')}/api/v1/web-knowledge/generate-prompt-async/status/{task_id}/",
            headers={"Authorization": f"Bearer {account.api_key}"},
        )

        def over() -> bool:
            with urlopen(request, timeout=180) as answer:
                return json.load(answer)["status"] in {"completed", "failed"}

        assert eventually(over, within_s=60)
        return task_id

    def facts_for_node(self) -> dict[str, Any]:
        """What tests/web/client/server.js reads."""
        rich = ["generate", "errors", "other", "busy", "connection", "presence", "seed", "session", "examples"]
        made = self.accounts(*rich) | self.accounts("ledger", tokens=5_000)
        made |= self.accounts("poor", tokens=250) | self.accounts("lapsed", subscription_days=0)
        return {"url": self.url, "jwt_secret": JWT_SECRET, "accounts": {name: asdict(of) for name, of in made.items()}}


@contextmanager
def running_demo(folder: Path, **more: str) -> Iterator[Demo]:
    """``more``: environment variables of its own."""
    arguments = ["demo", "--port", "0", "--data", str(folder / "data"), "--gemini-delay-s", "0.3"]
    environment = {
        "PROMPT_IDENTITY__JWT__ALGORITHM": "HS256",
        "PROMPT_IDENTITY__JWT__SECRET": JWT_SECRET,
        "PROMPT_SERVER__DRAIN_TIMEOUT_S": "0.1",  # nobody reads what tests left running
        **more,
    }
    with Process(folder, arguments, environment) as process:
        yield Demo(**process.start())  # type: ignore[arg-type]  # the ready file's pid is a number


def _run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run it in a thread of its own: Playwright's synchronous interface keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


async def _made(redis_url: str, names: tuple[str, ...], tokens: int, subscription_days: int) -> dict[str, Account]:
    storage = OpenStorage(redis_url)
    try:
        made = {}
        for name in names:
            account = await Accounts(storage).create(
                tokens=tokens, subscription_days=subscription_days, business_type="general", name=name
            )
            key = await ApiKeys(storage).create(account.account_id, "tests")
            made[name] = Account(account.account_id, key.key)
        return made
    finally:
        await storage.aclose()


async def _called(redis_url: str, account_id: str) -> Account:
    storage = OpenStorage(redis_url)
    try:
        await Accounts(storage).create(account_id=account_id, tokens=RICH, subscription_days=30)
        return Account(account_id, (await ApiKeys(storage).create(account_id, "tests")).key)
    finally:
        await storage.aclose()


async def _revoked_admin_key(redis_url: str, key: str) -> None:
    storage = OpenStorage(redis_url)
    try:
        keys = AdminKeys(storage)
        await keys.revoke((await keys.find(key)).key_id)
    finally:
        await storage.aclose()


async def _made_admin_key(redis_url: str) -> str:
    storage = OpenStorage(redis_url)
    try:
        return (await AdminKeys(storage).create("tests")).key
    finally:
        await storage.aclose()


async def _granted(redis_url: str, account_id: str, tokens: int) -> None:
    storage = OpenStorage(redis_url)
    try:
        await Accounts(storage).grants.add(account_id, tokens, "tests")
    finally:
        await storage.aclose()
