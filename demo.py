"""Everything on one machine: an account, and a stand-in for Gemini unless there is a key for the real one."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import SecretStr
from tornado.netutil import bind_sockets

from accounts import Unauthorized
from generation.prompt_text import PromptText
from handlers.paths import BASE
from runtime.ready_file import write_ready_file
from runtime.settings import Settings
from serving import run
from standin import serve_standin
from wiring.commands import AccountsAdministration, open_accounts

STANDIN_KEY = "demo-key-of-the-stand-in"
DEMO_TEXT = """
  Page      {url}/
  API key   {api_key}
  Gemini    {gemini}

  Try it:
  curl -s -X POST {url}{base}/generate-prompt-async/ -H 'Authorization: Bearer {api_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"manual_prompt": "Answer questions about our bakery. Open 7-18, call 030 1234567."}}'
"""
ADMIN_TEXT = """
  Operators {url}/operate/
  Admin key {admin_key}

  curl -s {url}/api/v1/admin/accounts/ -H 'Authorization: Bearer {admin_key}'
"""


def free_port(host: str, port: int, within: int = 100) -> int:
    """Return the port, or the next one that is free, and print that one."""
    for candidate in range(port, min(port + within, 65_535) + 1):
        try:
            for bound in bind_sockets(candidate, host):
                bound.close()
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                break  # the server's own attempt reports the error
        else:
            if candidate != port:
                click.echo(f"Port {port} is taken by another program: using {candidate} instead.")
            return candidate
    return port


@dataclass(frozen=True, slots=True)
class DemoKeys:
    """``admin_key`` is None unless it was asked for."""

    account_id: str
    api_key: str
    admin_key: str | None


async def demo_keys(settings: Settings, remembered: Path, *, with_admin_key: bool) -> DemoKeys:
    """Return the demo account's id and the keys; made when they are first wanted, kept beside Redis' data."""
    async with open_accounts(settings, PromptText(settings.prompt.templates_folder).advice) as administration:
        known: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(remembered.read_text("utf-8"))
        if not await _are_good(administration, known):
            account = await administration.accounts.create(
                tokens=1_000_000, subscription_days=3_650, business_type="restaurant", name="Demo"
            )
            made = await administration.api_keys.create(account.account_id, "demo")
            known = {"api_key": made.key, "account_id": account.account_id}
        if with_admin_key and not await _is_good_admin_key(administration, known):
            known["admin_key"] = (await administration.admin_keys.create("demo")).key
        remembered.touch(mode=0o600)
        remembered.write_text(json.dumps(known), "utf-8")
        return DemoKeys(known["account_id"], known["api_key"], known.get("admin_key") if with_admin_key else None)


async def _are_good(administration: AccountsAdministration, known: dict[str, str]) -> bool:
    try:
        return await administration.api_keys.find(known["api_key"]) == known["account_id"]
    except (Unauthorized, KeyError, TypeError):
        return False


async def _is_good_admin_key(administration: AccountsAdministration, known: dict[str, str]) -> bool:
    try:
        await administration.admin_keys.find(known["admin_key"])
    except (Unauthorized, KeyError):
        return False
    return True


async def run_demo(
    settings: Settings,
    remembered: Path,
    ready_file: Path | None,
    gemini_delay_s: float,
    *,
    with_admin_key: bool = False,
) -> None:
    """Serve with the demo account, and with the stand-in for Gemini when there is no key for the real one."""
    async with AsyncExitStack() as stack:
        if not settings.gemini.api_key.get_secret_value():
            standin = await stack.enter_async_context(serve_standin(api_key=STANDIN_KEY, delay_s=gemini_delay_s))
            ours = {"base_url": standin.url, "api_key": SecretStr(STANDIN_KEY), "proxy": "none", "backend": "gemini"}
            gemini = settings.gemini.model_copy(update=ours)
            settings = settings.model_copy(update={"gemini": gemini})
        keys = await demo_keys(settings, remembered, with_admin_key=with_admin_key)

        def ready(address: str) -> None:
            gemini_url, redis_url = settings.gemini.base_url, settings.redis.url.get_secret_value()
            click.echo(DEMO_TEXT.format(url=address, api_key=keys.api_key, base=BASE, gemini=gemini_url))
            if keys.admin_key:
                click.echo(ADMIN_TEXT.format(url=address, admin_key=keys.admin_key))
            facts = {
                "api_key": keys.api_key,
                "account_id": keys.account_id,
                "redis_url": redis_url,
                "gemini_url": gemini_url,
            }
            admin = {"admin_key": keys.admin_key} if keys.admin_key else {}
            write_ready_file(ready_file, {"url": address, "pid": os.getpid()} | facts | admin)

        await run(settings, ready=ready, demo_api_key=keys.api_key)
