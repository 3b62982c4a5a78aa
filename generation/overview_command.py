"""The ``overview`` command: the state of the whole service, as the admin API's overview has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from accounts.command_line.administration import Open, perform
from accounts.command_line.tables import show_table
from generation.last_hour import OUTCOMES
from runtime.command_options import CONFIG, JSON

SUMS = ("at", "running", "waiting", "oldest_unfinished_s", "takeovers")
OLDEST = ("created_at", "age_s", "state", "account_id", "task_id")
PROCESSES = ("id", "version", "started_at", "said_s", "lag_s", "running", "waiting", "takeovers")
FAILURES = ("at", "outcome", "error_code")


@click.command("overview")
@CONFIG
@JSON
@click.pass_context
def overview_command(ctx: click.Context, config: Path | None, as_json: bool) -> None:
    """Show the state of the whole service: running, waiting and oldest tasks, processes, breakers, last failures."""
    open_with: Open = ctx.obj
    ctx.obj = lambda: open_with(config)

    async def seen(admin: Any) -> dict[str, Any]:
        members: dict[str, Any] = await admin.overview()
        return members

    members = perform(ctx, seen)
    if as_json:
        click.echo(json.dumps(members))
        return
    for name in SUMS:
        click.echo(f"{name.replace('_', ' ')}: {'' if members[name] is None else members[name]}")
    for model, state in members["breakers"].items():
        click.echo(f"breaker of {model}: {state}")
    minutes = members["last_hour"]["minutes"]
    ended = ", ".join(f"{sum(minute[name] for minute in minutes)} {name}" for name in OUTCOMES)
    click.echo(f"last hour: {ended}")
    for title, columns in (("oldest_unfinished", OLDEST), ("processes", PROCESSES), ("failures", FAILURES)):
        if members[title]:
            click.echo(f"\n{title.replace('_', ' ')}")
            show_table({name.replace("_", " "): name for name in columns}, members[title])
