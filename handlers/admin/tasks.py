"""An account's tasks as backends see them: list the running and recent ones, cancel one."""

from __future__ import annotations

import json
from typing import ClassVar

from handlers.admin.base import PAGED, AdminHandler
from handlers.base import name_task


class TasksHandler(AdminHandler):
    """GET accounts/{account_id}/tasks/?limit=N&before=ID"""

    parameters: ClassVar = PAGED

    async def get(self, account_id: str) -> None:
        await self.services.accounts.show(account_id)
        before = self.get_query_argument("before", None)
        documents, following = await self.services.generations.page(account_id, self.limit(), before)
        tasks, after = b",".join(documents), json.dumps(following).encode()
        self.write(b'{"success":true,"tasks":[' + tasks + b'],"next":' + after + b"}")


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
