"""Feeds the polls with tasks: a process that takes every account's task through its stages until it is stopped.

A task begins, changes about once a second as real ones do, is completed, expires while it is still polled, and the
account's next one follows. For our server the steps are those of ``generation.tasks``, Lua and all; the peers get the
same documents by the same clock, stored as each of them wants them. Refuses to know the polls.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import random
import signal
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr
from redis import asyncio as aioredis

from bench.load_accounts import account_ids
from bench.shared_slots import SharedSlots
from generation.documents import completed_head, progress_head
from generation.lease import Lease
from generation.stages import CHECKING, COMPLETED, FINALIZING, GENERATING, INITIALIZING, QUEUED, WAITING, Stage
from generation.tasks import Tasks
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, RedisSettings, TaskSettings
from wiring.storage import make_storage

STAGE_S = 1.1  # for each of the stages before the end
COMPLETED_S = 2.0
MANUAL_PROMPT = "Answer questions about our bakery. Open 7-18, closed on Mondays, call 030 1234567. Be friendly."
PROMPT = (
    "You are the friendly assistant of our bakery. Answer in the customer's language, briefly and warmly. "
    "Facts you may rely on: open from 7 to 18, closed on Mondays, telephone 030 1234567. When a question goes beyond "
    "these facts, say so and offer the telephone number. Never invent prices, products or times. For orders, ask for "
    "name, product, quantity and time of collection, and repeat them before you finish."
)
OURS = "ours"
STAGES = (INITIALIZING, CHECKING, GENERATING, WAITING, FINALIZING)


class Store(Protocol):
    """Keeps the documents; each method is one change that polls see."""

    async def begin(self, account_id: str) -> str: ...
    async def advance(self, task_id: str, stage: Stage) -> None: ...
    async def complete(self, task_id: str) -> None: ...
    async def expire(self, task_id: str) -> None: ...
    async def aclose(self) -> None: ...


class OurStore:
    """Keeps tasks as our server does: records, leases, holds, ledger, status documents."""

    def __init__(self, redis_url: str) -> None:
        self._storage = make_storage(RedisSettings(url=SecretStr(redis_url)))
        self._leases: dict[str, Lease] = {}
        self._tasks = Tasks(
            self._storage,
            owner="bench",
            written=lambda _account, _task, _document: None,
            metrics=Metrics(),
            # A lease longer than every task: the server under test must not take these tasks for orphans.
            tasks=TaskSettings(lease_s=600, deadline_s=600),
            limits=LimitSettings(),
            money=MoneySettings(),
        )

    async def begin(self, account_id: str) -> str:
        lease = await self._tasks.submit(account_id, MANUAL_PROMPT, None)
        assert isinstance(lease, Lease)
        self._leases[lease.task_id] = lease
        return lease.task_id

    async def advance(self, task_id: str, stage: Stage) -> None:
        lease = self._leases[task_id]
        await self._tasks.advance(lease, stage)
        if stage is CHECKING:
            await self._tasks.hold(lease)

    async def complete(self, task_id: str) -> None:
        lease = self._leases[task_id]
        await self._tasks.endings.complete(lease, COMPLETED, completed_head(PROMPT, "gemini-bench"), 420, "generated")
        await self._tasks.index.drop([lease.ref])

    async def expire(self, task_id: str) -> None:
        account_id = self._leases.pop(task_id).account_id
        for kind in ("status", "task"):  # their ten minutes, cut short
            await self._storage.command("PEXPIRE", self._storage.key(account_id, kind, task_id), 1)

    async def aclose(self) -> None:
        await self._storage.aclose()


class PeerStore:
    """Keeps each task under one key, as a web framework with a cache does. ``store_format`` renders key and value."""

    def __init__(self, redis: aioredis.Redis, store_format: PeerFormat) -> None:
        self._redis = redis
        self._format = store_format
        self._created: dict[str, tuple[str, datetime]] = {}  # task id → account and when

    async def begin(self, account_id: str) -> str:
        task_id = str(uuid.uuid4())
        self._created[task_id] = (account_id, datetime.now(UTC))
        await self._write(task_id, progress_head(QUEUED), 1)
        return task_id

    async def advance(self, task_id: str, stage: Stage) -> None:
        await self._write(task_id, progress_head(stage), STAGES.index(stage) + 2)

    async def complete(self, task_id: str) -> None:
        await self._write(task_id, completed_head(PROMPT, "gemini-bench"), len(STAGES) + 2)

    async def expire(self, task_id: str) -> None:
        account_id, _ = self._created.pop(task_id)
        await self._redis.pexpire(self._format.key(account_id, task_id), 1)

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def _write(self, task_id: str, head: bytes, version: int) -> None:
        account_id, created_at = self._created[task_id]
        document = json.loads(head + b"}") | {
            "created_at": created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "task_id": task_id,
            "attempt": 1,
            "version": version,
        }
        value = self._format.value(account_id, task_id, document)
        await self._redis.set(self._format.key(account_id, task_id), value, ex=600)


@dataclass(frozen=True, slots=True)
class PeerFormat:
    """The key and the value under which a peer stores a document."""

    key: Callable[[str, str], str]
    value: Callable[[str, str, dict[str, Any]], bytes]


def _as_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _celery_result(account_id: str, task_id: str, document: dict[str, Any]) -> bytes:
    # What update_state(state="PROGRESS", meta=…) leaves in the result backend.
    result = {"account": account_id, "document": document}
    return _as_json(
        {
            "status": "SUCCESS" if document["status"] == "completed" else "PROGRESS",
            "result": result,
            "traceback": None,
            "children": [],
            "date_done": None,
            "task_id": task_id,
        }
    )


PEER_FORMATS = {
    "strings": PeerFormat(
        lambda account, task: f"generation:{account}:{task}", lambda _a, _t, document: _as_json(document)
    ),
    "django": PeerFormat(  # django-redis: version in the key, pickle in the value
        lambda account, task: f":1:generation:{account}:{task}", lambda _a, _t, document: pickle.dumps(document)
    ),
    "celery": PeerFormat(lambda _account, task: f"celery-task-meta-{task}", _celery_result),
}


def open_store(name: str, redis_url: str) -> Store:
    return OurStore(redis_url) if name == OURS else PeerStore(_client(redis_url), PEER_FORMATS[name])


def _client(redis_url: str) -> aioredis.Redis:
    pool = aioredis.BlockingConnectionPool.from_url(redis_url, max_connections=20, timeout=30)
    return aioredis.Redis.from_pool(pool)


async def feed(store: Store, slots: SharedSlots, slot: int, account_id: str) -> None:
    """Give one account one task after another until cancelled."""
    chance = random.Random(slot)
    stage_s = STAGE_S * chance.uniform(0.8, 1.2)
    skipped = chance.randrange(len(STAGES) + 1)  # of the first task, so that the tasks are spread over the stages
    while True:
        task_id = await store.begin(account_id)
        slots.show(slot, task_id)
        steps = (*(_advance(store, stage) for stage in STAGES), store.complete)
        for number, step in enumerate(steps):
            if number >= skipped:
                await asyncio.sleep(stage_s)
            await step(task_id)
        skipped = 0
        await asyncio.sleep(COMPLETED_S)
        await store.expire(task_id)  # polls go on until the next task is there, and get 404


def _advance(store: Store, stage: Stage) -> Callable[[str], Awaitable[None]]:
    return lambda task_id: store.advance(task_id, stage)


async def run(store_name: str, redis_url: str, board_path: Path) -> None:
    """Feed all accounts until SIGTERM."""
    ids = account_ids()
    store = open_store(store_name, redis_url)
    slots = SharedSlots(board_path, len(ids))
    async with asyncio.TaskGroup() as group:
        everyone = [group.create_task(feed(store, slots, slot, account_id)) for slot, account_id in enumerate(ids)]

        def stop() -> None:
            for one in everyone:
                one.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    await store.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", choices=[OURS, *PEER_FORMATS])
    parser.add_argument("redis_url")
    parser.add_argument("slots", type=Path)
    options = parser.parse_args()
    asyncio.run(run(options.store, options.redis_url, options.slots))
