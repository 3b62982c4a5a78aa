"""Records that cannot be read: set aside, logged with their key and counted, so that one stops nothing else.

Refuses to repair them: what another program wrote under our keys is the operator's to judge.
"""

from __future__ import annotations

import contextlib

import structlog
from redis import exceptions as redis_errors

from runtime.metrics import Metrics
from storage.storage import Storage

log = structlog.get_logger(__name__)


class SetAside:
    """Logs records that cannot be read, and renames indexes that cannot be used."""

    def __init__(self, storage: Storage, metrics: Metrics) -> None:
        self._storage = storage
        self._metrics = metrics

    def note(self, key: str, exc: BaseException) -> None:
        """Log and count one record that is skipped from now on."""
        log.error("record_set_aside", redis_key=key, error=type(exc).__name__)
        self._metrics.record_set_aside()

    async def rename(self, key: str, exc: BaseException) -> None:
        """Rename an index of the wrong type, so that a new one can be made in its place.

        Raises:
            StorageUnavailable
        """
        self.note(key, exc)
        with contextlib.suppress(redis_errors.ResponseError):  # another process was faster
            await self._storage.command("RENAME", key, f"{key}:set_aside")
