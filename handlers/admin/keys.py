"""An account's API keys as backends see them. A key is shown once, when it is made."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from handlers.admin.accounts import Strict, Words
from handlers.admin.base import AdminHandler
from handlers.paths import ADMIN


class NewKey(Strict):
    label: Words = Field(default="")


class KeysHandler(AdminHandler):
    """POST, GET (?limit=N&after=ID) and DELETE accounts/{account_id}/keys/"""

    traced_as = f"{ADMIN}/accounts/{{account_id}}/keys/"
    parameters: ClassVar = {"GET": ("limit", "after")}

    async def post(self, account_id: str) -> None:
        made = await self.services.api_keys.create(account_id, self.parsed(NewKey).label)
        self.did("create key", account_id, key_id=made.key_id)
        self.set_status(201)
        self.write_json({"success": True, "api_key": made.key, "key_id": made.key_id})

    async def get(self, account_id: str) -> None:
        after = self.get_query_argument("after", "")
        keys, following = await self.services.api_keys.page(account_id, self.limit(), after)
        self.write_json({"success": True, "keys": [key.as_dict() for key in keys], "next": following})

    async def delete(self, account_id: str) -> None:
        working = await self.services.api_keys.working(account_id)
        keys = await self.services.api_keys.revoke_all(account_id)
        if working:
            self.did("revoke all keys", account_id, keys=len(working))
        self.write_json({"success": True, "keys": [key.as_dict() for key in keys]})


class KeyHandler(AdminHandler):
    """DELETE accounts/{account_id}/keys/{key_id}/"""

    traced_as = f"{ADMIN}/accounts/{{account_id}}/keys/{{key_id}}/"

    async def delete(self, account_id: str, key_id: str) -> None:
        await self.services.accounts.show(account_id)
        working = await self.services.api_keys.working(account_id)
        key = await self.services.api_keys.revoke(account_id, key_id)
        if key_id in working:
            self.did("revoke key", account_id, key_id=key_id)
        self.write_json({"success": True, "key": key.as_dict()})
