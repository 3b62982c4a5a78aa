"""Text is written to Redis as fast as somebody reads, on any process, and hardly at all when nobody does."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from composition import Service
from generation.lease_index import TaskRef
from generation.readers import KNOWN_FOR_S, READ_EVERY_S, UNREAD_AFTER_S, Readers
from generation.status_copy import StatusCopy
from tests.support.storage import OpenStorage
from tests.support.whole_server import BASE, Client, app, changes, client, service, settings, stack, standin

__all__ = ["app", "changes", "client", "service", "settings", "stack", "standin"]

MANUAL = "You are the assistant of Bakery Sonne, Main Street 5. Open 7-18. Call +49 30 1234567."


async def chunks(storage: OpenStorage, client: Client, task_id: str) -> list[bytes]:
    entries: Any = await storage.redis.xrange(storage.key(client.account_id, "events", task_id))
    return [fields[b"chunk"] for _, fields in entries if b"chunk" in fields]


@pytest.mark.gen_test
async def test_nobody_reading_a_long_answer_costs_few_writes_and_the_result_is_whole(
    client: Client, storage: OpenStorage
) -> None:
    task_id = await client.start(f"{MANUAL} [[standin:tokens_per_second=20]]")
    final = await client.finished(task_id)
    assert (final["status"], final["generated_by_ai"]) == ("completed", True)
    assert 1 <= len(await chunks(storage, client, task_id)) <= len(UNREAD_AFTER_S) == 6


@pytest.mark.gen_test
async def test_who_comes_in_the_middle_gets_the_text_so_far_before_the_next_write_is_due(
    client: Client, storage: OpenStorage, http_client: AsyncHTTPClient
) -> None:
    task_id = await client.start(f"{MANUAL} [[standin:tokens_per_second=20]]")
    while not await chunks(storage, client, task_id):  # noqa: ASYNC110  # the server's
        await asyncio.sleep(0.02)
    told: list[tuple[float, str]] = []

    def streamed(data: bytes) -> None:
        told.extend((time.monotonic(), line) for line in data.decode().splitlines() if line.startswith("event: "))

    await http_client.fetch(
        f"{client.base_url}{BASE}/generate-prompt-async/events/{task_id}/",
        headers={"Authorization": f"Bearer {client.api_key}"},
        streaming_callback=streamed,
        request_timeout=120,
    )
    written = await chunks(storage, client, task_id)
    assert len(written) > len(UNREAD_AFTER_S)
    assert [line for _, line in told].count("event: chunk") == len(written)


@pytest.mark.gen_test
async def test_a_reader_in_another_process_is_heard_of_at_once(
    client: Client, storage: OpenStorage, service: Service
) -> None:
    copy = service.polls._copy
    readers, task = Readers(storage, copy), TaskRef(client.account_id, "t")
    with readers.pace(task) as pace:
        assert pace.followed  # for all that is known
        assert await pace.until_wanted()  # the first piece, for those who will come
        assert not pace.followed
        waiting = asyncio.create_task(pace.until_wanted())
        await asyncio.sleep(2 * READ_EVERY_S)
        assert not waiting.done()
        other = StatusCopy(storage, entries=10)
        async with other:
            await Readers(storage, other).note(task)
            assert await asyncio.wait_for(waiting, UNREAD_AFTER_S[1] / 2)
            assert pace.followed
            assert await asyncio.wait_for(pace.until_wanted(), UNREAD_AFTER_S[1] / 2)
    left_ms = await storage.redis.pttl(storage.key(client.account_id, "readers", "t"))
    assert 0 < left_ms <= KNOWN_FOR_S * 1000


@pytest.mark.gen_test
async def test_an_end_waits_for_nobody_and_is_written_for_readers_only(
    client: Client, storage: OpenStorage, service: Service
) -> None:
    copy = service.polls._copy
    readers = Readers(storage, copy)
    for name, read in (("a", False), ("b", True)):
        task = TaskRef(client.account_id, name)
        if read:
            await readers.note(task)
        with readers.pace(task) as pace:
            assert await pace.until_wanted()
            waiting: Any = asyncio.create_task(pace.until_wanted())
            await asyncio.sleep(0)
            pace.end()
            assert await waiting is read
