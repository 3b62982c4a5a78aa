"""The ``accounts`` commands: create, find, look at, change, grant, keys, ledger, archive, audit, export, close, delete.

Speaks the terminal. What it works with comes from ``ctx.obj``: a callable that, given
a settings file or None, opens what ``Administration`` lists.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from accounts.accounts import MOST_TOKENS, Account
from accounts.api_keys import NewApiKey
from accounts.archives import Archives
from accounts.archiving import Archived
from accounts.audit import AuditFailure
from accounts.command_line.administration import JSON, Administration, Open, perform
from accounts.command_line.keys import keys
from accounts.command_line.tables import show_table
from accounts.ledger import LedgerEntry
from accounts.usage import COUNTED, PeriodUsage


def show_account(account: Account, as_json: bool, **more: str) -> None:
    """Print an account for people or for scripts."""
    members = account.as_dict() | more
    if as_json:
        click.echo(json.dumps(members, ensure_ascii=False))
    else:
        for name, value in members.items():
            click.echo(f"{name:20} {value}")


@click.group("accounts")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file instead of config.yaml.")
@click.pass_context
def accounts(ctx: click.Context, config: Path | None) -> None:
    """Create and look after accounts: tokens, subscriptions, API keys, and the proof that all adds up."""
    open_with: Open = ctx.obj
    ctx.obj = lambda: open_with(config)


@accounts.command("create")
@click.option("--id", "account_id", help="Id to use, such as the user id in your JWTs. Made up unless given.")
@click.option("--tokens", type=click.IntRange(0, MOST_TOKENS), default=0, show_default=True, help="Tokens to grant.")
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
        return account, await admin.api_keys.create(account.account_id, "first key")

    account, key = perform(ctx, made)
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
    show_list(perform(ctx, lambda admin: matching(admin, "")), as_json)


@accounts.command("search")
@click.argument("text")
@JSON
@click.pass_context
def search(ctx: click.Context, text: str, as_json: bool) -> None:
    """List the accounts whose id or name has a text.

    Capitals do not matter. With --json their ids.
    """
    show_list(perform(ctx, lambda admin: matching(admin, text)), as_json)


async def matching(admin: Administration, text: str) -> list[Account]:
    """Return the accounts whose id or name contains the text, by their ids."""
    found = []
    async for account_id in admin.accounts.ids():
        account = await admin.accounts.readable(account_id)
        if account and text.lower() in f"{account.account_id}\n{account.name}".lower():
            found.append(account)
    return sorted(found, key=lambda account: account.account_id)


def show_list(found: list[Account], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"accounts": [account.account_id for account in found]}, ensure_ascii=False))
        return
    columns = {"id": "account_id", "name": "name", "free tokens": "tokens_remaining", "held": "tokens_held"}
    columns |= {"subscription until": "subscription_until", "closed": "closed_at"}
    show_table(columns, [account.as_dict() for account in found])


@accounts.command("rename")
@click.argument("account_id")
@click.argument("name")
@JSON
@click.pass_context
def rename(ctx: click.Context, account_id: str, name: str, as_json: bool) -> None:
    """Give the account another name to recognise it by."""
    show_account(perform(ctx, lambda admin: admin.accounts.change(account_id, name=name)), as_json)


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
        return await admin.accounts.change(account_id, business_type=business_type)

    show_account(perform(ctx, changed), as_json)


@accounts.command("close")
@click.argument("account_id")
@JSON
@click.pass_context
def close(ctx: click.Context, account_id: str, as_json: bool) -> None:
    """Let nobody use the account any more.

    All its keys are revoked, and its subscription ends.
    """

    async def closed(admin: Administration) -> Account:
        account = await admin.accounts.close(account_id)
        await admin.api_keys.revoke_all(account_id)
        return account

    show_account(perform(ctx, closed), as_json)


@accounts.command("usage")
@click.argument("account_id")
@click.option("--month", default="", help="Days of this month, such as 2025-01; this month unless given.")
@click.option("--by-month", is_flag=True, help="The last twelve months instead.")
@JSON
@click.pass_context
def usage(ctx: click.Context, account_id: str, month: str, by_month: bool, as_json: bool) -> None:
    """Show what an account used, by day or by month.

    Generations by outcome, tokens charged, and tokens by kind. Days and months are those of UTC; those without any use
    are left out.
    """

    async def used(admin: Administration) -> list[PeriodUsage]:
        await admin.accounts.show(account_id)
        return await (admin.usage.months if by_month else admin.usage.days)(account_id, month)

    rows = [row.as_dict() for row in perform(ctx, used)]
    if as_json:
        click.echo(json.dumps({"usage": rows}))
    else:
        show_table({name: name for name in ("period", *COUNTED)}, rows)


@accounts.command("delete")
@click.argument("account_id")
@click.option("--ledger", type=click.Choice(["keep", "delete"]), default="keep", show_default=True, help="Its entries.")
@click.confirmation_option(prompt="Delete the account's keys, tasks and personal data for ever?")
@JSON
@click.pass_context
def delete(ctx: click.Context, account_id: str, ledger: str, as_json: bool) -> None:
    """Close the account and delete what is personal.

    Its keys, tasks, prompts, push subscriptions and name; with --ledger delete also its entries and numbers.
    """

    async def deleted(admin: Administration) -> None:
        await admin.accounts.close(account_id)
        await admin.tasks.delete_all(account_id)
        await admin.api_keys.delete_all(account_id)
        await admin.deliveries.delete_all(account_id)
        await admin.subscriptions.delete_all(account_id)
        await admin.accounts.forget(account_id, keep_ledger=ledger == "keep")

    perform(ctx, deleted)
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
            "tasks": [json.loads(document) for document in await admin.tasks.recent(account_id)],
            "ledger": [entry.as_dict() for entry in entries],
        }

    click.echo(json.dumps(perform(ctx, exported), ensure_ascii=False, indent=2))


@accounts.command("grant", context_settings={"ignore_unknown_options": True})
@click.argument("account_id")
@click.argument("tokens", type=click.IntRange(-MOST_TOKENS, MOST_TOKENS))
@click.option("--reason", default="granted", show_default=True, help="Why, for the ledger.")
@JSON
@click.pass_context
def grant(ctx: click.Context, account_id: str, tokens: int, reason: str, as_json: bool) -> None:
    """Grant tokens, or take unused ones back.

    A negative number takes back what is neither held nor charged: accounts grant ID -500.
    """
    show_account(perform(ctx, lambda admin: admin.accounts.grant(account_id, tokens, reason)), as_json)


@accounts.command("subscribe")
@click.argument("account_id")
@click.argument("days", type=click.IntRange(0, 36_500))
@JSON
@click.pass_context
def subscribe(ctx: click.Context, account_id: str, days: int, as_json: bool) -> None:
    """Extend the subscription by days; 0 ends it now."""
    show_account(perform(ctx, lambda admin: admin.accounts.subscribe(account_id, days)), as_json)


@accounts.command("ledger")
@click.argument("account_id")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Entries to show.")
@click.option("--before", help="Show entries older than this id.")
@JSON
@click.pass_context
def ledger(ctx: click.Context, account_id: str, limit: int, before: str | None, as_json: bool) -> None:
    """Show the entries behind the balance, newest first."""

    async def page(admin: Administration) -> tuple[list[LedgerEntry], str | None]:
        await admin.accounts.show(account_id)
        return await admin.accounts.ledger(account_id, limit=limit, before=before)

    entries, following = perform(ctx, page)
    if as_json:
        click.echo(json.dumps({"entries": [entry.as_dict() for entry in entries], "next": following}))
        return
    columns = {name: name for name in ("at", "kind", "tokens", "balance", "held", "uncollected", "reason")}
    show_table(columns | {"task": "task_id"}, [entry.as_dict() for entry in entries])


@accounts.command("archive")
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False, writable=True),
    required=True,
    help="The folder of archives; keep it as you keep backups.",
)
@click.option("--days", type=click.IntRange(1), help="How old entries must be (setting money.ledger_days).")
@JSON
@click.pass_context
def archive(ctx: click.Context, folder: Path, days: int | None, as_json: bool) -> None:
    """Move old ledger entries to a file of JSON lines.

    What they add up to is carried forward in Redis, and they are dropped there once the disk has them. An interrupted
    run is repeated. Exit 1 where an account's old entries cannot be read or do not add up: they stay, and
    'accounts audit' names them.
    """

    async def archived(admin: Administration) -> Archived:
        old = days or admin.ledger_days
        if not old:
            raise click.ClickException("nothing says how old entries must be: give --days or set money.ledger_days")
        return await admin.archiving.archive(folder, old)

    done = perform(ctx, archived)
    shown = {"accounts": len(done.accounts), "entries": done.entries, "file": str(done.file) if done.file else None}
    if as_json:
        click.echo(json.dumps(shown | {"refused": done.refused}))
    else:
        click.echo(f"{done.entries} entries of {len(done.accounts)} accounts are in {done.file or 'no new file'}")
        for account_id in done.refused:
            click.echo(f"{account_id}: its old entries cannot be read or do not add up; nothing of it was moved")
    ctx.exit(1 if done.refused else 0)


@accounts.command("audit")
@click.argument("account_id", required=False)
@click.option(
    "--expect-accounts",
    type=click.IntRange(1),
    metavar="N",
    help="Fail where there are fewer: after a restore, the number that the audit before the backup gave.",
)
@click.option(
    "--archives",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Prove archived entries too: the folder that 'accounts archive' wrote to.",
)
@JSON
@click.pass_context
def audit(
    ctx: click.Context, account_id: str | None, expect_accounts: int | None, folder: Path | None, as_json: bool
) -> None:
    """Prove that the numbers add up; exit 1 where not.

    Of one account, or of all that the index names: granted == balance + held + charged, none is negative, and the
    ledger agrees. A record that is lost or cannot be read, and no account at all, prove nothing: that is 1 too.
    """
    if account_id is not None and expect_accounts is not None:
        raise click.UsageError("--expect-accounts counts all accounts: give no ACCOUNT_ID")

    async def audited(admin: Administration) -> tuple[int, list[AuditFailure]]:
        archives = Archives(folder) if folder else None
        if account_id is None:
            return await admin.accounts.audit_all(archives)
        return 1, await admin.accounts.audit(account_id, archives)

    checked, failures = perform(ctx, audited)
    unreadable = sum(failure.unreadable for failure in failures)
    missing = max(0, (expect_accounts or 0) - checked)
    ok = bool(checked) and not failures and not missing  # where there are no accounts, nothing has been proven
    if as_json:
        shown = [failure.as_dict() for failure in failures]
        counts = {"accounts": checked, "unreadable": unreadable}
        if expect_accounts is not None:
            counts |= {"expected": expect_accounts, "missing": missing}
        click.echo(json.dumps({"ok": ok} | counts | {"failures": shown}))
    else:
        for failure in failures:
            click.echo(f"{failure.account_id}: {'; '.join(failure.problems)}: {failure.as_dict()}")
        click.echo(audit_verdict(account_id, checked, len(failures), unreadable))
        if missing:
            click.echo(f"{missing} of the {expect_accounts} accounts that were expected are not there")
    ctx.exit(0 if ok else 1)


def audit_verdict(account_id: str | None, checked: int, failed: int, unreadable: int) -> str:
    if failed:
        return f"wrong: {failed} of {checked} accounts" + (f", {unreadable} cannot be read" if unreadable else "")
    if account_id is not None:
        return f"account {account_id} adds up"
    if not checked:
        return (
            "nothing is proven: the index names no account. Are redis.url and redis.key_prefix right? "
            "'accounts reindex' makes a lost index again"
        )
    return f"{checked} accounts, all that the index names, add up"


@accounts.command("reindex")
@JSON
@click.pass_context
def reindex(ctx: click.Context, as_json: bool) -> None:
    """Note accounts in the index of accounts.

    Their ids or the names of their keys come from standard input, one a line, as from: redis-cli --scan.
    """
    names = sys.stdin.buffer.read().decode("utf-8", "replace").splitlines()
    noted = perform(ctx, lambda admin: admin.accounts.reindex(names))
    click.echo(json.dumps({"accounts": noted}) if as_json else f"{noted} accounts are in the index")


accounts.add_command(keys)
