"""An account's tasks as backends see them: list the running and recent ones, cancel one."""

from __future__ import annotations

from handlers.admin.base import AdminHandler
from handlers.base import name_task


class TasksHandler(AdminHandler):
    """GET accounts/{account_id}/tasks/"""

    async def get(self, account_id: str) -> None:
        await self.services.accounts.show(account_id)
        documents = await self.services.generations.recent(account_id)
        self.write(b'{"success":true,"tasks":[' + b",".join(documents) + b"]}")


class TaskCancelHandler(AdminHandler):
    """POST accounts/{account_id}/tasks/{task_id}/cancel/"""

    async def prepare(self) -> None:
        name_task(self.path_args[1])
        await super().prepare()

    async def post(self, account_id: str, task_id: str) -> None:
        await self.services.accounts.show(account_id)
        before = await self.services.generations.status(account_id, task_id)
        document = await self.services.generations.cancel(account_id, task_id)
        if not before.terminal:
            self.did("cancel task", account_id, task_id=task_id)
        self.write(document.body)
