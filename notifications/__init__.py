"""Webhooks: a signed POST to the operator's backend when a task ends or a balance is low."""

from notifications.deliverer import Deliverer, open_webhook_session
from notifications.deliveries import Deliveries, Delivery
from notifications.errors import NotificationsError, UnknownDelivery
from notifications.notices import Notices

__all__ = [
    "Deliverer",
    "Deliveries",
    "Delivery",
    "Notices",
    "NotificationsError",
    "UnknownDelivery",
    "open_webhook_session",
]
