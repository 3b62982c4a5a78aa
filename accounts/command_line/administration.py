"""The services that the commands use, and the sentences for their errors. Refuses to know the commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from accounts.accounts import Accounts
from accounts.admin_keys import AdminKeys
from accounts.api_keys import ApiKeys
from accounts.archiving import Archiving
from accounts.audit_trail import note_command
from accounts.errors import (
    AccountClosed,
    AccountExists,
    AccountsError,
    GrantIdReused,
    GrantRefused,
    InvalidAccountId,
    InvalidEntryId,
    InvalidPeriod,
    TokensOutOfRange,
    UnknownAccount,
    UnknownApiKey,
    UnknownTask,
)
from accounts.usage import UsageReport
from runtime.command_options import CONFIG
from storage.errors import RecordUnreadable, StorageMisconfigured, StorageUnavailable

T = TypeVar("T")


class AccountTasks(Protocol):
    """Tasks as the commands need them: documents are JSON in bytes."""

    async def recent(self, account_id: str) -> list[bytes]: ...
    async def find(self, task_id: str) -> tuple[str, bytes]: ...
    async def drafts(self, account_id: str) -> list[dict[str, Any]]: ...
    async def cancel(self, account_id: str, task_id: str) -> bytes: ...
    async def delete_all(self, account_id: str) -> list[str]: ...


class AccountDeliveries(Protocol):
    """Webhooks as the commands need them."""

    def bodies(self, account_id: str) -> AsyncIterator[dict[str, Any]]: ...
    async def delete_all(self, account_id: str) -> None: ...


class AccountSubscriptions(Protocol):
    """Push subscriptions as the commands need them."""

    async def shown(self, account_id: str) -> list[dict[str, Any]]: ...
    async def delete_all(self, account_id: str) -> None: ...


class Administration(Protocol):
    """The services that the commands use."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def api_keys(self) -> ApiKeys: ...
    @property
    def admin_keys(self) -> AdminKeys: ...
    @property
    def tasks(self) -> AccountTasks: ...
    @property
    def usage(self) -> UsageReport: ...
    @property
    def deliveries(self) -> AccountDeliveries: ...
    @property
    def archiving(self) -> Archiving: ...
    @property
    def ledger_days(self) -> int: ...
    @property
    def subscriptions(self) -> AccountSubscriptions: ...
    @property
    def advice(self) -> Callable[[str], str]:
        """Say what is unusual about a business type; empty when nothing is."""


Open = Callable[[Path | None], AbstractAsyncContextManager[Administration]]

SENTENCES: dict[type[AccountsError], Callable[[Any], str]] = {
    UnknownAccount: lambda exc: f"there is no account {exc.account_id!r}; 'accounts list' shows all",
    AccountClosed: lambda exc: f"account {exc.account_id!r} is closed",
    AccountExists: lambda exc: f"there is an account {exc.account_id!r} already",
    InvalidAccountId: lambda exc: f"{exc.account_id!r} cannot be an account id: up to 255 printable characters",
    GrantIdReused: lambda exc: f"the grant {exc.grant_id!r} came before with another number of tokens",
    GrantRefused: lambda exc: f"{exc.tokens} tokens cannot be taken back: the balance is {exc.available}",
    TokensOutOfRange: lambda exc: f"an account cannot have been granted more than {exc.limit} tokens in all",
    InvalidPeriod: lambda exc: f"{exc.period!r} is not a month such as 2025-01",
    InvalidEntryId: lambda exc: f"{exc.entry_id!r} is not the id of a ledger entry",
    UnknownTask: lambda exc: (
        f"there is no task {exc.task_id!r} here that has not expired: one is kept for minutes after its end"
    ),
    UnknownApiKey: lambda exc: f"there is no key {exc.key_id!r}; 'keys list' or 'admin-keys list' shows them",
}


def settings_group(name: str) -> Callable[[Callable[[], None]], click.Group]:
    """Make a group of commands with the option ``--config``; the function's docstring is its help.

    The group's ``ctx.obj`` is an ``Open``, that of its commands opens with the settings file that was given.
    """

    def decorate(function: Callable[[], None]) -> click.Group:
        @click.group(name, help=function.__doc__)
        @CONFIG
        @click.pass_context
        def group(ctx: click.Context, config: Path | None) -> None:
            open_with: Open = ctx.obj
            ctx.obj = lambda: open_with(config)

        return group

    return decorate


def perform(ctx: click.Context, action: Callable[[Administration], Awaitable[T]]) -> T:
    """Run one action; an error becomes one clear line and exit code 1."""

    async def opened() -> T:
        async with ctx.obj() as administration:
            return await action(administration)

    return _run(opened)


def perform_change(ctx: click.Context, action: Callable[[Administration], Awaitable[T]]) -> T:
    """Do as ``perform`` with an action that changes something: one that may have happened is in the audit trail too."""

    async def opened() -> T:
        async with ctx.obj() as administration:
            try:
                return await action(administration)
            except (StorageUnavailable, RecordUnreadable, asyncio.CancelledError) as exc:
                account_id = ctx.params.get("account_id")
                note_command("unsure", account_id, command=ctx.command_path, failure=type(exc).__name__)
                raise

    return _run(opened)


def _run(opened: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return asyncio.run(opened())
    except AccountsError as exc:
        raise click.ClickException(SENTENCES[type(exc)](exc)) from exc
    except StorageMisconfigured as exc:
        raise click.ClickException(exc.sentence) from exc
    except StorageUnavailable as exc:
        raise click.ClickException(f"Redis cannot be used ({exc.reason}): check redis.url (PROMPT_REDIS__URL)") from exc
    except RecordUnreadable as exc:
        which = ", ".join(exc.keys)
        raise click.ClickException(f"{which} in Redis is no record of ours: restore it from a backup") from exc
    except UnicodeEncodeError as exc:
        raise click.ClickException("what you gave is not valid UTF-8 text") from exc
