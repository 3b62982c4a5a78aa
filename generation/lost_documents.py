"""Writes a status document again that Redis lost while its task is unfinished: evicted, or deleted by hand.

Owns the look at the task's record; refuses to know what is done with documents.
"""

from __future__ import annotations

from redis import exceptions as redis_errors

from generation.documents import progress_head
from generation.stages import STAGES
from generation.task_codes import Code
from storage.errors import UNREADABLE, StorageUnavailable
from storage.storage import Storage

STAGE_OF = {stage.name: stage for stage in STAGES}


class LostDocuments:
    """``status_ttl_s`` is how long a document lives, in seconds."""

    def __init__(self, storage: Storage, status_ttl_s: int) -> None:
        self._storage = storage
        self._status_ttl_s = status_ttl_s

    async def rewrite(self, key: bytes) -> bool:
        """Write the document of an unfinished task that has none; return whether there is one now.

        ``key`` is the document's. The script does nothing when there is a document, so any process may call it.

        Raises:
            StorageUnavailable: also when the task is unfinished and its document could not be made of its record.
        """
        before, _, task_id = str(key, "utf-8").rsplit(":", 2)
        record, events = (f"{before}:{kind}:{task_id}" for kind in ("task", "events"))
        try:
            name, progress, closed = await self._storage.command("HMGET", record, "stage", "progress", "closed")
            if name is None or closed is not None:
                return False
            stage = STAGE_OF[str(name, "utf-8")]
            head = progress_head(stage, int(progress))
            keys = [record, str(key, "utf-8"), events]
            code = await self._storage.run("rewrite_document", keys, [stage.name, head, self._status_ttl_s])
        except (redis_errors.RedisError, *UNREADABLE) as exc:
            raise StorageUnavailable("refused") from exc
        if code == Code.STEP_REFUSED:
            raise StorageUnavailable("refused")  # it went on meanwhile, and lost that document as well
        return bool(code == Code.DONE)
