"""The ``webhooks`` commands: make a secret, see an account's webhooks, send one again; and ``web-push keys``."""

from __future__ import annotations

import json
from typing import Any

import click

from accounts.command_line.administration import perform, settings_group
from accounts.command_line.tables import show_table
from notifications.deliveries import Delivery
from notifications.errors import UnknownDelivery
from notifications.signing import new_secret
from notifications.vapid import new_private_key, public_key
from runtime.command_options import JSON

COLUMNS = {
    "id": "id",
    "type": "type",
    "state": "state",
    "tries": "tries",
    "created": "created_at",
    "next": "due_at",
    "last": "last",
}
MOST_SHOWN = 200


@settings_group("webhooks")
def webhooks() -> None:
    """Make secrets for webhooks, look at an account's webhooks and send one again."""


@webhooks.command("secret")
def make_secret() -> None:
    """Make a secret for the setting webhooks.secrets and for the receiver."""
    click.echo(new_secret())


@webhooks.command("list")
@click.argument("account_id")
@JSON
@click.pass_context
def list_deliveries(ctx: click.Context, account_id: str, as_json: bool) -> None:
    """List the account's webhooks of the last seven days, the newest first."""

    async def found(admin: Any) -> list[Delivery]:
        await admin.accounts.show(account_id)
        page: list[Delivery] = (await admin.deliveries.page(account_id, MOST_SHOWN, None))[0]
        return page

    rows = [delivery.as_dict() for delivery in perform(ctx, found)]
    if as_json:
        click.echo(json.dumps({"deliveries": rows}, ensure_ascii=False))
    else:
        show_table(COLUMNS, rows)


@webhooks.command("resend")
@click.argument("account_id")
@click.argument("delivery_id")
@JSON
@click.pass_context
def resend(ctx: click.Context, account_id: str, delivery_id: str, as_json: bool) -> None:
    """Send a webhook again, with the same webhook-id; a server that runs does it at once."""

    async def again(admin: Any) -> Delivery:
        await admin.accounts.show(account_id)
        delivery: Delivery = await admin.deliveries.resend(account_id, delivery_id)
        return delivery

    try:
        delivery = perform(ctx, again)
    except UnknownDelivery as exc:
        raise click.ClickException(f"the account has no webhook {delivery_id!r}; 'webhooks list' shows them") from exc
    click.echo(json.dumps(delivery.as_dict(), ensure_ascii=False) if as_json else f"{delivery.id} is {delivery.state}")


@click.group("web-push")
def web_push() -> None:
    """Make the keys for notifications in browsers."""


@web_push.command("keys")
@JSON
def make_keys(as_json: bool) -> None:
    """Make a private key for the setting web_push.private_key, and show the public key that browsers get.

    With another key every browser has to subscribe again: keep it.
    """
    private = new_private_key()
    if as_json:
        click.echo(json.dumps({"private_key": private, "public_key": public_key(private)}))
        return
    click.echo(f"PROMPT_WEB_PUSH__PRIVATE_KEY={private}")
    click.echo(f"public key: {public_key(private)}")
