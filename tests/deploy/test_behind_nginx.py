"""The server behind nginx, both real: every kind of answer comes through, and restarts are not noticed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from handlers.paths import BASE
from tests.deploy.nginx import Nginx
from tests.deploy.processes import STANDIN_KEY, Process, demo, serve
from tests.support.ports import free_ports
from tests.support.redis_proxy import Proxy

START = f"{BASE}/generate-prompt-async/"
PROMPT = {"manual_prompt": "Answer for Bakery Sonne. Open 7-18, call +49 30 1234567."}


@dataclass
class Deployed:
    """Two servers behind nginx; ``facts`` are the demo's, whose Redis and stand-in they use."""

    url: str
    facts: dict[str, str]
    ports: list[int]
    servers: list[Process]

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> HTTPResponse:
        sent = {"Authorization": f"Bearer {self.facts['api_key']}", "Content-Type": "application/json", **headers}
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = HTTPRequest(self.url + path, method, sent, data, request_timeout=180)
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    async def start(self) -> str:
        answer = await self.ask("POST", START, PROMPT)
        assert answer.code == 202, answer.body
        task_id: str = json.loads(answer.body)["task_id"]
        return task_id

    async def status(self, task_id: str, query: str = "") -> dict[str, Any]:
        answer = await self.ask("GET", f"{START}status/{task_id}/{query}")
        assert answer.code == 200, answer.body
        document: dict[str, Any] = json.loads(answer.body)
        return document


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    (folder / "nginx").mkdir()
    ports = free_ports(2)
    nginx = Nginx(folder / "nginx", ports)
    with demo(folder / "demo", gemini_delay_s=0.5) as brings_redis:
        facts = brings_redis.start()
        servers = [serve(folder / str(port), port, facts) for port in ports]
        with servers[0], servers[1]:
            for server in servers:
                server.start()
            with nginx:
                yield Deployed(nginx.url, facts, ports, servers)


@pytest.mark.gen_test
async def test_every_status_comes_through_as_the_server_gave_it(deployed: Deployed) -> None:
    task_id = await deployed.start()
    stranger = {"Authorization": "Bearer pg_nobody"}
    for expected, answer in (
        (200, await deployed.ask("GET", f"{START}status/{task_id}")),
        (200, await deployed.ask("GET", START)),
        (200, await deployed.ask("GET", "/api/v1/account/")),
        (400, await deployed.ask("POST", START, {"manual_prompt": ""})),
        (400, await deployed.ask("POST", START, b"{")),
        (401, await deployed.ask("GET", START, **stranger)),
        (404, await deployed.ask("GET", f"{START}status/00000000-0000-4000-8000-000000000000/")),
        (404, await deployed.ask("GET", "/nowhere")),
        (405, await deployed.ask("PUT", START, PROMPT)),
        (413, await deployed.ask("POST", START, {"manual_prompt": "x" * 300_000})),  # above nginx' own limit
        (415, await deployed.ask("POST", START, PROMPT, **{"Content-Type": "multipart/form-data"})),
        (200, await deployed.ask("GET", "/health/live")),
        (200, await deployed.ask("GET", "/health/ready")),
    ):
        assert answer.code == expected, answer.body
        members = json.loads(answer.body)
        assert expected < 400 or members["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.gen_test
async def test_a_generation_and_a_wait_for_it(deployed: Deployed) -> None:
    task_id = await deployed.start()
    document = await deployed.status(task_id)
    while document["status"] not in ("completed", "failed"):
        document = await deployed.status(task_id, f"?wait=10&after={document['version']}")
    assert document["status"] == "completed"
    assert "+49 30 1234567" in document["prompt"]


@pytest.mark.gen_test
async def test_the_synchronous_endpoint_comes_through(deployed: Deployed) -> None:
    answer = await deployed.ask("POST", f"{BASE}/generate-prompt/", PROMPT)
    assert answer.code == 200, answer.body
    assert json.loads(answer.body)["generated_by_ai"] is True


@pytest.mark.gen_test
async def test_events_arrive_while_they_happen_and_uncompressed(deployed: Deployed) -> None:
    task_id = await deployed.start()
    arrived: list[tuple[float, bytes]] = []
    headers = {"Authorization": f"Bearer {deployed.facts['api_key']}", "Accept-Encoding": "gzip"}
    answer = await AsyncHTTPClient().fetch(
        HTTPRequest(
            f"{deployed.url}{START}events/{task_id}/",
            headers=headers,
            streaming_callback=lambda data: arrived.append((time.monotonic(), data)),
            decompress_response=False,
        )
    )
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert "Content-Encoding" not in answer.headers
    whole = b"".join(data for _, data in arrived)
    assert b"event: end" in whole
    first = next(at for at, data in arrived if b"event: status" in data)
    last = next(at for at, data in arrived if b"event: end" in data)
    assert last - first > 0.25, "the stand-in takes half a second, and so must the stream"


@pytest.mark.gen_test
async def test_the_server_keeps_its_connections_to_nginx(deployed: Deployed, tmp_path: Path) -> None:
    async with Proxy(deployed.ports[0]) as counted:
        with Nginx(tmp_path, [counted.port]) as nginx:
            through = Deployed(nginx.url, deployed.facts, [], [])
            task_id = await through.start()
            for _ in range(20):
                await through.status(task_id)
            assert (await through.ask("GET", "/nowhere")).code == 404
            await through.status(task_id)
        assert counted.connections == 1


@pytest.mark.gen_test
async def test_a_unix_socket_is_as_good_as_a_port(deployed: Deployed, tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = serve(tmp_path / "server", 0, deployed.facts)
    server.environment["PROMPT_SERVER__UNIX_SOCKET"] = str(path)
    (tmp_path / "nginx").mkdir()
    with server, Nginx(tmp_path / "nginx", [f"unix:{path}"]) as nginx:
        assert (await asyncio.to_thread(server.start))["url"] == f"unix:{path}"
        through = Deployed(nginx.url, deployed.facts, [], [])
        task_id = await through.start()
        assert (await through.status(task_id, "?wait=20&after=6"))["progress"] > 0


@dataclass
class Load:
    """The observations of a few clients that submit and poll all the time."""

    documents: list[dict[str, Any]]
    synchronous: int = 0
    running: bool = True


@asynccontextmanager
async def under_load(deployed: Deployed) -> AsyncIterator[Load]:
    """Keep four clients busy; an answer that is no success ends the test."""
    load = Load([])

    async def submits_and_polls() -> None:
        while load.running:
            task_id = await deployed.start()
            document = await deployed.status(task_id)
            while document["status"] not in ("completed", "failed"):
                await asyncio.sleep(0.02)
                document = await deployed.status(task_id)
            load.documents.append(document)

    async def asks_and_waits() -> None:
        while load.running:
            answer = await deployed.ask("POST", f"{BASE}/generate-prompt/", PROMPT)
            assert answer.code == 200, answer.body
            load.synchronous += 1

    async with asyncio.TaskGroup() as group:
        for client in (submits_and_polls, submits_and_polls, submits_and_polls, asks_and_waits):
            group.create_task(client())
        yield load
        load.running = False


async def progress(load: Load) -> None:
    """Return once each kind of client has had another answer: no request from before is still waiting."""
    documents, synchronous = len(load.documents) + 4, load.synchronous + 2
    while len(load.documents) < documents or load.synchronous < synchronous:  # noqa: ASYNC110  # in other processes
        await asyncio.sleep(0.01)


def restart(server: Process) -> None:
    assert server.stop() == 0, server.log()
    server.start()


def crash(server: Process) -> None:
    server.kill()
    server.start()


@pytest.mark.slow
@pytest.mark.gen_test
@pytest.mark.parametrize("how", [restart, crash])
async def test_a_rolling_restart_and_crashes_lose_no_request_and_no_task(
    deployed: Deployed, how: Callable[[Process], None]
) -> None:
    async with under_load(deployed) as load:
        await progress(load)
        for server in deployed.servers:
            await asyncio.to_thread(how, server)
            await progress(load)
    assert load.synchronous > 0
    assert {document["status"] for document in load.documents} == {"completed"}
    assert all(document["generated_by_ai"] for document in load.documents)


@pytest.mark.gen_test
async def test_no_log_holds_prompts_or_identities(deployed: Deployed) -> None:
    marker = "MARKER-in-a-prompt"
    answer = await deployed.ask("POST", f"{BASE}/generate-prompt/", {"manual_prompt": f"Bakery {marker}"})
    assert marker in json.loads(answer.body)["prompt"]
    broken = await deployed.ask("POST", START, {"manual_prompt": [marker]})
    assert broken.code == 400
    logs = [server.log() for server in deployed.servers]
    lines = [json.loads(line) for log in logs for line in log.splitlines()]
    assert {"request", "stage"} <= {line["event"] for line in lines}
    for log in logs:
        assert marker not in log
        assert "Sonne" not in log
        assert deployed.facts["api_key"] not in log
        assert STANDIN_KEY not in log
    assert not [line for line in lines if line["level"] == "error"]
