"""The simplest solution in Tornado: a RequestHandler that checks the JWT and asks Redis at every poll."""

import asyncio
import json
import os
from typing import Any

import jwt
from redis import asyncio as aioredis
from tornado.web import Application, HTTPError, RequestHandler

SECRET = os.environ["BENCH_JWT_SECRET"]


class StatusHandler(RequestHandler):
    def initialize(self, redis: aioredis.Redis) -> None:
        self.redis = redis

    def prepare(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme != "Bearer":
                raise HTTPError(401)
            self.account_id = jwt.decode(token, SECRET, algorithms=["HS256"])["sub"]
        except jwt.PyJWTError as exc:
            raise HTTPError(401) from exc

    async def get(self, task_id: str) -> None:
        document = await self.redis.get(f"generation:{self.account_id}:{task_id}")
        if document is None:
            raise HTTPError(404)
        self.set_header("Content-Type", "application/json")
        self.write(document)

    def write_error(self, _status_code: int, **_kwargs: Any) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"success": False, "message": self._reason}))


async def main() -> None:
    redis = aioredis.Redis.from_pool(
        aioredis.BlockingConnectionPool.from_url(os.environ["BENCH_REDIS_URL"], max_connections=64, timeout=60)
    )
    path = r"/api/v1/web-knowledge/generate-prompt-async/status/([0-9a-f-]{36})/"
    app = Application([(path, StatusHandler, {"redis": redis})], log_function=lambda _handler: None)
    app.listen(int(os.environ["BENCH_PORT"]), "127.0.0.1", backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
