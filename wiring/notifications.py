"""Opens what sends webhooks and pushes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

from generation.gemini.session import environment_proxy
from notifications import (
    Deliverer,
    Deliveries,
    Pushes,
    PushSubscriptions,
    Sightings,
    open_push_session,
    open_webhook_session,
)
from notifications.vapid import public_key
from runtime.metrics import Metrics
from runtime.settings import Settings
from runtime.tracing import Tracing

Seen: TypeAlias = Callable[[str, str], None]  # somebody has seen how the account's task ended


async def open_deliverer(
    settings: Settings,
    stack: AsyncExitStack,
    metrics: Metrics,
    tracing: Tracing,
    subscriptions: PushSubscriptions,
) -> Deliverer | None:
    webhooks = settings.webhooks
    pushes = await _open_pushes(settings, stack, metrics, subscriptions)
    if not webhooks.url and pushes is None:
        return None
    local = not webhooks.url.startswith("https:")  # only to this host: no proxy can reach it for us
    proxy = None if local else environment_proxy(webhooks.url)
    session = await stack.enter_async_context(open_webhook_session(webhooks, proxy))
    return await stack.enter_async_context(Deliverer(session, webhooks, metrics.webhook_tried, tracing, pushes=pushes))


async def _open_pushes(
    settings: Settings, stack: AsyncExitStack, metrics: Metrics, subscriptions: PushSubscriptions
) -> Pushes | None:
    if not push_key(settings):
        return None
    session = await stack.enter_async_context(open_push_session(settings.web_push))
    pushes = Pushes(
        session,
        settings.web_push,
        subscriptions,
        ttl_s=settings.tasks.status_ttl_s,
        proxy_of=lambda address: environment_proxy(address) if address.startswith("https:") else None,
        tried=metrics.push_tried,
    )
    return await stack.enter_async_context(pushes)


async def open_sightings(settings: Settings, stack: AsyncExitStack, deliveries: Deliveries) -> Seen:
    if not push_key(settings):
        return lambda _account_id, _task_id: None
    return (await stack.enter_async_context(Sightings(deliveries))).note


def push_key(settings: Settings) -> str:
    private = settings.web_push.private_key.get_secret_value()
    return public_key(private) if private else ""
