"""The ``accounts tasks`` commands."""

from __future__ import annotations

import json
from typing import Any

import click

from accounts.audit_trail import note_command
from accounts.command_line.accounts import accounts
from accounts.command_line.administration import Administration, perform, perform_change
from accounts.command_line.tables import show_table
from runtime.command_options import JSON

SHOWN = ("task_id", "status", "progress", "created_at", "error_code", "tokens_used")


@accounts.group("tasks")
def tasks() -> None:
    """List an account's tasks, find one, cancel one."""


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

    rows = [_row(document) for document in perform(ctx, recent)]
    if as_json:
        click.echo(json.dumps({"tasks": rows}))
    else:
        _show(SHOWN, rows)


@tasks.command("find")
@click.argument("task_id")
@JSON
@click.pass_context
def find_task(ctx: click.Context, task_id: str, as_json: bool) -> None:
    """Find a task of the last minutes, and whose it is, by its id alone."""
    account_id, document = perform(ctx, lambda admin: admin.tasks.find(task_id.lower()))
    row = {"account_id": account_id, **_row(document)}
    if as_json:
        click.echo(json.dumps(row))
    else:
        _show(("account_id", *SHOWN), [row])


def _row(document: bytes) -> dict[str, Any]:
    members = json.loads(document)
    return {name: members.get(name) for name in SHOWN}


def _show(names: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    show_table({name.replace("_", " "): name for name in names}, rows)


@tasks.command("cancel")
@click.argument("account_id")
@click.argument("task_id")
@JSON
@click.pass_context
def cancel_task(ctx: click.Context, account_id: str, task_id: str, as_json: bool) -> None:
    """End a task, unless it has ended."""

    async def cancelled(admin: Administration) -> bytes:
        ended = ("completed", "failed")
        before = [json.loads(document) for document in await admin.tasks.recent(account_id)]
        final = await admin.tasks.cancel(account_id, task_id)
        if not any(document["task_id"] == task_id and document["status"] in ended for document in before):
            note_command("cancel task", account_id, task_id=task_id)
        return final

    document = json.loads(perform_change(ctx, cancelled))
    members = {name: document.get(name) for name in ("task_id", "status", "message")}
    click.echo(json.dumps(members) if as_json else f"{document['status']}: {document['message']}")
