"""Tells of balances that fell below the limit because tokens were taken back. What tasks cost is told by their ends.

Refuses to know how a webhook is sent: any process finds it in the index.
"""

from __future__ import annotations

import uuid

import structlog

from generation.after_end import delivery_keys
from generation.lease_index import LeaseIndex, TaskRef
from notifications.notices import KEPT_S, low_balance_of
from runtime.settings import WebhookSettings
from storage.errors import RecordUnreadable, StorageUnavailable
from storage.storage import Storage
from storage.wire import Argument

NOT_YET_S = 5.0  # how long the index keeps the webhook back while its record is being written

log = structlog.get_logger(__name__)


class LowBalances:
    """The grants' ``taken_back``."""

    def __init__(self, storage: Storage, index: LeaseIndex, settings: WebhookSettings) -> None:
        self._storage = storage
        self._index = index
        self._limit = low_balance_of(settings)

    async def taken_back(self, account_id: str, tokens: int) -> None:
        """Record a webhook when the account's balance fell below the limit by that; a failure is logged.

        The tokens are taken back by then, so the caller must not hear that they may not be.
        """
        if not self._limit:
            return
        task = TaskRef(account_id, str(uuid.uuid4()))  # a webhook has its place in the index under a task's id
        _record, *keys = delivery_keys(self._storage, *task)
        try:
            await self._index.note([task], NOT_YET_S)  # first: what is in the index for nothing is dropped
            arguments: list[Argument] = [task.task_id, self._limit, KEPT_S, tokens]
            if await self._storage.run(
                "note_low_balance", [self._storage.key(account_id, "account"), *keys], arguments
            ):
                await self._index.note([task], 0)
                await self._index.say_handed_back()
            else:
                await self._index.drop([task])
        except (StorageUnavailable, RecordUnreadable) as exc:
            log.warning("low_balance_untold", account_id=account_id, reason=type(exc).__name__)
