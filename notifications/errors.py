"""Everything that can fail in this room and is reported to a caller.

NotificationsError
├── UnknownDelivery      no such delivery, or not any more
├── CursorInvalid        the list of failed deliveries cannot go on from what was given
├── SubscriptionRefused  what is wrong with a push subscription
├── UnknownSubscription  the account has none with this endpoint
└── PushNotConfigured    this server has no keys for Web Push
"""

from __future__ import annotations


class NotificationsError(Exception):
    """Base."""


class UnknownDelivery(NotificationsError):
    pass


class CursorInvalid(NotificationsError):
    pass


class SubscriptionRefused(NotificationsError):
    """``demand``: what a subscription must be, a sentence without its full stop."""

    def __init__(self, demand: str) -> None:
        super().__init__(demand)
        self.demand = demand


class UnknownSubscription(NotificationsError):
    pass


class PushNotConfigured(NotificationsError):
    pass
