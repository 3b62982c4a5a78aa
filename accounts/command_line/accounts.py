"""The group ``accounts``, and its commands that create, show, find, change, close, delete and export accounts."""

from __future__ import annotations

import json
from typing import Any

import click

from accounts.account import MAX_TOKENS, Account
from accounts.api_keys import NewApiKey
from accounts.audit_trail import note_command
from accounts.command_line.administration import Administration, perform, perform_change, settings_group
from accounts.command_line.tables import AccountList, show_account
from accounts.deletion import delete_account
from runtime.command_options import JSON

ACCOUNTS_PER_PAGE = 200  # that a list keeps in memory


@settings_group("accounts")
def accounts() -> None:
    """Create and look after accounts: tokens, subscriptions, API keys, and the proof that all adds up."""


@accounts.command("create")
@click.option("--id", "account_id", help="Id to use, such as the user id in your JWTs. Made up unless given.")
@click.option("--tokens", type=click.IntRange(0, MAX_TOKENS), default=0, show_default=True, help="Tokens to grant.")
@click.option("--subscription-days", type=click.IntRange(0, 36_500), default=0, show_default=True, help="Days it runs.")
@click.option("--business-type", default="general", show_default=True, help="Which prompt template fits.")
@click.option("--name", default="", help="A name to recognise it by.")
@JSON
@click.pass_context
def create(
    ctx: click.Context,
    account_id: str | None,
    tokens: int,
    subscription_days: int,
    business_type: str,
    name: str,
    as_json: bool,
) -> None:
    """Create an account and its first API key.

    The key is shown this once: only its SHA-256 is stored.
    """

    async def made(admin: Administration) -> tuple[Account, NewApiKey]:
        if advice := admin.advice(business_type):
            click.echo(f"Note: {advice}", err=True)
        account = await admin.accounts.create(
            account_id=account_id,
            tokens=tokens,
            subscription_days=subscription_days,
            business_type=business_type,
            name=name,
        )
        note_command("create", account.account_id, tokens=tokens, subscription_days=subscription_days)
        key = await admin.api_keys.create(account.account_id, "first key")
        note_command("create key", account.account_id, key_id=key.key_id)
        return account, key

    account, key = perform_change(ctx, made)
    show_account(account, as_json, api_key=key.key, key_id=key.key_id)


@accounts.command("show")
@click.argument("account_id")
@JSON
@click.pass_context
def show(ctx: click.Context, account_id: str, as_json: bool) -> None:
    """Show an account's tokens and subscription."""
    show_account(perform(ctx, lambda admin: admin.accounts.show(account_id)), as_json)


@accounts.command("list")
@JSON
@click.pass_context
def list_accounts(ctx: click.Context, as_json: bool) -> None:
    """List all accounts; with --json their ids."""
    perform(ctx, lambda admin: show_matching(admin, "", as_json))


@accounts.command("search")
@click.argument("text")
@JSON
@click.pass_context
def search(ctx: click.Context, text: str, as_json: bool) -> None:
    """List the accounts whose id or name has a text.

    Capitals do not matter. With --json their ids.
    """
    perform(ctx, lambda admin: show_matching(admin, text, as_json))


async def show_matching(admin: Administration, text: str, as_json: bool) -> None:
    """Print the accounts whose id or name contains the text, by their ids: each page as soon as it is read."""
    shown, after = AccountList(as_json), ""
    while True:
        page, following = await admin.accounts.page(ACCOUNTS_PER_PAGE, after)
        shown.add([each for each in page if text.lower() in f"{each.account_id}\n{each.name}".lower()])
        if following is None:
            break
        after = following
    shown.end()


@accounts.command("rename")
@click.argument("account_id")
@click.argument("name")
@JSON
@click.pass_context
def rename(ctx: click.Context, account_id: str, name: str, as_json: bool) -> None:
    """Give the account another name to recognise it by."""

    async def renamed(admin: Administration) -> Account:
        account, changed = await admin.accounts.change(account_id, name=name)
        if changed:
            note_command("change", account_id, members=changed)
        return account

    show_account(perform_change(ctx, renamed), as_json)


@accounts.command("business-type")
@click.argument("account_id")
@click.argument("business_type")
@JSON
@click.pass_context
def business_type(ctx: click.Context, account_id: str, business_type: str, as_json: bool) -> None:
    """Choose another prompt template for the account."""

    async def changed(admin: Administration) -> Account:
        if advice := admin.advice(business_type):
            click.echo(f"Note: {advice}", err=True)
        account, changed = await admin.accounts.change(account_id, business_type=business_type)
        if changed:
            note_command("change", account_id, members=changed)
        return account

    show_account(perform_change(ctx, changed), as_json)


@accounts.command("close")
@click.argument("account_id")
@JSON
@click.pass_context
def close(ctx: click.Context, account_id: str, as_json: bool) -> None:
    """Let nobody use the account any more.

    All its keys are revoked, and its subscription ends.
    """

    async def closed(admin: Administration) -> Account:
        if await admin.accounts.close(account_id):
            note_command("close", account_id)
        return await admin.accounts.show(account_id)

    show_account(perform_change(ctx, closed), as_json)


@accounts.command("delete")
@click.argument("account_id")
@click.option("--ledger", type=click.Choice(["keep", "delete"]), default="keep", show_default=True, help="Its entries.")
@click.confirmation_option(prompt="Delete the account's keys, tasks and personal data for ever?")
@JSON
@click.pass_context
def delete(ctx: click.Context, account_id: str, ledger: str, as_json: bool) -> None:
    """Close the account and delete what is personal.

    Its keys, tasks, prompts, push subscriptions, name, and the ids and reasons of grants; with --ledger delete also its
    entries and numbers.
    """

    async def deleted(admin: Administration) -> None:
        belongings = (admin.tasks, admin.api_keys, admin.deliveries, admin.subscriptions)
        if await delete_account(admin.accounts, belongings, account_id, keep_ledger=ledger == "keep"):
            note_command("delete", account_id, ledger=ledger)

    perform_change(ctx, deleted)
    click.echo(json.dumps({"account_id": account_id, "ledger": ledger}) if as_json else f"deleted {account_id}")


@accounts.command("export")
@click.argument("account_id")
@click.option("--json", "_as_json", is_flag=True, help="It is always JSON.")
@click.pass_context
def export(ctx: click.Context, account_id: str, _as_json: bool) -> None:
    """Print all that is stored of an account, as JSON.

    Except what would let somebody in.
    """

    async def exported(admin: Administration) -> dict[str, Any]:
        account = await admin.accounts.show(account_id)
        entries, following = await admin.accounts.ledger(account_id, limit=1_000)
        while following:
            more, following = await admin.accounts.ledger(account_id, limit=1_000, before=following)
            entries += more
        return {
            "account": account.as_dict(),
            "keys": [key.as_dict() for key in await admin.api_keys.of(account_id)],
            "push_subscriptions": await admin.subscriptions.shown(account_id),
            "grants": await admin.accounts.grants.of(account_id),
            "usage": [used.as_dict() for used in await admin.usage.recorded(account_id)],
            "tasks": [json.loads(document) for document in await admin.tasks.recent(account_id)],
            "drafts": await admin.tasks.drafts(account_id),
            "webhooks": [webhook async for webhook in admin.deliveries.bodies(account_id)],
            "ledger": [entry.as_dict() for entry in entries],
        }

    click.echo(json.dumps(perform(ctx, exported), ensure_ascii=False, indent=2))
