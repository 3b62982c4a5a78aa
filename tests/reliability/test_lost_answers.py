"""A submit whose answer from Redis is lost, through the shipped nginx: told to try again, or charged, never both."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from storage.scripts import Script, load_scripts
from tests.chaos.clients import START, Client
from tests.chaos.world import Server, World
from tests.deploy.nginx import Nginx
from tests.support.judged_world import in_a_world, settled_tasks
from tests.support.redis_proxy import Proxy
from wiring.storage import SCRIPT_FOLDERS

pytestmark = pytest.mark.slow

SUBMIT = Script.of(load_scripts(SCRIPT_FOLDERS)["submit"])
PROMPT = {"manual_prompt": "Answer for our bakery, 030 1234567."}


@asynccontextmanager
async def behind_nginx(world: World, *servers: Server) -> AsyncIterator[None]:
    ports = [urlsplit(server.url).port or 0 for server in servers]
    with tempfile.TemporaryDirectory() as folder, Nginx(Path(folder), ports) as nginx:
        world.front = nginx.url
        yield
        world.front = ""


async def unfinished(world: World, client: Client) -> int:
    return int(await world.storage.redis.zcard(world.storage.key(client.account_id, "unfinished")))


async def has_settled_down(world: World, client: Client) -> None:
    async with asyncio.timeout(180):
        while await unfinished(world, client):  # noqa: ASYNC110  # another process's state
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "mine"}], ids=["without a key", "with a key"])
def test_a_client_that_tries_again_as_it_is_told_pays_once(headers: dict[str, str]) -> None:
    async def scenario(world: World) -> None:
        async with Proxy(world.redis_port) as proxy:
            server = await world.serve(redis_port=proxy.port, redis__timeout_s=0.5)
            async with behind_nginx(world, server):
                client = await world.client()
                await client.ask("GET", START)
                await world.storage.redis.script_load(SUBMIT.text)  # so that it is not sent twice
                proxy.falls_silent_at = SUBMIT.sha1.encode()
                refused = await client.ask("POST", START, PROMPT, headers=headers)
                assert (refused.status, refused.json["error_code"]) == (503, "storage_unavailable")
                assert await unfinished(world, client) == 1, "the submit had arrived"
                assert ("same Idempotency-Key" in refused.json["error"]) is bool(headers)
                proxy.silent = False
                if not headers:
                    await has_settled_down(world, client)
                    assert await settled_tasks(client) == [], "what was made is cancelled, and nothing is charged"
                again = await client.ask("POST", START, PROMPT, headers=headers)
                assert again.status == 202
                assert (await client.finished(again.json["task_id"]))["status"] == "completed"
                await has_settled_down(world, client)
                assert await settled_tasks(client) == [again.json["task_id"]]

    in_a_world(scenario)


def test_when_nginx_tries_the_next_process_its_answer_holds_and_is_paid_once() -> None:
    async def scenario(world: World) -> None:
        async with Proxy(world.redis_port) as proxy:
            hit = await world.serve(redis_port=proxy.port, redis__timeout_s=0.5)
            well = await world.serve()
            async with behind_nginx(world, hit, well):
                client = await world.client()
                for server in (hit, well):
                    await client.ask("GET", START, url=server.url)
                await world.storage.redis.script_load(SUBMIT.text)  # so that it is not sent twice
                proxy.falls_silent_at = SUBMIT.sha1.encode()
                answers = [await client.ask("POST", START, PROMPT) for _ in range(2)]  # each process is first once
                proxy.silent = False
                assert [answer.status for answer in answers] == [202, 202]
                assert proxy.falls_silent_at == b""
                tasks = [answer.json["task_id"] for answer in answers]
                for task_id in tasks:
                    assert (await client.finished(task_id, within_s=60))["status"] == "completed"
                await has_settled_down(world, client)
                assert sorted(await settled_tasks(client)) == sorted(tasks)

    in_a_world(scenario)
