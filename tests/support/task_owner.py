"""The tasks of one process, without the process."""

from __future__ import annotations

from generation.after_end import AfterEnd
from generation.tasks import NOTHING_AFTER, Tasks
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from tests.support.storage import OpenStorage


def owner(
    storage: OpenStorage, name: str, after_end: AfterEnd = NOTHING_AFTER, limits: LimitSettings | None = None
) -> Tasks:
    return Tasks(
        storage,
        name,
        lambda *_document: None,  # nobody listens
        Metrics(),
        tasks=TaskSettings(),
        limits=limits or LimitSettings(),
        money=MoneySettings(),
        after_end=after_end,
    )
