"""The audit trail: one line of the log for each change that an operator makes, by the admin API or a command.

Refuses to know who may. The lines have no secrets: ids of keys, never keys.
"""

from __future__ import annotations

import os
import pwd
from typing import Any

import structlog

BY_COMMAND = "command line"

log = structlog.get_logger("audit")


def note_change(by: str, action: str, account_id: str | None, **facts: Any) -> None:
    """Write the line; ``by`` is an admin key's id or ``BY_COMMAND``, ``account_id`` None for what is no account's."""
    of_account = {} if account_id is None else {"account_id": account_id}
    log.info("admin", action=action, **of_account, by=by, **facts)


def note_command(action: str, account_id: str | None, **facts: Any) -> None:
    """Write the line of a command, with the name of the system's user where it has one."""
    try:
        user = {"user": pwd.getpwuid(os.getuid()).pw_name}
    except KeyError:  # as in a container that runs with any number
        user = {"uid": str(os.getuid())}
    note_change(BY_COMMAND, action, account_id, **user, **facts)
