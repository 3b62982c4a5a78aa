"""Sends webhooks of balances that fell below the limit because tokens were taken back. Ends of tasks do it for what
they cost.

Refuses to know how a webhook is sent: any process finds it in the index. The step that takes the tokens writes it.
"""

from __future__ import annotations

import structlog

from generation.lease_index import LeaseIndex, TaskRef
from notifications.notices import KEPT_S, low_balance_of
from runtime.settings import WebhookSettings
from storage.errors import StorageUnavailable

NOT_YET_S = 5.0  # how long the index keeps the webhook back while its record is being written

log = structlog.get_logger(__name__)


class LowBalances:
    """The grants' ``TakenBack``. A webhook has its place in the index under the id of its call, as under a task's."""

    kept_s = KEPT_S

    def __init__(self, index: LeaseIndex, settings: WebhookSettings) -> None:
        self._index = index
        self.limit = low_balance_of(settings)

    async def expect(self, account_id: str, call_id: str) -> None:
        """Let the reapers look for the webhook soon: what is in the index for nothing is dropped.

        Raises:
            StorageUnavailable
        """
        if self.limit:
            await self._index.note([TaskRef(account_id, call_id)], NOT_YET_S)

    async def answered(self, account_id: str, call_id: str, *, due: bool) -> None:
        """Let the reapers find the webhook at once, or look for none."""
        if not self.limit:
            return
        call = TaskRef(account_id, call_id)
        try:
            if due:
                await self._index.note([call], 0)
                await self._index.say_handed_back()
            else:
                await self._index.drop([call])
        except StorageUnavailable as exc:  # a few seconds later, or dropped by the reaper that looks
            log.warning("low_balance_told_later", account_id=account_id, reason=exc.reason)
