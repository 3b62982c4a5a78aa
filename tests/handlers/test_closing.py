"""How a process ends: what it still runs is handed to another one; ``io_loop`` looks for leftovers."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from generation.lease_index import LeaseIndex, TaskRef, shard_of
from storage.storage import Storage
from tests.support.whole_server import Client


@pytest.mark.gen_test
async def test_what_still_runs_when_all_is_closed_is_handed_back(
    client: Client, stack: AsyncExitStack, storage: Storage
) -> None:
    task_id = await client.start("Write a menu. [[standin:delay=30]]")
    await client.status(task_id, "?wait=20&after=4")
    await stack.aclose()
    index, shard = LeaseIndex(storage), shard_of(client.account_id)
    assert await index.take_due(shard, 10) == [TaskRef(client.account_id, task_id)]
