"""The commands of this room: ``accounts …`` and ``admin-keys …``."""

from accounts.command_line import audit, keys, ledger, tasks
from accounts.command_line.accounts import accounts
from accounts.command_line.admin_keys import admin_keys

__all__ = ["accounts", "admin_keys", "audit", "keys", "ledger", "tasks"]
