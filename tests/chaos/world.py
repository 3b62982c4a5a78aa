"""The things that faults happen to: a Redis, a stand-in for Gemini, and processes of the server.

Owns their starts and ends; refuses to know what is asked of them and what must be true of the answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp

from accounts import Accounts, ApiKeys
from storage.redis_server import RedisServer
from tests.chaos.clients import Client
from tests.chaos.witness import Witness
from tests.deploy.processes import STANDIN_KEY, Process
from tests.support.storage import OpenStorage
from tests.support.warm_start import run_main

# A tenth of the real times, so that many takeovers fit into one run. Some runs keep the real ones.
SHORT_LEASES: Mapping[str, Any] = {"tasks__lease_s": 2.5, "tasks__renew_every_s": 0.5, "tasks__reap_every_s": 0.5}
REAL_LEASES: Mapping[str, Any] = {"tasks__lease_s": 15.0, "tasks__renew_every_s": 3.0, "tasks__reap_every_s": 5.0}

LONGEST_S = 1_800.0  # of a run; documents are kept longer, so that every task can be judged at its end


class Masters(Protocol):
    """Redis servers that clients find by ``url``."""

    url: str


class Server:
    """One process of ``main.py serve``. ``url`` is where it listens; ``alive`` whether it should answer."""

    def __init__(self, folder: Path, environment: dict[str, str], arguments: list[str]) -> None:
        folder.mkdir(parents=True)
        self.process = Process(folder, ["serve", *arguments], environment)
        self.url = ""
        self.alive = False

    async def start(self) -> None:
        facts = await asyncio.to_thread(self.process.start)
        self.url = facts["url"]
        self.alive = True

    async def kill(self) -> None:
        """End it as kill -9 does."""
        self.alive = False
        self.process.send(signal.SIGKILL)
        await asyncio.to_thread(self.process.wait)

    async def stop(self) -> int:
        """Ask it to drain; return its exit code."""
        self.alive = False
        self.process.send(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait)

    def freeze(self) -> None:
        """Stop it where it stands; its sockets stay open and silent."""
        self.alive = False
        self.process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send(signal.SIGCONT)
        self.alive = True


class Standin:
    """The stand-in for Gemini, in a process of its own."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        folder.mkdir()
        self._process = Process(folder, ["gemini-standin", "--api-key", STANDIN_KEY])
        self._session = session
        self.url = ""

    async def start(self) -> None:
        self.url = (await asyncio.to_thread(self._process.start))["url"]

    async def counters(self) -> dict[str, Any]:
        """Return what it counted so far, and what is open now."""
        async with self._session.get(f"{self.url}/standin/") as answer:
            counters: dict[str, Any] = await answer.json()
            return counters

    async def behave(self, **behaviour: Any) -> None:
        """Behave like this from now on; nothing given is a good one."""
        async with self._session.post(f"{self.url}/standin/", json=behaviour) as answer:
            assert answer.status == 200, await answer.text()

    async def stop(self) -> None:
        self._process.send(signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)


class World:
    """What one run works with. Servers share its Redis and its stand-in; accounts are made on the Redis directly.

    ``masters`` are whatever servers ``redis_url`` names; without them it is ``redis``.
    """

    def __init__(
        self,
        folder: Path,
        redis: RedisServer,
        session: aiohttp.ClientSession,
        settings: Mapping[str, Any],
        masters: Masters | None = None,
    ) -> None:
        self.folder = folder
        self.redis = redis
        self.redis_url = masters.url if masters else redis.url
        self.session = session
        self.settings = settings
        self.standin = Standin(folder / "standin", session)
        self.servers: list[Server] = []
        self.front = ""
        self.witness = Witness()
        self.storage = OpenStorage(self.redis_url, timeout_s=30)
        self.accounts = Accounts(self.storage)

    async def serve(self, *, redis_port: int = 0, arguments: list[str] | None = None, **settings: Any) -> Server:
        """Start one more server; ``redis_port`` is a proxy's, ``settings`` such as ``tasks__lease_s=2``."""
        server = self.server(redis_port=redis_port, arguments=arguments, **settings)
        await server.start()
        return server

    def server(self, *, redis_port: int = 0, arguments: list[str] | None = None, **settings: Any) -> Server:
        """Make one more server that is not started yet."""
        redis_url = self.redis_url
        if redis_port:
            redis_url = redis_url.replace(f":{self.redis_port}/", f":{redis_port}/")
        given = {
            "redis__url": redis_url,
            "gemini__base_url": self.standin.url,
            "gemini__api_key": STANDIN_KEY,
            "limits__polls_per_second_per_account": 0,
            "limits__submits_per_second_per_account": 1_000,
            "limits__submits_burst_per_account": 1_000_000,  # also of accounts that cannot pay
            "limits__unfinished_tasks_per_account": 100_000,
            "tasks__status_ttl_s": int(2 * LONGEST_S),
        }
        environment = {
            f"PROMPT_{name.upper()}": str(value) for name, value in ({**given, **self.settings, **settings}).items()
        }
        folder = self.folder / f"server-{len(self.servers)}"
        server = Server(folder, environment, arguments or ["--port", "0"])
        self.servers.append(server)
        return server

    async def client(self, *, tokens: int = 10_000_000, subscription_days: int = 30) -> Client:
        """Make an account and who speaks for it, to any server that is alive."""
        account = await self.accounts.create(tokens=tokens, subscription_days=subscription_days)
        key = await ApiKeys(self.storage).create(account.account_id, "chaos")
        return Client(self.session, account.account_id, key.key, self.urls, self.witness)

    @property
    def redis_port(self) -> int:
        port = urlsplit(self.redis.url).port
        assert port is not None
        return port

    def urls(self) -> list[str]:
        """Return where clients may ask now: the servers that should be alive, or nginx in front of them."""
        if self.front:
            return [self.front]
        return [server.url for server in self.servers if server.alive]

    async def command_line(self, *arguments: str) -> dict[str, Any]:
        """Run ``main.py … --json`` on this Redis and return what it printed, whatever its exit code."""
        environment = {"PATH": "/usr/bin:/bin", "PROMPT_REDIS__URL": self.redis_url}
        done = await asyncio.to_thread(run_main, *arguments, "--json", environment=environment)
        assert done.stdout, done.stderr
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    async def close(self) -> None:
        """End every server; those that live must do so well when they are asked to, whatever they went through."""
        alive = [server for server in self.servers if server.alive]
        exit_codes = await asyncio.gather(*(server.stop() for server in alive))
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError, AttributeError):
                await server.kill()
        await self.storage.aclose()
        assert not any(exit_codes), f"servers ended with {exit_codes}"


@asynccontextmanager
async def a_world(
    *,
    redis_options: tuple[str, ...] = (),
    settings: Mapping[str, Any] = SHORT_LEASES,
    masters: Masters | None = None,
) -> AsyncIterator[World]:
    """Make a world in a folder of its own, and end all of it afterwards; ``settings`` are for all its servers.

    With ``masters``, which its caller ends, the world's own Redis is not used.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="prompt-chaos-")))
        redis = RedisServer(folder / "redis", options=redis_options)
        await asyncio.to_thread(redis.start)
        stack.callback(redis.stop)
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        world = World(folder, redis, session, settings, masters)
        stack.push_async_callback(world.close)
        await world.standin.start()
        stack.push_async_callback(world.standin.stop)
        yield world
