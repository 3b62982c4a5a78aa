"""FastAPI that asks Celery's result backend, as FastAPI-with-Celery tutorials do: AsyncResult in a plain endpoint."""

import os
from typing import Annotated, Any
from uuid import UUID

import jwt
from celery import Celery
from celery.result import AsyncResult
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

SECRET = os.environ["BENCH_JWT_SECRET"]
celery = Celery("bench", broker=os.environ["BENCH_REDIS_URL"], backend=os.environ["BENCH_REDIS_URL"])
app = FastAPI()
bearer = HTTPBearer()


async def account_id(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    try:
        return str(jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"])["sub"])
    except jwt.PyJWTError as exc:
        raise HTTPException(401, "Invalid token") from exc


@app.get("/api/v1/web-knowledge/generate-prompt-async/status/{task_id}/")
def status(task_id: UUID, account: Annotated[str, Depends(account_id)]) -> Any:
    # One read for state and result; `.state` and `.info` one after the other would be two.
    result = AsyncResult(str(task_id), app=celery)
    meta = result.backend.get_task_meta(result.id)["result"]
    if meta is None or meta["account"] != account:
        raise HTTPException(404, "Task not found")
    return meta["document"]
