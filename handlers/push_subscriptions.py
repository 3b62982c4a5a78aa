"""The browsers in which an account is notified of the end of a task that is not being followed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from handlers.base import BodyHandler
from notifications.errors import PushNotConfigured
from notifications.subscriptions import LONGEST_ENDPOINT, LONGEST_TITLE, PushSubscription

Title = Annotated[str, StringConstraints(strict=True, max_length=LONGEST_TITLE)]
Endpoint = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_ENDPOINT)]
Key = Annotated[str, StringConstraints(strict=True, max_length=128)]


class Keys(BaseModel):
    model_config = ConfigDict(extra="ignore")

    p256dh: Key
    auth: Key


class Titles(BaseModel):
    model_config = ConfigDict(extra="ignore")

    completed: Title = ""
    failed: Title = ""


class Subscribing(BaseModel):
    """What ``PushSubscription.toJSON()`` returns in a browser, and titles in the user's language."""

    model_config = ConfigDict(extra="ignore")

    endpoint: Endpoint
    keys: Keys
    titles: Titles = Field(default_factory=Titles)


class Unsubscribing(BaseModel):
    model_config = ConfigDict(extra="ignore")

    endpoint: Endpoint


class PushSubscriptionsHandler(BodyHandler):
    """GET, POST and DELETE /api/v1/account/push-subscriptions/"""

    async def get(self) -> None:
        kept = await self.services.subscriptions.shown(self.caller.account_id)
        self.write_json({"success": True, "web_push_key": self.services.push_key or None, "subscriptions": kept})

    async def post(self) -> None:
        if not self.services.push_key:
            raise PushNotConfigured
        given = self.parsed(Subscribing)
        titles = {name: text for name, text in given.titles.model_dump().items() if text}
        subscription = PushSubscription(given.endpoint, given.keys.p256dh, given.keys.auth, titles)
        kept = await self.services.subscriptions.add(self.caller.account_id, subscription)
        self.set_status(201)
        self.write_json({"success": True, "subscription": kept.as_dict()})

    async def delete(self) -> None:
        await self.services.subscriptions.remove_endpoint(self.caller.account_id, self.parsed(Unsubscribing).endpoint)
        self.write_json({"success": True})
