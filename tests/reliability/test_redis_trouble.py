"""Redis away, slow, full, forgetful: submits are refused, polls never lie, results wait."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from tests.chaos.clients import Client
from tests.chaos.world import World
from tests.deploy.processes import ROOT
from tests.support.judged_world import at_progress, in_a_world, settled_tasks, slow_prompt
from tests.support.redis_proxy import Proxy

pytestmark = pytest.mark.slow


async def normal_again(client: Client) -> None:
    """Submit until it is accepted."""
    async with asyncio.timeout(180):
        while (await client.submit_once(slow_prompt(0))).status != 202:  # noqa: ASYNC110  # another process's state
            await asyncio.sleep(0.05)


def test_redis_away_in_the_middle_loses_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client()
        done = await client.submit(slow_prompt(0))
        final = await client.finished(done)
        running = await client.submit(slow_prompt(1))
        await at_progress(client, running, 70)
        await asyncio.to_thread(world.redis.kill)
        refused = await client.submit_once(slow_prompt(0))
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert await client.poll(done) == final  # a terminal document is known for certain
        unsure = await client.ask("GET", f"/api/v1/web-knowledge/generate-prompt-async/status/{running}/")
        assert unsure.status in (200, 503)
        ready = await client.ask("GET", "/health/ready")
        assert ready.status == 503
        await asyncio.to_thread(world.redis.start)
        await normal_again(client)
        assert (await client.finished(running))["status"] == "completed"

    in_a_world(scenario)


def test_a_synchronous_request_outlives_an_outage_and_is_paid_once() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client()
        body = {"manual_prompt": slow_prompt(2)}
        asked = asyncio.create_task(client.ask("POST", "/api/v1/web-knowledge/generate-prompt/", body, timeout_s=30))
        await asyncio.sleep(1)
        await asyncio.to_thread(world.redis.kill)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(world.redis.start)
        answer = await asked
        assert answer.status == 200
        assert await settled_tasks(client) == [answer.json["task_id"]]

    in_a_world(scenario)


def test_a_submit_whose_answer_is_lost_is_cancelled_when_its_client_has_no_key() -> None:
    async def scenario(world: World) -> None:
        async with Proxy(world.redis_port) as proxy:
            await world.serve(redis_port=proxy.port, redis__timeout_s=0.5)
            client = await world.client()
            await client.finished(await client.submit(slow_prompt(0)))
            paid = await settled_tasks(client)
            proxy.silent = True
            refused = await client.ask(
                "POST", "/api/v1/web-knowledge/generate-prompt-async/", {"manual_prompt": slow_prompt(0)}
            )
            assert refused.status == 503
            proxy.silent = False
            account = world.storage.key(client.account_id, "unfinished")
            async with asyncio.timeout(180):
                while await world.storage.redis.zcard(account):  # noqa: ASYNC110  # another process's state
                    await asyncio.sleep(0.05)
            assert await settled_tasks(client) == paid

    in_a_world(scenario)


def test_forgotten_scripts_are_loaded_again() -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client()
        for _ in range(3):
            await world.storage.redis.script_flush()
            assert (await client.finished(await client.submit(slow_prompt(0))))["status"] == "completed"

    in_a_world(scenario)


@pytest.mark.parametrize(
    ("sets", "resets"),
    [
        (("maxmemory", "1"), ("maxmemory", "0")),
        (("min-replicas-to-write", "1"), ("min-replicas-to-write", "0")),
    ],
)
def test_a_redis_that_refuses_to_write_refuses_submits(sets: tuple[str, str], resets: tuple[str, str]) -> None:
    async def scenario(world: World) -> None:
        await world.serve()
        client = await world.client()
        final = await client.finished(await client.submit(slow_prompt(0)))
        running = await client.submit(slow_prompt(1))
        await at_progress(client, running, 70)
        await world.storage.redis.config_set(*sets)
        refused = await client.submit_once(slow_prompt(0))
        assert (refused.status, refused.json["error_code"]) == (503, "storage_unavailable")
        assert await client.poll(final["task_id"]) == final
        await world.storage.redis.config_set(*resets)
        await normal_again(client)
        assert (await client.finished(running))["status"] == "completed"

    in_a_world(scenario)


def test_a_redis_that_is_away_at_the_start_is_waited_for_and_then_named() -> None:
    done = subprocess.run(
        [sys.executable, "main.py", "serve", "--port", "0"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "PROMPT_REDIS__URL": "redis://127.0.0.1:1/0",
            "PROMPT_REDIS__START_TIMEOUT_S": "1",
            "GEMINI_API_KEY": "x",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 1
    assert "waiting_for_redis" in done.stderr
    assert "Redis at redis://127.0.0.1:1/0 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_while_redis_is_waited_for_ends_the_process_with_0() -> None:
    process = subprocess.Popen(
        [sys.executable, "main.py", "serve", "--port", "0"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "PROMPT_REDIS__URL": "redis://127.0.0.1:1/0",
            "PROMPT_REDIS__START_TIMEOUT_S": "600",
            "PROMPT_LOGS__FORMAT": "json",
            "GEMINI_API_KEY": "x",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr:
        assert any("waiting_for_redis" in line for line in process.stderr)
        process.terminate()
        assert "stopped_while_starting" in process.stderr.read()
        assert process.wait(timeout=180) == 0
