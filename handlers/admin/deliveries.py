"""An account's webhooks: the outcome of their tries, and their repetition; and the failing ones of all accounts."""

from __future__ import annotations

from typing import ClassVar

from handlers.admin.base import PAGED, AdminHandler
from handlers.paths import ADMIN


class DeliveriesHandler(AdminHandler):
    """GET accounts/{account_id}/deliveries/[?limit=&before=]"""

    parameters: ClassVar = PAGED

    async def get(self, account_id: str) -> None:
        await self.services.accounts.show(account_id)
        before = self.get_query_argument("before", None)
        deliveries, following = await self.services.deliveries.page(account_id, self.limit(), before)
        self.write_json(
            {"success": True, "deliveries": [delivery.as_dict() for delivery in deliveries], "next": following}
        )


class ResendHandler(AdminHandler):
    """POST accounts/{account_id}/deliveries/{delivery_id}/resend/"""

    traced_as = f"{ADMIN}/accounts/{{account_id}}/deliveries/{{delivery_id}}/resend/"

    async def post(self, account_id: str, delivery_id: str) -> None:
        await self.services.accounts.show(account_id)
        delivery = await self.services.deliveries.resend(account_id, delivery_id)
        self.did("resend delivery", account_id, delivery_id=delivery_id)
        self.write_json({"success": True, "delivery": delivery.as_dict()})


class FailedDeliveriesHandler(AdminHandler):
    """GET failed-deliveries/[?limit=&before=]"""

    parameters: ClassVar = PAGED

    async def get(self) -> None:
        before = self.get_query_argument("before", "")
        failed, following = await self.services.deliveries.failed_page(self.limit(), before)
        self.write_json({"success": True, "deliveries": [each.as_dict() for each in failed], "next": following})
