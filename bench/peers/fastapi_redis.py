"""FastAPI with redis.asyncio: dependencies check the JWT, the endpoint passes Redis' bytes on without parsing them."""

import os
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from redis import asyncio as aioredis

SECRET = os.environ["BENCH_JWT_SECRET"]
redis = aioredis.Redis.from_pool(
    aioredis.BlockingConnectionPool.from_url(os.environ["BENCH_REDIS_URL"], max_connections=64, timeout=60)
)
app = FastAPI()
bearer = HTTPBearer()


async def account_id(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    try:
        return str(jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"])["sub"])
    except jwt.PyJWTError as exc:
        raise HTTPException(401, "Invalid token") from exc


@app.get("/api/v1/web-knowledge/generate-prompt-async/status/{task_id}/")
async def status(task_id: UUID, account: Annotated[str, Depends(account_id)]) -> Response:
    document = await redis.get(f"generation:{account}:{task_id}")
    if document is None:
        raise HTTPException(404, "Task not found")
    return Response(document, media_type="application/json")
