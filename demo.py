"""Everything on one machine: an account, and a stand-in for Gemini unless there is a key for the real one."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from contextlib import AsyncExitStack
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
from wiring.commands import open_accounts

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


def free_port(host: str, port: int, within: int = 100) -> int:
    """Return the port, or the next one that nobody listens on, and say so; others' servers like the same ones."""
    for candidate in range(port, min(port + within, 65_535) + 1):
        try:
            for bound in bind_sockets(candidate, host):
                bound.close()
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                break  # the server's own attempt will tell
        else:
            if candidate != port:
                click.echo(f"Port {port} is taken by another program: using {candidate} instead.")
            return candidate
    return port


async def demo_account(settings: Settings, remembered: Path) -> tuple[str, str]:
    """Return the demo account's id and API key; made at the first start, kept beside Redis' data."""
    async with open_accounts(settings, PromptText(settings.prompt.templates_folder).advice) as administration:
        with contextlib.suppress(OSError, ValueError, KeyError, Unauthorized):
            known = json.loads(remembered.read_text("utf-8"))
            if await administration.api_keys.find(known["api_key"]) == known["account_id"]:
                return known["account_id"], known["api_key"]
        account = await administration.accounts.create(
            tokens=1_000_000, subscription_days=3_650, business_type="restaurant", name="Demo"
        )
        made = await administration.api_keys.create(account.account_id, "demo")
        remembered.touch(mode=0o600)
        remembered.write_text(json.dumps({"account_id": account.account_id, "api_key": made.key}), "utf-8")
        return account.account_id, made.key


async def run_demo(settings: Settings, remembered: Path, ready_file: Path | None, gemini_delay_s: float) -> None:
    """Serve with the demo account, and with the stand-in for Gemini when there is no key for the real one."""
    async with AsyncExitStack() as stack:
        if not settings.gemini.api_key.get_secret_value():
            standin = await stack.enter_async_context(serve_standin(api_key=STANDIN_KEY, delay_s=gemini_delay_s))
            ours = {"base_url": standin.url, "api_key": SecretStr(STANDIN_KEY), "proxy": "none", "backend": "gemini"}
            gemini = settings.gemini.model_copy(update=ours)
            settings = settings.model_copy(update={"gemini": gemini})
        account_id, api_key = await demo_account(settings, remembered)

        def ready(address: str) -> None:
            gemini_url, redis_url = settings.gemini.base_url, settings.redis.url.get_secret_value()
            click.echo(DEMO_TEXT.format(url=address, api_key=api_key, base=BASE, gemini=gemini_url))
            facts = {"api_key": api_key, "account_id": account_id, "redis_url": redis_url, "gemini_url": gemini_url}
            write_ready_file(ready_file, {"url": address, "pid": os.getpid()} | facts)

        await run(settings, ready=ready, demo_api_key=api_key)
