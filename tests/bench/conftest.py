"""Fixtures of this room: the whole server on a test's own IOLoop."""

from __future__ import annotations

from tests.support.whole_server import app, changes, client, service, settings, stack, standin

__all__ = ["app", "changes", "client", "service", "settings", "stack", "standin"]
