"""The ``admin-keys`` commands."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from accounts.command_line.administration import perform, settings_group
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
