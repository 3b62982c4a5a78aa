"""A process that dies after a task has ended and before it sends anything."""

from __future__ import annotations

from generation.documents import completed_head
from generation.lease import Lease
from generation.stages import CHECKING, COMPLETED, FINALIZING, GENERATING, INITIALIZING
from generation.tasks import Replayed, Tasks
from notifications import Notices
from runtime.metrics import Metrics
from runtime.settings import Settings
from wiring.storage import make_storage

TOKENS_USED = 5


async def end_task_and_die(settings: Settings, account_id: str, draft: str, *, push: bool = False) -> Lease:
    """Run a task to its end. Its notifications are recorded and not sent."""
    storage = make_storage(settings.redis)
    tasks = Tasks(
        storage,
        "dead",
        lambda _account_id, _task_id, _document: None,
        Metrics(),
        tasks=settings.tasks,
        limits=settings.limits,
        money=settings.money,
        after_end=Notices(settings.webhooks, push_after_s=0 if push else None),
    )
    lease = await tasks.submit(account_id, draft, None)
    assert not isinstance(lease, Replayed)
    for stage in (INITIALIZING, CHECKING, GENERATING, FINALIZING):
        await tasks.advance(lease, stage)
    await tasks.endings.complete(lease, COMPLETED, completed_head("better", "m"), TOKENS_USED, "generated")
    await storage.aclose()
    return lease
