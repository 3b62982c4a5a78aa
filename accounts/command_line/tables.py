"""Prints accounts, keys and tables on a terminal, for people or as JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from accounts.account import Account
from accounts.api_keys import ApiKey


def show_table(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows under headings; ``columns``: heading → member. Numbers stand to the right."""
    texts = [[_text(row[member]) for member in columns.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    right = [bool(rows) and isinstance(rows[0][member], int) for member in columns.values()]
    for cells in [list(columns), *texts]:
        padded = [_padded(*each) for each in zip(cells, widths, right, strict=True)]
        click.echo("  ".join(padded).rstrip())


def _padded(cell: str, width: int, at_right: bool) -> str:
    return cell.rjust(width) if at_right else cell.ljust(width)


def show_account(account: Account, as_json: bool, **more: str) -> None:
    """Print an account for people or for scripts."""
    members = account.as_dict() | more
    if as_json:
        click.echo(json.dumps(members, ensure_ascii=False))
    else:
        for name, value in members.items():
            click.echo(f"{name:20} {value}")


def show_keys(keys: Sequence[ApiKey], as_json: bool) -> None:
    """Print keys, never their text."""
    if as_json:
        click.echo(json.dumps({"keys": [key.as_dict() for key in keys]}, ensure_ascii=False))
        return
    columns = {"key id": "key_id", "created": "created_at", "revoked": "revoked_at", "label": "label"}
    show_table(columns, [key.as_dict() for key in keys])


def _text(value: object) -> str:
    return "" if value is None else str(value)
