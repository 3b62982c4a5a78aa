"""Tasks as backends see them: list an account's running and recent ones, find one by its id, cancel one."""

from __future__ import annotations

import json
from typing import ClassVar

from handlers.admin.base import PAGED, AdminHandler
from handlers.base import name_task
from handlers.paths import ADMIN


class TasksHandler(AdminHandler):
    """GET accounts/{account_id}/tasks/?limit=N&before=ID"""

    parameters: ClassVar = PAGED

    async def get(self, account_id: str) -> None:
        await self.services.accounts.show(account_id)
        before = self.get_query_argument("before", None)
        documents, following = await self.services.generations.page(account_id, self.limit(), before)
        tasks, after = b",".join(documents), json.dumps(following).encode()
        self.write(b'{"success":true,"tasks":[' + tasks + b'],"next":' + after + b"}")


class TaskHandler(AdminHandler):
    """GET tasks/{task_id}/"""

    of_account = False

    async def get(self, task_id: str) -> None:
        name_task(task_id := task_id.lower())
        account_id, document = await self.services.generations.find(task_id)
        self.is_about(account_id)
        task = None if document is None else json.loads(document.body)
        self.write_json({"success": True, "account_id": account_id, "task": task})


class TaskCancelHandler(AdminHandler):
    """POST accounts/{account_id}/tasks/{task_id}/cancel/"""

    traced_as = f"{ADMIN}/accounts/{{account_id}}/tasks/{{task_id}}/cancel/"

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
