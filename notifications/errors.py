"""Everything that can go wrong with webhooks and that somebody is told.

NotificationsError
└── UnknownDelivery  no such delivery, or not any more
"""

from __future__ import annotations


class NotificationsError(Exception):
    """Base."""


class UnknownDelivery(NotificationsError):
    pass
