"""The ``accounts`` commands about tokens: grant, subscribe, ledger, usage, archive."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from accounts.account import MAX_TOKENS, Account, is_account_id
from accounts.archiving import Archived
from accounts.audit_trail import note_command
from accounts.command_line.accounts import accounts
from accounts.command_line.administration import Administration, perform, perform_change
from accounts.command_line.tables import show_account, show_table
from accounts.ledger import LedgerEntry
from accounts.usage import COUNTED, PeriodUsage
from runtime.command_options import JSON


@accounts.command("grant", context_settings={"ignore_unknown_options": True})
@click.argument("account_id")
@click.argument("tokens", type=click.IntRange(-MAX_TOKENS, MAX_TOKENS))
@click.option("--reason", default="granted", show_default=True, help="Why, for the ledger.")
@click.option("--grant-id", help="An id, such as the payment's: the grant counts once, however often it is repeated.")
@JSON
@click.pass_context
def grant(ctx: click.Context, account_id: str, tokens: int, reason: str, grant_id: str | None, as_json: bool) -> None:
    """Grant tokens, or take unused ones back.

    A negative number takes back what is neither held nor charged: accounts grant ID -500.
    """
    if grant_id is not None and not is_account_id(grant_id):
        raise click.BadParameter("1 to 255 printable characters", param_hint="--grant-id")

    async def granted(admin: Administration) -> Account:
        if grant_id is None:
            account = await admin.accounts.grants.add(account_id, tokens, reason)
            note_command("grant", account_id, tokens_granted=tokens)
            return account
        _entry, repeated = await admin.accounts.grants.add_once(account_id, grant_id, tokens, reason)
        if repeated:
            click.echo(f"Note: the grant {grant_id!r} came before; nothing was granted", err=True)
        else:
            note_command("grant", account_id, grant_id=grant_id, tokens_granted=tokens)
        return await admin.accounts.show(account_id)

    show_account(perform_change(ctx, granted), as_json)


@accounts.command("subscribe")
@click.argument("account_id")
@click.argument("days", type=click.IntRange(0, 36_500))
@JSON
@click.pass_context
def subscribe(ctx: click.Context, account_id: str, days: int, as_json: bool) -> None:
    """Extend the subscription by days; 0 ends it now."""

    async def subscribed(admin: Administration) -> Account:
        account, changed = await admin.accounts.change(account_id, subscription_days=days)
        if changed:
            note_command("change", account_id, members=changed)
        return account

    show_account(perform_change(ctx, subscribed), as_json)


@accounts.command("subscribe-until")
@click.argument("account_id")
@click.argument("moment", callback=lambda _ctx, _parameter, text: _moment(text))
@JSON
@click.pass_context
def subscribe_until(ctx: click.Context, account_id: str, moment: datetime, as_json: bool) -> None:
    """Set the end of the subscription.

    A moment with its time zone, such as 2026-12-31T23:59:59Z.
    """

    async def subscribed(admin: Administration) -> Account:
        account, changed = await admin.accounts.change(account_id, subscription_until=moment)
        if changed:
            note_command("change", account_id, members=changed)
        return account

    show_account(perform_change(ctx, subscribed), as_json)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter("give date, time and zone as in 2026-12-31T23:59:59Z")
    return moment


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
        moved = await admin.archiving.archive(folder, old)
        if moved.entries:
            note_command("archive", None, accounts=len(moved.accounts), entries=moved.entries, file=str(moved.file))
        return moved

    done = perform_change(ctx, archived)
    shown = {"accounts": len(done.accounts), "entries": done.entries, "file": str(done.file) if done.file else None}
    if as_json:
        click.echo(json.dumps(shown | {"refused": done.refused}))
    else:
        click.echo(f"{done.entries} entries of {len(done.accounts)} accounts are in {done.file or 'no new file'}")
        for account_id in done.refused:
            click.echo(f"{account_id}: its old entries cannot be read or do not add up; nothing of it was moved")
    ctx.exit(1 if done.refused else 0)
