"""Makes the record of a task's end from which a webhook follows. Refuses to send it."""

from __future__ import annotations

import json

from generation.after_end import Notice
from generation.lease_index import TaskRef
from runtime.settings import WebhookSettings

KEPT_S = 7 * 86_400


class Notices:
    """The tasks' ``AfterEnd`` in a process that sends nothing itself: others find due deliveries in the index.

    ``push_after_s``: how long an end waits for somebody to see it before browsers are notified, None to notify none.
    """

    def __init__(self, settings: WebhookSettings, *, push_after_s: float | None = None) -> None:
        self._settings = settings
        self._push_after_ms = -1 if push_after_s is None else int(1000 * push_after_s)

    def notice(self, head: bytes, *, failed: bool) -> Notice:
        """Return the record of an end, without its prompt unless the settings want it."""
        events = self._settings.events if self._settings.url else ()
        low = low_balance_of(self._settings)
        told = b""
        if ("task.failed" if failed else "task.completed") in events:
            told = head if failed or self._settings.include_prompt else _without_prompt(head)
        return Notice(told, low, KEPT_S, self._push_after_ms)

    def offer(self, task: TaskRef) -> float | None:  # noqa: ARG002  # the protocol's
        """Leave the task in the index."""
        return 0.0


def low_balance_of(settings: WebhookSettings) -> int:
    """Return the balance, in tokens, below which a webhook tells of it; 0 when none does."""
    told = bool(settings.url) and "account.low_balance" in settings.events
    return settings.low_balance_tokens if told else 0


def _without_prompt(head: bytes) -> bytes:
    document = json.loads(head + b"}")
    document.pop("prompt", None)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")[:-1]
