"""The ``webhooks`` commands: make a secret, see an account's webhooks, send one again; and ``web-push keys``."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import click

from accounts.audit_trail import note_command
from accounts.command_line.administration import perform, perform_change, settings_group
from accounts.command_line.tables import show_table
from notifications.deliveries import Deliveries, Delivery, FailedDelivery
from notifications.errors import CursorInvalid, UnknownDelivery
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
MAX_SHOWN = 200


@settings_group("webhooks")
def webhooks() -> None:
    """Make secrets for webhooks, look at webhooks and send them again."""


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
        page: list[Delivery] = (await admin.deliveries.page(account_id, MAX_SHOWN, None))[0]
        return page

    rows = [delivery.as_dict() for delivery in perform(ctx, found)]
    if as_json:
        click.echo(json.dumps({"deliveries": rows}, ensure_ascii=False))
    else:
        show_table(COLUMNS, rows)


@webhooks.command("failed")
@click.option("--limit", type=click.IntRange(1, MAX_SHOWN), default=50, show_default=True, help="Webhooks to show.")
@click.option("--before", default="", help="Show those that failed before: next of the page before.")
@click.option("--resend", "resending", is_flag=True, help="Send all of them again, from here to the oldest.")
@JSON
@click.pass_context
def list_failed(ctx: click.Context, limit: int, before: str, resending: bool, as_json: bool) -> None:
    """List webhooks of all accounts whose last try failed, the last failure first, or send them again.

    Pending ones are tried again by themselves; failed ones are not.
    """

    async def again(admin: Any) -> int:
        with refusing_a_wrong_cursor(before):
            count = await _resend_failed(admin.deliveries, before)
        if count:
            note_command("resend failed deliveries", None, deliveries=count)
        return count

    async def listed(admin: Any) -> tuple[list[FailedDelivery], str | None]:
        with refusing_a_wrong_cursor(before):
            page: tuple[list[FailedDelivery], str | None] = await admin.deliveries.failed_page(limit, before)
        return page

    if resending:
        count = perform_change(ctx, again)
        click.echo(json.dumps({"resent": count}) if as_json else f"{count} webhooks are sent again")
        return
    found, following = perform(ctx, listed)
    rows = [each.as_dict() for each in found]
    if as_json:
        click.echo(json.dumps({"deliveries": rows, "next": following}, ensure_ascii=False))
        return
    show_table({"account": "account_id", "failed": "failed_at"} | COLUMNS, rows)
    if following:
        click.echo(f"Older ones: --before={following}")


@contextlib.contextmanager
def refusing_a_wrong_cursor(before: str) -> Iterator[None]:
    try:
        yield
    except CursorInvalid as exc:
        raise click.ClickException(f"{before!r} is not the next of a page") from exc


async def _resend_failed(deliveries: Deliveries, before: str) -> int:
    """Send again what failed before; what fails again while this runs is listed as newer, and left."""
    count = 0
    while True:
        page, following = await deliveries.failed_page(MAX_SHOWN, before)
        for each in page:
            with contextlib.suppress(UnknownDelivery):
                await deliveries.resend(each.account_id, each.delivery.id)
                count += 1
        if following is None:
            return count
        before = following


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
        note_command("resend delivery", account_id, delivery_id=delivery_id)
        return delivery

    try:
        delivery = perform_change(ctx, again)
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
