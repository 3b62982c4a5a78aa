"""Somebody sets the machine's wall clock, forwards or back, under a running server: nothing depends on it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from accounts import ApiKeys
from handlers.paths import BASE as API
from tests.deploy.processes import Process, demo, serve
from tests.storage.redis_clients import opened

CLOCK = Path(__file__).parents[1] / "support" / "wall_clock"
BASE = f"{API}/generate-prompt-async/"
AGE = re.compile(r'^prompt_periodic_work_age_seconds\{work="(\w+)"\} (\S+)$', re.MULTILINE)
DURATION = re.compile(r"^prompt_\w+_seconds_sum(?:\{.*\})? (\S+)$", re.MULTILINE)


@dataclass
class Stepped:
    """A server whose wall clock can be set."""

    url: str
    facts: dict[str, str]
    offset: Path
    server: Process

    def step(self, seconds: float) -> None:
        self.offset.write_text(str(seconds))

    async def ask(self, method: str, path: str, body: object = None, key: str = "") -> HTTPResponse:
        headers = {"Authorization": f"Bearer {key or self.facts['api_key']}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = HTTPRequest(self.url + path, method, headers, data, request_timeout=120)
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    async def metrics(self) -> str:
        return (await self.ask("GET", "/metrics")).body.decode()


@pytest.fixture
def stepped(tmp_path: Path) -> Iterator[Stepped]:
    with demo(tmp_path / "demo", gemini_delay_s=3) as brings_redis:
        facts = brings_redis.start()
        offset = tmp_path / "offset"
        offset.write_text("0")
        server = serve(tmp_path / "server", 0, facts)
        server.environment |= {
            "PYTHONPATH": str(CLOCK),
            "WALL_CLOCK_OFFSET": str(offset),
            "PROMPT_REDIS__KEY_PREFIX": "pg",
            "PROMPT_TASKS__RENEW_EVERY_S": "1.7",
            "PROMPT_TASKS__REAP_EVERY_S": "1.7",
            "PROMPT_IDENTITY__KEY_RECHECK_S": "1",
        }
        with server:
            yield Stepped(server.start()["url"], facts, offset, server)


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 60.0) -> bool:
    ends_at = asyncio.get_running_loop().time() + within_s
    while asyncio.get_running_loop().time() < ends_at:
        if await condition():
            return True
        await asyncio.sleep(0.1)
    return False


async def turns_of_each_work(stepped: Stepped, turns: int) -> dict[str, int]:
    """Watch the ages until each has begun anew that often, or time is up."""
    seen: dict[str, float] = {}
    anew: dict[str, int] = {}

    async def enough() -> bool:
        for name, text in AGE.findall(await stepped.metrics()):
            anew[name] = anew.get(name, 0) + (float(text) < seen.get(name, 0.0))
            seen[name] = float(text)
        return min(anew.values()) >= turns

    await until(enough, within_s=60)
    return anew


@pytest.mark.gen_test
@pytest.mark.parametrize("seconds", [-3_600, 3_600, -400 * 86_400], ids=["an hour back", "an hour on", "a year back"])
async def test_a_step_of_the_wall_clock_changes_nothing(stepped: Stepped, seconds: float) -> None:
    async with opened(stepped.facts["redis_url"]) as storage:
        keys = ApiKeys(storage)
        second = await keys.create(stepped.facts["account_id"])
        assert (await stepped.ask("GET", BASE, key=second.key)).code == 200
        started = await stepped.ask("POST", BASE, {"manual_prompt": "Answer for the bakery, 030 1234567."})
        task_id = json.loads(started.body)["task_id"]

        stepped.step(seconds)
        date = parsedate_to_datetime((await stepped.ask("GET", "/nowhere")).headers["Date"])
        assert abs(date.timestamp() - time.time() - seconds) < 600, "the server sees the step"

        anew = await turns_of_each_work(stepped, 3)
        assert set(anew) == {"renewal", "reaper"}
        assert min(anew.values()) >= 3, "leases are renewed and looked after as before"
        await keys.revoke(stepped.facts["account_id"], second.key_id)

        async def refused() -> bool:
            return (await stepped.ask("GET", BASE, key=second.key)).code == 401

        assert await until(refused), "a revoked key stops working"
        document: dict[str, Any] = {}

        async def ended() -> bool:
            answer = await stepped.ask("GET", f"{BASE}status/{task_id}/")
            document.update(json.loads(answer.body))
            return document["status"] in ("completed", "failed")

        assert await until(ended, within_s=60)
        assert document["generated_by_ai"] is True
    assert (await stepped.ask("GET", "/health/ready")).code == 200
    durations = [float(text) for text in DURATION.findall(await stepped.metrics())]
    assert durations
    assert all(0 <= duration < 600 for duration in durations)
    assert await asyncio.to_thread(stepped.server.stop) == 0
    assert "task_taken_over" not in stepped.server.log()
