"""The ``accounts keys`` commands."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from accounts.api_keys import ApiKey, NewApiKey
from accounts.audit_trail import note_command
from accounts.command_line.accounts import accounts
from accounts.command_line.administration import Administration, perform, perform_change
from accounts.command_line.tables import show_keys
from runtime.command_options import JSON


@accounts.group("keys")
def keys() -> None:
    """Make, list and revoke API keys.

    A key is shown only when it is made.
    """


@keys.command("create")
@click.argument("account_id")
@click.option("--label", default="", help="What it is for.")
@JSON
@click.pass_context
def create_key(ctx: click.Context, account_id: str, label: str, as_json: bool) -> None:
    """Make another key for the account."""

    async def created(admin: Administration) -> NewApiKey:
        made = await admin.api_keys.create(account_id, label)
        note_command("create key", account_id, key_id=made.key_id)
        return made

    made = perform_change(ctx, created)
    click.echo(
        json.dumps({"api_key": made.key, "key_id": made.key_id}) if as_json else f"{made.key}\nkey id {made.key_id}"
    )


@keys.command("list")
@click.argument("account_id")
@JSON
@click.pass_context
def list_keys(ctx: click.Context, account_id: str, as_json: bool) -> None:
    """List the account's keys, never their text."""
    show_keys(perform(ctx, lambda admin: admin.api_keys.of(account_id)), as_json)


@keys.command("revoke-all")
@click.argument("account_id")
@JSON
@click.pass_context
def revoke_all(ctx: click.Context, account_id: str, as_json: bool) -> None:
    """End every key of the account.

    They stop working everywhere within a second.
    """

    async def revoked(admin: Administration) -> list[ApiKey]:
        working = await admin.api_keys.working(account_id)
        keys = await admin.api_keys.revoke_all(account_id)
        if working:
            note_command("revoke all keys", account_id, keys=len(working))
        return keys

    show_keys(perform_change(ctx, revoked), as_json)


@keys.command("revoke")
@click.argument("account_id")
@click.argument("key_id")
@JSON
@click.pass_context
def revoke_key(ctx: click.Context, account_id: str, key_id: str, as_json: bool) -> None:
    """End a key; it stops working everywhere within a second."""

    async def revoked(admin: Administration) -> ApiKey:
        working = await admin.api_keys.working(account_id)
        key = await admin.api_keys.revoke(account_id, key_id)
        if key_id in working:
            note_command("revoke key", account_id, key_id=key_id)
        return key

    key = perform_change(ctx, revoked)
    click.echo(json.dumps(asdict(key)) if as_json else f"revoked {key.key_id}")
