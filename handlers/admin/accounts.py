"""Accounts as backends see them: make, list, read, change, close, delete, export; grants and the ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from accounts.account import LONGEST_ACCOUNT_ID, MAX_TOKENS
from accounts.deletion import delete_account
from handlers.admin.base import PAGED, AdminHandler
from handlers.errors import BadRequest
from handlers.paths import ADMIN

ENTRIES_PER_READ = 1_000


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must have printable characters only")
    return text


def _whole(number: object) -> object:
    """Let 700.0 pass for 700. Source: JSON Schema Core 2020-12, 4.2.3."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Words = Annotated[str, Field(max_length=200), AfterValidator(_printable)]


def _text(value: object) -> object:
    """Let a number be no time, which Pydantic takes for seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004  # Pydantic reports ValueErrors
    return value


Whole = Annotated[int, BeforeValidator(_whole)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewAccount(Strict):
    account_id: str | None = None
    name: Words = ""
    business_type: Words = "general"
    tokens: Whole = Field(default=0, ge=0, le=MAX_TOKENS)
    subscription_days: Whole = Field(default=0, ge=0, le=36_500)


class Change(Strict):
    name: Words | None = None
    business_type: Words | None = None
    subscription_days: Annotated[Whole, Field(ge=0, le=36_500)] | None = None
    subscription_until: Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_text)] | None = None


class Grant(Strict):
    grant_id: Annotated[str, Field(min_length=1, max_length=LONGEST_ACCOUNT_ID), AfterValidator(_printable)]
    tokens: Whole = Field(ge=-MAX_TOKENS, le=MAX_TOKENS)
    reason: Words = ""


class AccountsHandler(AdminHandler):
    """POST and GET accounts/"""

    traced_as = f"{ADMIN}/accounts/"
    parameters: ClassVar = {"GET": ("limit", "after")}

    async def post(self) -> None:
        new = self.parsed(NewAccount)
        self.about(account_id=new.account_id)
        account, repeated = await self.services.accounts.create_once(**new.model_dump())
        if not repeated:
            self.did("create", account.account_id, tokens=new.tokens, subscription_days=new.subscription_days)
        self.set_status(201)
        self.write_account(account)

    async def get(self) -> None:
        after = self.get_query_argument("after", "")
        accounts, following = await self.services.accounts.page(self.limit(), after)
        self.write_json({"success": True, "accounts": [account.as_dict() for account in accounts], "next": following})


class AccountHandler(AdminHandler):
    """GET, PATCH and DELETE accounts/{account_id}/"""

    traced_as = f"{ADMIN}/accounts/{{account_id}}/"
    parameters: ClassVar = {"DELETE": ("ledger",)}

    async def get(self, account_id: str) -> None:
        self.write_account(await self.services.accounts.show(account_id))

    async def patch(self, account_id: str) -> None:
        change = self.parsed(Change)
        if change.subscription_days is not None and change.subscription_until is not None:
            raise BadRequest(
                400, "invalid_body", "Body is not valid", "Send subscription_days or subscription_until, not both."
            )
        account, changed = await self.services.accounts.change(account_id, **change.model_dump())
        if changed:
            self.did("change", account_id, members=sorted(changed))
        self.write_account(account)

    async def delete(self, account_id: str) -> None:
        keep_ledger = self.get_query_argument("ledger", "keep")
        if keep_ledger not in ("keep", "delete"):
            raise BadRequest(400, "invalid_parameter", "ledger is not valid", "Send ledger=keep or ledger=delete.")
        services = self.services
        belongings = (services.generations, services.api_keys, services.deliveries, services.subscriptions)
        if await delete_account(services.accounts, belongings, account_id, keep_ledger=keep_ledger == "keep"):
            self.did("delete", account_id, ledger=keep_ledger)
        self.write_json({"success": True, "account_id": account_id, "ledger": keep_ledger})


class UsageHandler(AdminHandler):
    """GET accounts/{account_id}/usage/[?by=day|month&month=2025-01]"""

    parameters: ClassVar = {"GET": ("by", "month")}

    async def get(self, account_id: str) -> None:
        by, month = self.get_query_argument("by", "day"), self.get_query_argument("month", "")
        if by not in ("day", "month"):
            raise BadRequest(400, "invalid_parameter", "by is not valid", "Send by=day or by=month.")
        await self.services.accounts.show(account_id)
        report = self.services.usage
        used = await (report.days if by == "day" else report.months)(account_id, month)
        self.write_json(
            {"success": True, "account_id": account_id, "by": by, "usage": [each.as_dict() for each in used]}
        )


class CloseHandler(AdminHandler):
    """POST accounts/{account_id}/close/"""

    traced_as = f"{ADMIN}/accounts/{{account_id}}/close/"

    async def post(self, account_id: str) -> None:
        if await self.services.accounts.close(account_id):
            self.did("close", account_id)
        self.write_account(await self.services.accounts.show(account_id))


class ExportHandler(AdminHandler):
    """GET accounts/{account_id}/export/: everything that is stored of an account, except its credentials."""

    async def get(self, account_id: str) -> None:
        accounts = self.services.accounts
        account = await accounts.show(account_id)
        keys = [key.as_dict() for key in await self.services.api_keys.of(account_id)]
        tasks = await self.services.generations.recent(account_id)
        exported_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        head = {"success": True, "exported_at": exported_at, "account": account.as_dict(), "keys": keys}
        head["push_subscriptions"] = await self.services.subscriptions.shown(account_id)
        head["grants"] = await accounts.grants.of(account_id)
        head["usage"] = [used.as_dict() for used in await self.services.usage.recorded(account_id)]
        head["drafts"] = await self.services.generations.drafts(account_id)
        self.write(json.dumps(head, ensure_ascii=False).encode()[:-1])
        self.write(b',"tasks":[' + b",".join(tasks) + b'],"webhooks":[')
        await self._write_webhooks(account_id)
        self.write(b'],"ledger":[')
        await self._write_ledger(account_id)
        self.write("]}")

    async def _write_webhooks(self, account_id: str) -> None:
        separator = ""
        async for webhook in self.services.deliveries.bodies(account_id):
            self.write(separator)
            self.write_json(webhook)
            separator = ","
            await self.flush()

    async def _write_ledger(self, account_id: str) -> None:
        before: str | None = None
        separator = ""
        while True:
            entries, before = await self.services.accounts.ledger(account_id, limit=ENTRIES_PER_READ, before=before)
            for entry in entries:
                self.write(separator)
                self.write_json(entry.as_dict())
                separator = ","
            await self.flush()
            if before is None:
                return


class GrantsHandler(AdminHandler):
    """POST accounts/{account_id}/grants/"""

    traced_as = f"{ADMIN}/accounts/{{account_id}}/grants/"

    async def post(self, account_id: str) -> None:
        grant = self.parsed(Grant)
        self.about(grant_id=grant.grant_id, tokens_granted=grant.tokens)
        accounts = self.services.accounts
        entry, repeated = await accounts.grants.add_once(account_id, grant.grant_id, grant.tokens, grant.reason)
        if repeated:
            self.set_header("Idempotent-Replayed", "true")
        else:
            self.did("grant", account_id, grant_id=grant.grant_id, tokens_granted=grant.tokens)
        self.write_json({"success": True, "grant_id": grant.grant_id, "entry": entry.as_dict()})


class LedgerHandler(AdminHandler):
    """GET accounts/{account_id}/ledger/?limit=N&before=ID"""

    parameters: ClassVar = PAGED

    async def get(self, account_id: str) -> None:
        await self.services.accounts.show(account_id)
        before = self.get_query_argument("before", None)
        entries, following = await self.services.accounts.ledger(account_id, limit=self.limit(), before=before)
        self.write_json({"success": True, "entries": [entry.as_dict() for entry in entries], "next": following})
