"""A server under test twice, with the express lane and without, and one account with a key."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tornado.netutil import bind_sockets

from accounts import Accounts, ApiKeys
from composition import Service
from runtime.settings import Settings
from tests.support.raw_http import RawAnswer, RawConnection, document, new_task_id, poll
from tests.support.storage import OpenStorage

LANE, TORNADO = True, False
ORIGIN = "https://app.example"
SECRET = "a secret of the tests that is long enough"


@pytest.fixture
def silent_jwks_url() -> Iterator[str]:
    """An identity provider that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/"


@pytest.fixture(params=[LANE, TORNADO], ids=["lane", "tornado"])
def changes(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """Settings of one test: ``@pytest.mark.settings(limits={"…": 1})``, and the handler."""
    marker = request.node.get_closest_marker("settings")
    sections = {name: dict(section) for name, section in marker.kwargs.items()} if marker else {}
    if "silent_jwks_url" in request.fixturenames:
        jwks_url = request.getfixturevalue("silent_jwks_url")
        sections["identity"] = {"jwt": {"algorithm": "ES256", "jwks_url": jwks_url}}
    sections.setdefault("server", {})["express_lane"] = request.param
    sections.setdefault("limits", {}).setdefault("polls_per_second_per_account", 0)
    return sections


@dataclass
class House:
    """The server under test and one account with a key."""

    service: Service
    settings: Settings
    storage: OpenStorage
    address: tuple[str, int]
    account_id: str
    key_id: str
    authorization: str

    @property
    def by_lane(self) -> int:
        """How many polls were answered without Tornado so far."""
        return sum(count for (by, _), count in self.service.polls.counts.items() if by == "lane")

    async def write(self, task_id: str, body: bytes, ttl_s: float = 600, account_id: str = "") -> None:
        key = self.storage.key(account_id or self.account_id, "status", task_id)
        await self.storage.redis.set(key, body, px=int(1000 * ttl_s))

    async def task(self, body: bytes = b"") -> str:
        task_id = new_task_id()
        await self.write(task_id, body or document())
        return task_id

    def poll(self, task_id: str, *extra: tuple[str, str]) -> bytes:
        return poll(task_id, self.authorization, *extra)


@pytest.fixture
def house(io_loop: Any, service: Service, settings: Settings, storage: OpenStorage) -> House:
    async def build() -> House:
        made = await Accounts(storage).create(tokens=10_000, subscription_days=30)
        key = await ApiKeys(storage).create(made.account_id, "test")
        sockets = bind_sockets(0, "127.0.0.1")
        service.connections.add_sockets(sockets)
        address = sockets[0].getsockname()
        return House(service, settings, storage, address, made.account_id, key.key_id, f"Bearer {key.key}")

    built: House = io_loop.run_sync(build)
    return built


async def until(condition: Callable[[], object], within_s: float = 90.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # it may be any condition
            await asyncio.sleep(0.005)


async def polled(house: House, wire: RawConnection, *requests: bytes, times: int = 4) -> list[RawAnswer]:
    """Send the requests one after the other, again and again."""
    return [await wire.ask(each) for _ in range(times) for each in requests]


def lane(house: House) -> bool:
    return house.settings.server.express_lane
