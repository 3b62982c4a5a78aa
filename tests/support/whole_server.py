"""Fixtures: the whole server on a test's own IOLoop: real Redis, real HTTP, the stand-in for Gemini."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.web import Application

from accounts import Accounts, ApiKeys
from composition import Service, compose
from handlers.paths import BASE as BASE
from runtime.configuration import load_settings
from runtime.settings import Settings
from standin import serve_standin
from storage.redis_server import RedisServer
from tests.support.http_reply import HttpReply
from tests.support.storage import PATIENT_S, OpenStorage

STANDIN_KEY = "a-key-for-tests"
START = f"{BASE}/generate-prompt-async/"
SYNCHRONOUS = f"{BASE}/generate-prompt/"


@dataclass
class Client:
    """Speaks for one account with one API key."""

    base_url: str
    http: AsyncHTTPClient
    account_id: str
    api_key: str

    async def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> HttpReply:
        """``body``: bytes as they are, anything else as JSON. A header given as '' is left out."""
        raw = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        sent = {"Authorization": f"Bearer {self.api_key}"} | ({"Content-Type": "application/json"} if raw else {})
        sent |= headers or {}
        request = HTTPRequest(
            self.base_url + path,
            method,
            {name: value for name, value in sent.items() if value},
            raw if raw is not None else (b"" if method == "POST" else None),
            allow_nonstandard_methods=True,
            follow_redirects=False,
            request_timeout=120,
        )
        response: HTTPResponse = await self.http.fetch(request, raise_error=False)
        return HttpReply(response.code, response.headers, response.body)

    async def start(self, manual_prompt: str, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.ask("POST", START, {"manual_prompt": manual_prompt}, headers=named)
        assert answer.status == 202, answer.body
        return str(answer.json["task_id"])

    async def status(self, task_id: str, query: str = "") -> HttpReply:
        return await self.ask("GET", f"{START}status/{task_id}/{query}")

    async def finished(self, task_id: str) -> dict[str, Any]:
        """Wait for the terminal document."""
        version = 0
        while True:
            answer = await self.status(task_id, f"?wait=20&after={version}")
            assert answer.status == 200, answer.body
            if answer.json["status"] in ("completed", "failed"):
                return answer.json
            version = answer.json["version"]


@pytest.fixture
def changes(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """Settings of one test: ``@pytest.mark.settings(limits={"…": 1})``."""
    marker = request.node.get_closest_marker("settings")
    return dict(marker.kwargs) if marker else {}


@pytest.fixture
def stack(io_loop: Any) -> Iterator[AsyncExitStack]:
    stack = AsyncExitStack()
    yield stack
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def standin(io_loop: Any, stack: AsyncExitStack) -> Any:
    return io_loop.run_sync(lambda: stack.enter_async_context(serve_standin(api_key=STANDIN_KEY)))


@pytest.fixture
def settings(redis_server: RedisServer, key_prefix: str, standin: Any, changes: dict[str, dict[str, Any]]) -> Settings:
    sections: dict[str, dict[str, Any]] = {
        "redis": {"url": redis_server.url, "key_prefix": key_prefix, "timeout_s": PATIENT_S},
        "gemini": {"base_url": standin.url, "api_key": STANDIN_KEY, "retry_base_s": 0.01, "retry_max_s": 0.05},
    }
    for name, section in changes.items():
        sections[name] = sections.get(name, {}) | section
    return load_settings(None, sections)


@pytest.fixture
def service(io_loop: Any, stack: AsyncExitStack, settings: Settings) -> Service:
    service: Service = io_loop.run_sync(lambda: compose(settings, stack))
    return service


@pytest.fixture
def app(service: Service) -> Application:
    return service.app


@pytest.fixture
def client(io_loop: Any, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage) -> Client:
    """A client of an account with a subscription and 100,000 tokens."""
    made: Client = io_loop.run_sync(lambda: make_client(storage, http_client, base_url, tokens=100_000))
    return made


async def make_client(storage: OpenStorage, http: AsyncHTTPClient, base_url: str, **account: Any) -> Client:
    """Create an account with a key; return its client."""
    made = await Accounts(storage).create(**({"subscription_days": 30} | account))
    key = await ApiKeys(storage).create(made.account_id, "test")
    return Client(base_url, http, made.account_id, key.key)
