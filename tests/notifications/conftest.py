"""Fixtures of this room: the whole server, and a backend that takes its webhooks."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.webhook_receiver import SECRET, Receiver, serve_receiver
from tests.support.whole_server import app, client, service, settings, stack, standin

__all__ = ["app", "client", "service", "settings", "stack", "standin"]


@pytest.fixture
def receiver(io_loop: Any, stack: AsyncExitStack) -> Receiver:
    made: Receiver = io_loop.run_sync(lambda: stack.enter_async_context(serve_receiver()))
    return made


@pytest.fixture
def changes(request: pytest.FixtureRequest, receiver: Receiver) -> dict[str, dict[str, Any]]:
    """Settings of one test, with webhooks to the receiver; reapers and leases are quick."""
    marker = request.node.get_closest_marker("settings")
    sections = dict(marker.kwargs) if marker else {}
    sections["webhooks"] = {"url": receiver.url, "secrets": SECRET} | sections.get("webhooks", {})
    sections["tasks"] = {"reap_every_s": 0.2, "lease_s": 2.0, "renew_every_s": 0.5} | sections.get("tasks", {})
    return sections
