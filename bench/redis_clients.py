"""The cost of one script call through our transport, redis-py, coredis and valkey-glide: CPU of the client's process.

Run with the others installed beside: ``PYTHONPATH=/path/with/coredis/and/glide python -m bench.redis_clients``.
Refuses to judge features; docs/decisions/0012-a-transport-of-our-own.md does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from redis import asyncio as aioredis

from runtime.settings import RedisSettings
from storage.redis_server import RedisServer
from storage.storage import Storage, connect

SCRIPT = "redis.call('HSET', KEYS[1], 'a', ARGV[1]); return redis.call('HGET', KEYS[1], 'a')"
CALLS = 20_000
CONCURRENT_CALLS = (1, 10, 100)
Run = Callable[[int], Awaitable[object]]


async def measured(run: Run, at_once: int) -> tuple[float, float]:
    """Return microseconds of CPU and of the clock for each call."""
    left = CALLS // 4 if at_once == 1 else CALLS

    async def one_after_the_other(count: int) -> None:
        for number in range(count):
            await run(number)

    await one_after_the_other(50)
    cpu, clock = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one_after_the_other(left // at_once) for _ in range(at_once)))
    done = left // at_once * at_once
    return (time.process_time() - cpu) / done * 1e6, (time.perf_counter() - clock) / done * 1e6


async def ours(url: str, table: Callable[[str, Run], Awaitable[None]]) -> None:
    storage = Storage(connect(RedisSettings.model_validate({"url": url})), {"script": SCRIPT})
    await table("this server's transport", lambda number: storage.run("script", [f"k{number % 50}"], ["x" * 300]))
    await storage.aclose()


async def redis_py(url: str, table: Callable[[str, Run], Awaitable[None]]) -> None:
    pool = aioredis.BlockingConnectionPool.from_url(url, max_connections=64, timeout=5)
    redis = aioredis.Redis.from_pool(pool)
    script = redis.register_script(SCRIPT)
    await table("redis-py, pool of 64", lambda number: script(keys=[f"k{number % 50}"], args=["x" * 300]))
    await redis.aclose()


async def coredis(url: str, table: Callable[[str, Run], Awaitable[None]]) -> None:
    import coredis  # type: ignore[import-not-found]  # installed for the comparison only

    client = coredis.Redis.from_url(url)
    async with client:
        script = client.register_script(SCRIPT)
        await table("coredis", lambda number: script(keys=[f"k{number % 50}"], args=["x" * 300]))


async def glide(url: str, table: Callable[[str, Run], Awaitable[None]]) -> None:
    from glide import (  # type: ignore[import-not-found]  # installed for the comparison only
        GlideClient,
        GlideClientConfiguration,
        NodeAddress,
        Script,
        ServerCredentials,
    )

    parts = urlsplit(url)
    address = [NodeAddress(parts.hostname, parts.port)]
    client = await GlideClient.create(
        GlideClientConfiguration(address, credentials=ServerCredentials(parts.password), request_timeout=5_000)
    )
    script = Script(SCRIPT)
    await table("valkey-glide", lambda number: client.invoke_script(script, keys=[f"k{number % 50}"], args=["x" * 300]))
    await client.close()


async def main() -> None:
    print("| client | " + " | ".join(f"{count} at once: CPU µs (clock µs)" for count in CONCURRENT_CALLS) + " |")

    async def table(name: str, run: Run) -> None:
        cells = [
            f"{cpu:.0f} ({clock:.0f})" for cpu, clock in [await measured(run, count) for count in CONCURRENT_CALLS]
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)

    with RedisServer() as server:
        for client in (ours, redis_py, coredis, glide):
            try:
                await client(server.url, table)
            except ImportError as exc:
                print(f"| {client.__name__} | not installed: {exc.name} |")


if __name__ == "__main__":
    asyncio.run(main())
