"""An account's tasks as the command line needs them: without a runner, and with the accounts' own errors."""

from __future__ import annotations

import json
from typing import Any

from accounts.errors import UnknownTask
from generation.errors import TaskNotFound
from generation.tasks import Tasks


class AccountTasks:
    """The ``tasks`` of ``accounts.command_line.administration``."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def recent(self, account_id: str) -> list[bytes]:
        """Read the documents of the account's unexpired tasks, newest first."""
        return await self._tasks.listing.recent(account_id)

    async def find(self, task_id: str) -> tuple[str, bytes]:
        """Return the account of an unexpired task, and its document.

        Raises:
            UnknownTask, StorageUnavailable
        """
        account_id = await self._tasks.accounts_of.find(task_id)
        if account_id is not None:
            for document in await self.recent(account_id):
                if json.loads(document)["task_id"] == task_id:
                    return account_id, document
        raise UnknownTask(task_id)

    async def drafts(self, account_id: str) -> list[dict[str, Any]]:
        """Read what the account sent for its unfinished tasks; see TaskListing.drafts."""
        return await self._tasks.listing.drafts(account_id)

    async def cancel(self, account_id: str, task_id: str) -> bytes:
        """End a task in whatever process it runs; return its final document.

        Raises:
            UnknownTask, StorageUnavailable
        """
        try:
            return await self._tasks.endings.cancel(account_id, task_id)
        except TaskNotFound as exc:
            raise UnknownTask(task_id) from exc

    async def delete_all(self, account_id: str) -> list[str]:
        """End every task of the account and delete its record; return the ids."""
        return await self._tasks.deletion.delete_all(account_id)
