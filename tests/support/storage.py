"""A storage as the server composes it, with a redis-py client of the same server beside it, for what tests change."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from redis import asyncio as aioredis

from runtime.settings import RedisSettings
from storage.storage import Storage, connect
from wiring.storage import RECORD_KINDS, scripts

PATIENT_S = 20.0  # for a call: how fast the machine is decides nothing where no server is away


class OpenStorage(Storage):
    """``redis`` is connected when it is first used; ``aclose`` closes both. ``timeout_s`` is the storage's."""

    def __init__(self, url: str, *, timeout_s: float = PATIENT_S, **options: Any) -> None:
        settings = RedisSettings(url=SecretStr(url), timeout_s=timeout_s)
        super().__init__(connect(settings), scripts(), **{"kinds": RECORD_KINDS, **options})
        self.url = url
        self.redis = aioredis.Redis.from_url(url if "+" not in url else "redis://127.0.0.1:1")  # only for one server

    async def aclose(self) -> None:
        await super().aclose()
        await self.redis.aclose()
