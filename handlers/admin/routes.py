"""Every URL of the admin API."""

from __future__ import annotations

from handlers.admin import accounts, deliveries, keys, overview, tasks
from handlers.admin.base import AdminHandler
from handlers.paths import ADMIN

ACCOUNT = rf"{ADMIN}/accounts/([^/]+)"

ADMIN_ROUTES: dict[str, tuple[str, type[AdminHandler]]] = {
    "admin_overview": (rf"{ADMIN}/overview/?", overview.OverviewHandler),
    "admin_accounts": (rf"{ADMIN}/accounts/?", accounts.AccountsHandler),
    "admin_account": (rf"{ACCOUNT}/?", accounts.AccountHandler),
    "admin_close": (rf"{ACCOUNT}/close/?", accounts.CloseHandler),
    "admin_export": (rf"{ACCOUNT}/export/?", accounts.ExportHandler),
    "admin_grants": (rf"{ACCOUNT}/grants/?", accounts.GrantsHandler),
    "admin_ledger": (rf"{ACCOUNT}/ledger/?", accounts.LedgerHandler),
    "admin_usage": (rf"{ACCOUNT}/usage/?", accounts.UsageHandler),
    "admin_deliveries": (rf"{ACCOUNT}/deliveries/?", deliveries.DeliveriesHandler),
    "admin_resend": (rf"{ACCOUNT}/deliveries/([^/]+)/resend/?", deliveries.ResendHandler),
    "admin_failed_deliveries": (rf"{ADMIN}/failed-deliveries/?", deliveries.FailedDeliveriesHandler),
    "admin_keys": (rf"{ACCOUNT}/keys/?", keys.KeysHandler),
    "admin_key": (rf"{ACCOUNT}/keys/([^/]+)/?", keys.KeyHandler),
    "admin_tasks": (rf"{ACCOUNT}/tasks/?", tasks.TasksHandler),
    "admin_task": (rf"{ADMIN}/tasks/([^/]+)/?", tasks.TaskHandler),
    "admin_cancel": (rf"{ACCOUNT}/tasks/([^/]+)/cancel/?", tasks.TaskCancelHandler),
}
