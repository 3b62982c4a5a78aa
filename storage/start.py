"""Checks Redis at the start: that it answers, that we may write, and that its configuration is safe for data.

Refuses to know what is stored. Only what cannot work ends a start; a question that Redis refuses costs a warning.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from redis import exceptions as redis_errors

from runtime.exception_facts import named
from storage.errors import StorageMisconfigured, StorageUnavailable
from storage.login import info_members
from storage.storage import Storage

CONNECT_RETRY_S = 1.0  # while Redis is away

log = structlog.get_logger(__name__)


async def wait_until_ready(storage: Storage, timeout_s: float) -> None:
    """Return when every master answers and has our scripts; log what is missing meanwhile.

    Raises:
        StorageMisconfigured: waiting would not help.
        StorageUnavailable: Redis is still away after ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            await storage.topology.refresh()
            await _enter(storage)
        except StorageMisconfigured:
            raise
        except StorageUnavailable as exc:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise
            facts = {"address": storage.topology.where, "error": named(exc.__cause__ or exc)}
            log.warning("waiting_for_redis", reason=exc.reason, **facts, seconds_left=round(left_s))
            await asyncio.sleep(min(CONNECT_RETRY_S, left_s))
        else:
            return


async def _enter(storage: Storage) -> None:
    """Do once what every later call needs: load the scripts, and write one of our keys."""
    try:
        await storage.load()
        keys = [storage.key(f"start-{number}", "call", "may-we-write") for number in range(64)]
        reachable = [key for key in keys if storage.topology.of(key).wire is not None]
        await storage.command("SET", (reachable or keys)[0], "", "PX", 1)
    except StorageUnavailable as exc:
        if isinstance(exc.__cause__, redis_errors.NoPermissionError):
            raise StorageMisconfigured(
                f"the user of redis.url may not do what the server needs ({exc.__cause__}); "
                "docs/operations.md lists the rights"
            ) from exc
        raise


async def warn_about_redis(storage: Storage) -> None:
    """Log what in this Redis' configuration may lose accounts or slow polls.

    No persistence, eviction of keys when memory is short, or rights that are missing. Before tracking begins.

    Raises:
        StorageUnavailable: no usable answer.
    """
    for primary in storage.topology.all():
        try:
            wire = await primary.connected()
        except StorageUnavailable as exc:
            log.warning("redis_not_checked", address=str(primary.address), reason=exc.reason)
            continue
        await wire.command("HELLO", 2)  # proxies that look into INFO's answer know it as RESP2 has it
        info = [await wire.ask(("INFO", section)) for section in ("persistence", "memory")]
        await wire.command("HELLO", 3)
        saves = await wire.ask(("CONFIG", "GET", "save"))
        tracking = await wire.ask(("CLIENT", "TRACKING", "OFF"))
        for reply in (*info, saves, tracking):
            if isinstance(reply, StorageUnavailable):
                raise reply
        _warn(str(primary.address), info, saves, tracking)


def _warn(address: str, info: list[Any], saves: Any, tracking: Any) -> None:
    persistence, memory = info_members(info[0]), info_members(info[1])
    if not persistence or not memory:
        log.warning(
            "redis_info_refused", address=address, advice="persistence and eviction cannot be checked; allow INFO"
        )
    may_save = not isinstance(saves, dict) or bool(saves.get(b"save"))  # hosted Redis often forbids CONFIG
    if persistence.get("aof_enabled") == "0" and not may_save:
        advice = "neither append-only file nor snapshots are on; set appendonly yes"
        log.warning("redis_not_durable", address=address, advice=advice)
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory", "0") != "0" and policy != "noeviction":
        advice = "set maxmemory-policy noeviction"
        log.warning("redis_may_evict", address=address, policy=policy, advice=advice)
    if isinstance(tracking, Exception):
        advice = "polls ask Redis instead of memory; allow CLIENT TRACKING and CLIENT CACHING"
        log.warning("redis_tracking_refused", address=address, advice=advice)
