"""The ``admin-keys`` commands."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from accounts.api_keys import ApiKey, NewApiKey
from accounts.audit_trail import note_command
from accounts.command_line.administration import Administration, perform, perform_change, settings_group
from accounts.command_line.tables import show_keys
from runtime.command_options import JSON


@settings_group("admin-keys")
def admin_keys() -> None:
    """Make, list and revoke keys for your backends: good for the admin API, and for no generation.

    A key is shown only when it is made.
    """


@admin_keys.command("create")
@click.option("--label", default="", help="What it is for.")
@JSON
@click.pass_context
def create_admin_key(ctx: click.Context, label: str, as_json: bool) -> None:
    """Make a key."""

    async def created(admin: Administration) -> NewApiKey:
        made = await admin.admin_keys.create(label)
        note_command("create admin key", None, key_id=made.key_id)
        return made

    made = perform_change(ctx, created)
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

    async def revoked(admin: Administration) -> ApiKey:
        before = {key.key_id for key in await admin.admin_keys.list_all() if not key.revoked_at}
        key = await admin.admin_keys.revoke(key_id)
        if key_id in before:
            note_command("revoke admin key", None, key_id=key_id)
        return key

    key = perform_change(ctx, revoked)
    click.echo(json.dumps(asdict(key)) if as_json else f"revoked {key.key_id}")
