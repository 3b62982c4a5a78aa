"""Opens the storage: the connection to Redis, with the scripts of every room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path

import structlog

from accounts.records import RECORDS as ACCOUNTS_RECORDS
from generation.records import RECORDS as GENERATION_RECORDS
from notifications.records import RECORDS as NOTIFICATIONS_RECORDS
from runtime.debug_lines import debug_by_account
from runtime.metrics import Metrics
from runtime.settings import RedisSettings, Settings
from storage.schema import RECORDS as STORAGE_RECORDS
from storage.schema import check_schema
from storage.scripts import load_scripts
from storage.start import wait_until_ready, warn_about_redis
from storage.storage import Storage, connect

log = structlog.get_logger("main")
ROOT = Path(__file__).parent.parent
SCRIPT_FOLDERS = tuple(ROOT / room / "lua" for room in ("accounts", "generation", "notifications", "storage"))
RECORD_KINDS = {**ACCOUNTS_RECORDS, **GENERATION_RECORDS, **NOTIFICATIONS_RECORDS, **STORAGE_RECORDS}


def _also_logged(observe: Callable[[str, float], None]) -> Callable[[str, float], None]:
    def note(operation: str, seconds: float) -> None:
        observe(operation, seconds)
        log.debug("redis", operation=operation, duration_ms=round(1000 * seconds, 1))

    return note


async def open_storage(settings: Settings, stack: AsyncExitStack, metrics: Metrics) -> Storage:
    observe: Callable[[str, float], None] = metrics.redis_answered
    if settings.logs.level == "debug" or debug_by_account(settings.logs):
        observe = _also_logged(observe)
    storage = make_storage(
        settings.redis, observe=observe, failed=metrics.redis_failed, spoilt=metrics.record_set_aside
    )
    stack.push_async_callback(storage.aclose)
    metrics.readings.masters(lambda: _masters(storage))
    await wait_until_ready(storage, settings.redis.start_timeout_s)
    await check_schema(storage)
    await warn_about_redis(storage)
    return storage


def _masters(storage: Storage) -> tuple[int, int]:
    masters = storage.topology.all()
    return len(masters), sum(master.wire is not None for master in masters)


@cache
def scripts() -> Mapping[str, str]:
    """Return the scripts of every room."""
    return load_scripts(SCRIPT_FOLDERS)


def make_storage(
    settings: RedisSettings,
    observe: Callable[[str, float], None] = lambda _operation, _seconds: None,
    failed: Callable[[str], None] = lambda _reason: None,
    spoilt: Callable[[], None] = lambda: None,
) -> Storage:
    """Make the storage with the scripts and records of every room; it connects when it is first used."""
    return Storage(
        connect(settings),
        scripts(),
        prefix=settings.key_prefix,
        kinds=RECORD_KINDS,
        observe=observe,
        failed=failed,
        spoilt=spoilt,
    )
