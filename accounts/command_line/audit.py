"""``accounts audit`` and ``accounts reindex``: the proof that all adds up, and the index that it goes by."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from accounts.archives import Archives
from accounts.audit import AuditFailure
from accounts.command_line.accounts import accounts
from accounts.command_line.administration import Administration, perform
from runtime.command_options import JSON


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
