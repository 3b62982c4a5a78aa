"""Webhooks and Web Push: the notifications of a task's end and of a low balance."""

from notifications.deliverer import Deliverer, open_webhook_session
from notifications.deliveries import Deliveries, Delivery
from notifications.errors import (
    NotificationsError,
    PushNotConfigured,
    SubscriptionRefused,
    UnknownDelivery,
    UnknownSubscription,
)
from notifications.low_balances import LowBalances
from notifications.notices import Notices
from notifications.pushes import Pushes, PushUnusable, open_push_session
from notifications.sightings import Sightings
from notifications.subscriptions import PushSubscription, PushSubscriptions

__all__ = [
    "Deliverer",
    "Deliveries",
    "Delivery",
    "LowBalances",
    "Notices",
    "NotificationsError",
    "PushNotConfigured",
    "PushSubscription",
    "PushSubscriptions",
    "PushUnusable",
    "Pushes",
    "Sightings",
    "SubscriptionRefused",
    "UnknownDelivery",
    "UnknownSubscription",
    "open_push_session",
    "open_webhook_session",
]
