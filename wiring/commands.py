"""Constructs the services that the commands use, without a server around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from accounts import Accounts, AdminKeys, ApiKeys, UsageReport
from accounts.archiving import Archiving
from generation.account_tasks import AccountTasks
from generation.overview import overview
from generation.processes import Processes, ProcessState
from generation.tasks import Tasks
from notifications import (
    Deliveries,
    LowBalances,
    Notices,
    PushSubscriptions,
)
from runtime.metrics import Metrics
from runtime.settings import Settings
from storage.storage import Storage
from wiring.storage import open_storage


@dataclass(frozen=True, slots=True)
class AccountsAdministration:
    accounts: Accounts
    api_keys: ApiKeys
    admin_keys: AdminKeys
    tasks: AccountTasks
    deliveries: Deliveries
    subscriptions: PushSubscriptions
    usage: UsageReport
    overview: Callable[[], Awaitable[dict[str, Any]]]
    advice: Callable[[str], str]
    archiving: Archiving
    ledger_days: int


def _says_nothing() -> ProcessState:
    raise AssertionError("the command line is none of the service's processes")


def administration(storage: Storage, settings: Settings, advice: Callable[[str], str]) -> AccountsAdministration:
    """Construct what the accounts commands need on a storage that is open."""
    tasks = Tasks(
        storage,
        owner="command line",
        written=lambda _account_id, _task_id, _body: None,
        metrics=Metrics(),
        tasks=settings.tasks,
        limits=settings.limits,
        money=settings.money,
        after_end=Notices(settings.webhooks),  # it ends tasks by cancelling them, of which nobody is notified
    )
    accounts = Accounts(storage)
    accounts.grants.taken_back = LowBalances(tasks.index, settings.webhooks)
    reading = Processes(storage, tasks.owner, _says_nothing)
    return AccountsAdministration(
        accounts=accounts,
        api_keys=ApiKeys(storage),
        admin_keys=AdminKeys(storage),
        tasks=AccountTasks(tasks),
        deliveries=Deliveries(storage, tasks.index),
        subscriptions=PushSubscriptions(storage),
        usage=UsageReport(storage),
        overview=lambda: overview(reading),
        advice=advice,
        archiving=Archiving(storage, accounts.index),
        ledger_days=settings.money.ledger_days,
    )


@asynccontextmanager
async def open_accounts(settings: Settings, advice: Callable[[str], str]) -> AsyncIterator[AccountsAdministration]:
    """Open what the accounts commands need, without a server around it."""
    async with AsyncExitStack() as stack:
        storage = await open_storage(settings, stack, Metrics())
        yield administration(storage, settings, advice)
