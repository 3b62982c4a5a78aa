"""The operators' table of situations names the series that show them: each is produced, and the series read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.storage import OpenStorage
from tests.support.whole_server import Client, make_client

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text().partition("## What to do when")[2]
RATE_LIMITED = 'prompt_gemini_attempt_duration_seconds_count{outcome="RateLimited"}'
BREAKER_OPEN = 'prompt_gemini_breaker_state{state="open"}'
UNAVAILABLE = 'prompt_gemini_model_unavailable{model="gemini-3.8-flash"}'
INSUFFICIENT = 'prompt_tasks_finished_total{outcome="failed",error_code="insufficient_tokens"}'
SETTINGS = pytest.mark.settings(
    gemini={"model": "gemini-3.8-flash", "tries": 1, "breaker_failures": 3, "breaker_open_s": 300}
)


async def until_above_zero(client: Client, named: str) -> None:
    """Read /metrics until the series that the page names is above zero, in whatever order its labels come."""
    assert named in PAGE
    name, _, inner = named.rstrip("}").partition("{")
    labels = inner.split(",")
    while True:
        lines = (await client.ask("GET", "/metrics")).body.decode().splitlines()
        found = [line for line in lines if line.startswith(name + "{") and all(each in line for each in labels)]
        assert found, f"no series {named}"
        if any(float(line.rpartition(" ")[2]) > 0 for line in found):
            return
        await asyncio.sleep(0.2)


@SETTINGS
@pytest.mark.gen_test
async def test_answers_of_a_gemini_that_limits_the_rate_are_counted(client: Client) -> None:
    await client.finished(await client.start("Answer for our bakery. [[standin:fault=rate_limited]]"))
    await until_above_zero(client, RATE_LIMITED)


@SETTINGS
@pytest.mark.gen_test
async def test_a_breaker_that_opens_is_seen(client: Client, http_client: AsyncHTTPClient, storage: OpenStorage) -> None:
    other = await make_client(storage, http_client, client.base_url, tokens=100_000)
    for speaker in (client, other, client, other, client):
        await speaker.finished(await speaker.start("Answer for our bakery. [[standin:fault=overloaded]]"))
    await until_above_zero(client, BREAKER_OPEN)


@pytest.mark.gen_test
async def test_a_model_that_google_no_longer_has_is_seen_though_another_answers(client: Client) -> None:
    prompt = "Answer for our bakery. [[standin:fault=not_found,model=gemini-3.8-flash]]"
    ended = await client.finished(await client.start(prompt))
    assert (ended["generated_by_ai"], ended["model"]) == (True, "gemini-3.6-flash")
    await until_above_zero(client, UNAVAILABLE)


@SETTINGS
@pytest.mark.gen_test
async def test_a_task_that_its_account_cannot_pay_is_counted(
    client: Client, http_client: AsyncHTTPClient, storage: OpenStorage
) -> None:
    poor = await make_client(storage, http_client, client.base_url, tokens=250)
    await poor.finished(await poor.start("Answer for our bakery."))
    await until_above_zero(client, INSUFFICIENT)
