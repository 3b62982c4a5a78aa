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
    Table(columns).add(rows)


class Table:
    """A table that is printed part by part: the headings with the first one, and no column narrower than before."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._members = list(columns.values())
        self._headings = [list(columns)]
        self._widths = [0] * len(columns)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        texts = self._headings + [[_text(row[member]) for member in self._members] for row in rows]
        self._headings = []
        self._widths = [max(map(len, column)) for column in zip(self._blanks(), *texts, strict=True)]
        right = [bool(rows) and isinstance(rows[0][member], int) for member in self._members]
        for cells in texts:
            padded = [_padded(*each) for each in zip(cells, self._widths, right, strict=True)]
            click.echo("  ".join(padded).rstrip())

    def _blanks(self) -> list[str]:
        return [" " * width for width in self._widths]


class AccountList:
    """Accounts that are printed part by part; for scripts one JSON object with their ids."""

    def __init__(self, as_json: bool) -> None:
        columns = {"id": "account_id", "name": "name", "free tokens": "tokens_remaining", "held": "tokens_held"}
        columns |= {"subscription until": "subscription_until", "closed": "closed_at"}
        self._table = Table(columns)
        self._as_json = as_json
        self._before = '{"accounts": ['

    def add(self, accounts: Sequence[Account]) -> None:
        if not self._as_json:
            self._table.add([account.as_dict() for account in accounts])
            return
        for account in accounts:
            click.echo(self._before + json.dumps(account.account_id, ensure_ascii=False), nl=False)
            self._before = ", "

    def end(self) -> None:
        if self._as_json:
            click.echo("]}" if self._before == ", " else self._before + "]}")


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
