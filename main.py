"""The command line: serve, demo, accounts, check-config, gemini-standin."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import click
import structlog

from accounts import PublicKeyUnusable
from accounts.command_line import accounts as accounts_commands
from accounts.command_line import admin_keys as admin_keys_commands
from demo import free_port, run_demo
from generation.commands import evaluate_command, probe_models
from generation.gemini import CredentialsUnusable, ProxyUnusable
from generation.overview_command import overview_command
from generation.prompt_text import PromptText, TemplatesUnusable
from notifications import PushUnusable
from notifications.commands import web_push as web_push_commands
from notifications.commands import webhooks as webhooks_commands
from runtime.command_options import CONFIG
from runtime.configuration import InvalidSettings, doubtful_variables, load_settings, shown
from runtime.library_lines import take_unraisable_exceptions
from runtime.logs import configure_logging, flush_logs
from runtime.ready_file import write_ready_file
from runtime.settings import Settings
from runtime.standard_streams import open_standard_streams
from runtime.trace_start import TracesUnusable
from runtime.version import VERSION
from serving import run
from standin.commands import gemini_standin
from storage.errors import StorageMisconfigured, StorageUnavailable
from storage.redis_server import NoRedisServer, RedisServer
from wiring.commands import open_accounts

log = structlog.get_logger("main")
DATA = Path(__file__).parent / ".data"


def administer_accounts(config: Path | None) -> AbstractAsyncContextManager[Any]:
    """Open what the accounts commands need in a process of their own; logs go to standard error, beside the answers."""
    settings = read_settings(config)
    require_redis_url(settings)
    configure_logging(settings.logs)
    try:
        advice = PromptText(settings.prompt.templates_folder).advice
    except (TemplatesUnusable, ProxyUnusable) as exc:
        raise click.ClickException(str(exc)) from exc
    return open_accounts(settings, advice)


HOST = click.option("--host", help="Address to listen on (setting server.host).")
PORT = click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any free one.")
READY_FILE = click.option(
    "--ready-file", type=click.Path(path_type=Path), help="Write one JSON object there when requests are accepted."
)


def read_settings(config: Path | None, **sections: dict[str, Any]) -> Settings:
    """Load the settings, or end with one line per wrong one."""
    given = {
        name: {key: value for key, value in section.items() if value is not None} for name, section in sections.items()
    }
    try:
        return load_settings(config, given)
    except InvalidSettings as exc:
        raise click.ClickException("the settings cannot be used:\n  " + "\n  ".join(exc.problems)) from exc


def require_redis_url(settings: Settings) -> None:
    """Exit with the setting to make, when no Redis is configured."""
    if not settings.redis.url.get_secret_value():
        raise click.ClickException("redis.url is not set: give PROMPT_REDIS__URL, for example redis://127.0.0.1:6379/0")


def start(settings: Settings, serving: Coroutine[Any, Any, None]) -> None:
    """Run until a signal; exit with one clear line when the port or Redis cannot be used."""
    configure_logging(settings.logs)
    take_unraisable_exceptions()
    for doubt in doubtful_variables():
        log.warning("variable_not_read", problem=doubt)
    try:
        asyncio.run(serving)
    except StorageMisconfigured as exc:
        raise click.ClickException(exc.sentence) from exc
    except StorageUnavailable as exc:
        raise click.ClickException(f"Redis at {shown(settings)['redis']['url']} cannot be used: {exc.reason}") from exc
    except OSError as exc:
        where = settings.server.unix_socket or f"{settings.server.host}:{settings.server.port}"
        raise click.ClickException(f"cannot listen on {where}: {exc.strerror}") from exc
    except (TemplatesUnusable, ProxyUnusable, CredentialsUnusable, TracesUnusable, PushUnusable) as exc:
        raise click.ClickException(str(exc)) from exc
    except PublicKeyUnusable as exc:
        raise click.ClickException(f"identity.jwt.public_key_file: {exc.path} {exc.reason}") from exc


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="prompt-generation-server")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Turn manual prompts into better ones with Gemini, and show every stage while it happens."""
    open_standard_streams()
    ctx.obj = administer_accounts
    ctx.call_on_close(flush_logs)  # before click says how it ended


@cli.command()
@CONFIG
@HOST
@PORT
@READY_FILE
def serve(config: Path | None, host: str | None, port: int | None, ready_file: Path | None) -> None:
    """Run the server in production. Needs redis.url and a Gemini API key."""
    settings = read_settings(config, server={"host": host, "port": port})
    require_redis_url(settings)

    def ready(address: str) -> None:
        write_ready_file(ready_file, {"url": address, "pid": os.getpid()})

    start(settings, run(settings, ready=ready))


@cli.command("check-config")
@CONFIG
@click.option("--probe", "probing", is_flag=True, help="Ask each Gemini model one word as well, which Google bills.")
def check_config(config: Path | None, *, probing: bool) -> None:
    """Show the settings that would be used, secrets masked; exit 1 when they are wrong, or a probed model is silent."""
    settings = read_settings(config)
    click.echo(json.dumps(shown(settings), indent=2))
    for doubt in doubtful_variables():
        click.echo(f"Note: {doubt}", err=True)
    if probing:
        probe_models(settings)


@cli.command()
@CONFIG
@HOST
@PORT
@READY_FILE
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder for Redis' data and the demo key.")
@click.option(
    "--gemini-delay-s", type=float, default=6.0, show_default=True, help="Seconds the stand-in takes to answer."
)
@click.option(
    "--admin-key", "with_admin_key", is_flag=True, help="Print an admin key too, for the admin API and /operate/."
)
def demo(
    config: Path | None,
    host: str | None,
    port: int | None,
    ready_file: Path | None,
    data: Path,
    gemini_delay_s: float,
    *,
    with_admin_key: bool,
) -> None:
    """Run everything on this machine: Redis, an account, and a stand-in for Gemini unless GEMINI_API_KEY is set."""
    server = {"host": host, "port": port}
    try:
        with RedisServer(data / "redis") as redis:
            settings = read_settings(config, server=server, redis={"url": redis.url})
            if not settings.server.unix_socket:
                server["port"] = free_port(settings.server.host, settings.server.port)
                settings = read_settings(config, server=server, redis={"url": redis.url})
            remembered = data / "demo.json"
            start(settings, run_demo(settings, remembered, ready_file, gemini_delay_s, with_admin_key=with_admin_key))
    except NoRedisServer as exc:
        raise click.ClickException(str(exc)) from exc


cli.add_command(gemini_standin)
cli.add_command(accounts_commands)
cli.add_command(admin_keys_commands)
cli.add_command(webhooks_commands)
cli.add_command(web_push_commands)
cli.add_command(overview_command)
cli.add_command(evaluate_command(read_settings))


if __name__ == "__main__":
    cli()
