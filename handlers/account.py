"""The account's own view of itself: balance, subscription, and the entries behind the balance."""

from __future__ import annotations

from handlers.base import AuthenticatedHandler

MAX_ENTRIES_PER_PAGE = 200


class OwnAccountHandler(AuthenticatedHandler):
    """GET /api/v1/account/"""

    async def get(self) -> None:
        account = await self.services.accounts.show(self.caller.account_id)
        self.write_json(
            {
                "success": True,
                "account_id": account.account_id,
                "name": account.name,
                "business_type": account.business_type,
                "subscription_active": account.subscription_active,
                "subscription_until": account.subscription_until,
                "tokens_remaining": account.tokens_remaining,
                "tokens_held": account.tokens_held,
                "tokens_charged": account.tokens_charged,
                "tokens_granted": account.tokens_granted,
                "minimum_tokens": self.services.minimum_tokens,
                "web_push_key": self.services.push_key or None,
                "business_types": self.services.generations.business_types,
            }
        )


class OwnLedgerHandler(AuthenticatedHandler):
    """GET /api/v1/account/ledger/?limit=N&before=ID"""

    async def get(self) -> None:
        limit = self.whole_number("limit", 50, MAX_ENTRIES_PER_PAGE)
        before = self.get_query_argument("before", None)
        entries, following = await self.services.accounts.ledger(self.caller.account_id, limit=limit, before=before)
        self.write_json({"success": True, "entries": [entry.as_dict() for entry in entries], "next": following})
