"""The tasks of one process, without the process."""

from __future__ import annotations

from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from tests.support.storage import OpenStorage


def owner(storage: OpenStorage, name: str) -> Tasks:
    written = lambda *_document: None  # noqa: E731  # nobody listens
    return Tasks(storage, name, written, Metrics(), tasks=TaskSettings(), limits=LimitSettings(), money=MoneySettings())
