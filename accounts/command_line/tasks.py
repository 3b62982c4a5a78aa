"""The ``accounts tasks`` and ``admin-keys`` commands."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from accounts.command_line.accounts import accounts
from accounts.command_line.administration import JSON, Administration, Open, perform
from accounts.command_line.tables import show_keys, show_table


@accounts.group("tasks")
def tasks() -> None:
    """List an account's tasks, and cancel one."""


@tasks.command("show")
@click.argument("account_id")
@JSON
@click.pass_context
def show_tasks(ctx: click.Context, account_id: str, as_json: bool) -> None:
    """List the account's tasks of the last minutes.

    Newest first, without their texts.
    """

    async def recent(admin: Administration) -> list[bytes]:
        await admin.accounts.show(account_id)
        return await admin.tasks.recent(account_id)

    shown = ("task_id", "status", "progress", "created_at", "error_code", "tokens_used")
    rows = [{name: json.loads(document).get(name) for name in shown} for document in perform(ctx, recent)]
    if as_json:
        click.echo(json.dumps({"tasks": rows}))
    else:
        show_table({name.replace("_", " "): name for name in shown}, rows)


@tasks.command("cancel")
@click.argument("account_id")
@click.argument("task_id")
@JSON
@click.pass_context
def cancel_task(ctx: click.Context, account_id: str, task_id: str, as_json: bool) -> None:
    """End a task, unless it has ended."""
    document = json.loads(perform(ctx, lambda admin: admin.tasks.cancel(account_id, task_id)))
    members = {name: document.get(name) for name in ("task_id", "status", "message")}
    click.echo(json.dumps(members) if as_json else f"{document['status']}: {document['message']}")


@click.group("admin-keys")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file instead of config.yaml.")
@click.pass_context
def admin_keys(ctx: click.Context, config: Path | None) -> None:
    """Make, list and revoke keys for your backends: good for the admin API, and for no generation.

    A key is shown only when it is made.
    """
    open_with: Open = ctx.obj
    ctx.obj = lambda: open_with(config)


@admin_keys.command("create")
@click.option("--label", default="", help="What it is for.")
@JSON
@click.pass_context
def create_admin_key(ctx: click.Context, label: str, as_json: bool) -> None:
    """Make a key."""
    made = perform(ctx, lambda admin: admin.admin_keys.create(label))
    members = {"admin_key": made.key, "key_id": made.key_id}
    click.echo(json.dumps(members) if as_json else f"{made.key}\nkey id {made.key_id}")


@admin_keys.command("list")
@JSON
@click.pass_context
def list_admin_keys(ctx: click.Context, as_json: bool) -> None:
    """List the keys, never their text."""
    show_keys(perform(ctx, lambda admin: admin.admin_keys.list_all()), as_json)


@admin_keys.command("revoke")
@click.argument("key_id")
@JSON
@click.pass_context
def revoke_admin_key(ctx: click.Context, key_id: str, as_json: bool) -> None:
    """End a key; the next request with it is refused."""
    revoked = perform(ctx, lambda admin: admin.admin_keys.revoke(key_id))
    click.echo(json.dumps(asdict(revoked)) if as_json else f"revoked {revoked.key_id}")
