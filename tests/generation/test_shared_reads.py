"""What many readers of one process share: the reads of a task's events, and a link that no large reply delays."""

from __future__ import annotations

import asyncio
import time

import pytest
from redis import asyncio as aioredis

from generation.events import Event, TaskEvents
from generation.readers import Readers
from generation.status_copy import StatusCopy
from storage.redis_server import RedisServer
from storage.tracking import STALE_S
from tests.storage.redis_clients import port_of, through
from tests.support.raw_http import document
from tests.support.redis_proxy import Proxy
from tests.support.storage import OpenStorage

FOLLOWERS = 40


async def reads_of_events(redis: aioredis.Redis) -> int:
    commands = await redis.info("commandstats")
    return int(commands.get("cmdstat_xrange", {"calls": 0})["calls"])


@pytest.mark.gen_test
async def test_one_read_of_a_tasks_events_serves_all_its_followers(storage: OpenStorage) -> None:
    key = storage.key("a", "events", "t")
    await storage.redis.set(storage.key("a", "status", "t"), document(1, "processing"))
    await storage.redis.xadd(key, {"chunk": b"0"})
    async with StatusCopy(storage, entries=100) as copy:
        events, got = TaskEvents(storage, copy, Readers(storage, copy)), [0] * FOLLOWERS

        async def follow(number: int) -> list[Event]:
            seen = []
            async for event in events.follow("a", "t", "", silence_s=60):
                seen.append(event)
                got[number] += 1
            return seen

        before = await reads_of_events(storage.redis)
        following = [asyncio.create_task(follow(number)) for number in range(FOLLOWERS)]
        for written in range(1, 6):
            await _until_all(got, written)
            await storage.redis.xadd(key, {"end" if written == 5 else "chunk": b"%d" % written})
        texts = [[event.data for event in seen] for seen in await asyncio.gather(*following)]
        reads = await reads_of_events(storage.redis) - before
    assert texts == [[b"%d" % written for written in range(6)]] * FOLLOWERS
    assert reads <= 2 * 6, "what was written six times is read so often, or once more each time, by all together"


async def _until_all(got: list[int], count: int) -> None:
    async with asyncio.timeout(180):
        while min(got) < count:  # noqa: ASYNC110  # Redis wakes them
            await asyncio.sleep(0.005)


@pytest.mark.gen_test
async def test_large_replies_do_not_delay_the_heartbeats_that_keep_the_copy_trusted(redis_server: RedisServer) -> None:
    async with Proxy(port_of(redis_server.url)) as proxy:
        storage = OpenStorage(through(proxy, redis_server), timeout_s=20.0)
        small, large = (storage.key("a", "status", task) for task in ("small", "large"))
        await storage.command("SET", small, document(1), "EX", 600)
        await storage.command("SET", large, document(1, text="x" * 2_000_000), "EX", 600)
        async with StatusCopy(storage, entries=100) as copy:
            await copy.document("a", "small")
            proxy.bytes_per_s = 600_000
            begun = time.monotonic()
            reading = asyncio.create_task(copy.document("a", "large"))
            known_later = False  # than a heartbeat allows that was sent before the reply
            while not reading.done():
                await asyncio.sleep(0.05)
                later = time.monotonic() > begun + STALE_S
                known_later |= later and bool(copy.peek_key(copy.key("a", "small"))) and not reading.done()
            assert await reading
            assert time.monotonic() - begun > STALE_S
            assert known_later, "heartbeats are answered beside the reply"
            assert copy.link_losses == 0
        await storage.command("DEL", small, large)
        await storage.aclose()
