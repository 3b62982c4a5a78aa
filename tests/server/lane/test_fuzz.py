"""A short run of ``fuzz.py``: streams that browsers never send, with the lane, without it, and to plain Tornado."""

from __future__ import annotations

import os

import pytest

from storage.redis_server import RedisServer
from tests.server.lane.fuzz import differences, open_servers

CASES = int(os.environ.get("FUZZ_CASES", "200"))


@pytest.mark.gen_test(timeout=240 + CASES / 20)
@pytest.mark.parametrize("seed", [20261123])
async def test_the_lane_answers_every_stream_as_plain_tornado_does(redis_server: RedisServer, seed: int) -> None:
    async with open_servers(redis_server.url) as servers:
        assert await differences(servers, cases=CASES, seed=seed) == []
        assert servers.by_lane > CASES / 4
