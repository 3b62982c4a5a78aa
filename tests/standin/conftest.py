"""Fixtures of this room: a running stand-in, and somebody who asks it plainly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from standin import Standin, serve_standin

KEY = "a-key-for-tests"
DRAFT = "Sell bread at Bakery Sonne, Main St. 5. Call +49 30 1234567."


@dataclass
class Client:
    """Asks the stand-in over HTTP."""

    session: aiohttp.ClientSession
    url: str

    async def ask(
        self,
        text: str = DRAFT,
        method: str = "streamGenerateContent?alt=sse",
        *,
        path: str = "v1beta/models/gemini-flash-latest",
        key: str = KEY,
        body: Any = None,
        **headers: str,
    ) -> tuple[int, bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | (
            {"x-goog-api-key": key} if key else {}
        )
        content = body if body is not None else {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        async with self.session.post(f"{self.url}/{path}:{method}", data=data, headers=sent) as response:
            return response.status, await response.read()

    async def control(self, method: str = "GET", body: Any = None) -> tuple[int, dict[str, Any]]:
        async with self.session.request(method, f"{self.url}/standin/", json=body) as response:
            return response.status, await response.json()


@pytest.fixture
def stack(io_loop: Any) -> Iterator[AsyncExitStack]:
    stack = AsyncExitStack()
    yield stack
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def standin(io_loop: Any, stack: AsyncExitStack) -> Standin:
    made: Standin = io_loop.run_sync(lambda: stack.enter_async_context(serve_standin(api_key=KEY)))
    return made


@pytest.fixture
def client(io_loop: Any, stack: AsyncExitStack, standin: Standin) -> Client:
    async def open_session() -> aiohttp.ClientSession:
        return await stack.enter_async_context(aiohttp.ClientSession())

    return Client(io_loop.run_sync(open_session), standin.url)


def events(body: bytes) -> list[Any]:
    """Return the values of a stream as Google frames it."""
    return [json.loads(event.removeprefix(b"data: ")) for event in body.split(b"\r\n\r\n") if event]


def words(values: list[Any]) -> str:
    parts = [part for value in values for part in value["candidates"][0]["content"].get("parts", [])]
    return "".join(part["text"] for part in parts if not part.get("thought"))
