"""What ``/metrics`` says while the server is at work, read from a whole server."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from tests.support.metrics_page import page, until_it_says, value
from tests.support.raw_http import connected, request
from tests.support.whole_server import START, Client

SLOW = "Write a menu. [[standin:delay=30]]"


@pytest.mark.gen_test
async def test_it_shows_the_requests_to_gemini_and_the_streams_that_are_open_and_how_many_may_be(
    client: Client,
) -> None:
    task_id = await client.start(SLOW)
    await until_it_says(client, 1, "prompt_gemini_requests_open")
    text = await page(client)
    assert value(text, "prompt_gemini_requests_open_limit") == 1_000
    assert value(text, "prompt_tasks_unfinished", state="running") == 1
    assert value(text, "prompt_tasks_unfinished_limit", state="running") > 1
    assert value(text, "prompt_redis_masters", state="connected") == 1
    assert value(text, "prompt_redis_masters", state="away") == 0
    async with connected(("127.0.0.1", urlsplit(client.base_url).port or 0)) as wire:
        wire.writer.write(request("GET", f"{START}events/{task_id}/", f"Bearer {client.api_key}"))
        await until_it_says(client, 1, "prompt_http_waits_open", kind="stream")
    waiting = asyncio.create_task(client.status(task_id, "?wait=20&after=999"))
    await until_it_says(client, 1, "prompt_http_waits_open", kind="poll")
    await client.ask("POST", f"{START}cancel/{task_id}/")
    await waiting
    for name in ("prompt_gemini_requests_open", "prompt_http_waits_open", "prompt_tasks_unfinished"):
        await until_it_says(client, 0, name)


@pytest.mark.gen_test
async def test_a_generation_counts_its_first_text_and_its_tokens_by_kind_and_model(client: Client) -> None:
    document = await client.finished(await client.start("Write a menu with 12 dishes."))
    await until_it_says(client, 1, "prompt_first_text_seconds_count")
    text = await page(client)
    assert 0 < value(text, "prompt_first_text_seconds_sum") <= value(text, "prompt_task_duration_seconds_sum")
    charged = value(text, "prompt_tokens_charged_total")
    assert value(text, "prompt_gemini_tokens_total", model="gemini-3.8-flash") == charged > 0, document
    assert value(text, "prompt_fidelity_total") == 1


@pytest.mark.gen_test
async def test_the_event_loop_s_lag_is_looked_at_while_it_turns(client: Client) -> None:
    before = value(await page(client), "prompt_event_loop_lag_seconds_count")

    async def looked_again() -> bool:
        return value(await page(client), "prompt_event_loop_lag_seconds_count") > before + 2

    async with asyncio.timeout(180):
        while not await looked_again():  # noqa: ASYNC110  # the page is asked, it tells nobody
            await asyncio.sleep(0.1)


@pytest.mark.gen_test
async def test_prometheus_own_linter_finds_nothing_to_say(client: Client) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is missing: Debian's package prometheus has it")
        pytest.skip("needs promtool, which Debian's package prometheus has")
    await client.finished(await client.start("Write a menu with 12 dishes."))
    text = await page(client)
    linted = subprocess.run(  # noqa: ASYNC221  # nothing else runs here
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=180, check=False
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")
