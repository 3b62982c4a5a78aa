"""How a process ends: each step by itself, no request taken from a client that has not left, and with exit code 0."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from tornado.netutil import bind_sockets

import generation.runner
from composition import Service
from generation.lease import Lease
from generation.pipeline import Pipeline
from generation.runner import Runner
from handlers.open_requests import OpenRequests
from runtime.settings import Settings
from server.connections import Connections
from serving import run
from storage.storage import Storage
from tests.deploy.processes import Process, demo
from tests.support.raw_http import connected, new_task_id, request
from tests.support.whole_server import BASE, START, Client

SLOW = "Write a menu. [[standin:delay=30]]"
STREAMS, TASKS = 400, 4
STEPS: dict[str, type] = {"tasks": Runner, "requests": OpenRequests, "connections": Connections}


async def fails(*_arguments: Any) -> None:
    raise RuntimeError("as a defect would")


@pytest.mark.gen_test
@pytest.mark.parametrize("step", sorted(STEPS))
async def test_a_step_of_the_drain_that_fails_is_logged_and_the_others_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ended: list[str] = []
    for name, owner in STEPS.items():
        monkeypatch.setattr(owner, "drain", fails if name == step else _noting(owner.drain, name, ended))  # type: ignore[attr-defined]  # each has one
    monkeypatch.setattr(Storage, "aclose", _failing_at_its_end(Storage.aclose))

    def ready(_url: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with structlog.testing.capture_logs() as lines:
        await run(settings.model_copy(update={"server": settings.server.model_copy(update={"port": 0})}), ready=ready)
    events = [line["event"] for line in lines if line["log_level"] == "error"]
    assert events == ["drain_step_failed", "closing_failed"]
    assert {*ended, step} == set(STEPS)
    assert "drained" in {line["event"] for line in lines}


def _noting(drain: Any, name: str, ended: list[str]) -> Any:
    async def noted(self: Any, timeout_s: float) -> Any:
        try:
            return await drain(self, timeout_s)
        finally:
            ended.append(name)

    return noted


def _failing_at_its_end(aclose: Any) -> Any:
    async def failing(self: Any) -> None:
        await aclose(self)
        await fails()

    return failing


@pytest.mark.gen_test
async def test_a_synchronous_request_whose_connection_the_drain_closes_is_not_cancelled(
    client: Client, service: Service
) -> None:
    body = b'{"manual_prompt":"Write a menu. [[standin:delay=2]]"}'
    head = request(
        *("POST", f"{BASE}/generate-prompt/", f"Bearer {client.api_key}"),
        *(("Content-Type", "application/json"), ("Content-Length", str(len(body)))),
    )
    sockets = bind_sockets(0, "127.0.0.1")
    service.connections.add_sockets(sockets)
    async with connected(sockets[0].getsockname()) as wire:
        wire.writer.write(head + body)
        while not (tasks := (await client.ask("GET", START)).json["tasks"]):  # noqa: ASYNC110  # the server decides
            await asyncio.sleep(0.02)
        assert not await service.connections.drain(0), "the request was not over"
        assert await wire.ended() == b""
    assert (await client.finished(tasks[0]["task_id"]))["status"] == "completed"


@pytest.mark.gen_test
@pytest.mark.settings(limits={"running_tasks_per_process": 1})
async def test_no_task_runs_or_waits_beyond_its_deadline(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it hangs on: a defect is the only thing that could make it hang, so one is put in."""
    monkeypatch.setattr(generation.runner, "OVERTIME_S", 0.1)
    monkeypatch.setattr(Pipeline, "run", _hangs)
    now = asyncio.get_running_loop().time()
    for _ in range(2):
        service.runner.start(Lease(client.account_id, new_task_id(), "Write a menu.", 1, 1, deadline=now))
    await asyncio.sleep(0)
    assert (service.runner.running, service.runner.waiting) in ((1, 1), (0, 2))
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(180):
            while service.runner.running or service.runner.waiting:  # noqa: ASYNC110  # a clock decides
                await asyncio.sleep(0.02)
    assert [(line["event"], line["reason"]) for line in lines] == [("task_abandoned", "deadline")] * 2


async def _hangs(_pipeline: Pipeline, _lease: Lease, _queued_s: float) -> None:
    await asyncio.Event().wait()


def test_sigterm_ends_a_process_well_whose_400_streams_are_closed_meanwhile(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", gemini_delay_s=20) as process:
        process.environment |= {
            "PROMPT_LIMITS__STREAMS_PER_ACCOUNT": "0",
            "PROMPT_SERVER__DRAIN_TIMEOUT_S": "1",
        }
        facts = process.start()
        asyncio.run(_left_while_it_ends(process, facts))
        assert process.wait() == 0
        log = process.log()
    assert "draining" in log
    for trouble in ("drain_step_failed", "closing_failed", "request_crashed", "task_crashed", "exception_ignored"):
        assert trouble not in log


async def _left_while_it_ends(process: Process, facts: dict[str, str]) -> None:
    """Open the streams, send SIGTERM, and close one after the other."""
    authorization, url = f"Bearer {facts['api_key']}", urlsplit(facts["url"])
    address = (url.hostname or "", url.port or 0)
    body = b'{"manual_prompt":"Write a menu."}'
    submit = request(
        "POST", START, authorization, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))
    )
    async with AsyncExitStack() as stack:
        async with connected(address) as wire:
            ids = [json.loads((await wire.ask(submit, body)).body)["task_id"] for _ in range(TASKS)]
        wires = [await stack.enter_async_context(connected(address)) for _ in range(STREAMS)]
        for number, wire in enumerate(wires):
            wire.writer.write(request("GET", f"{START}events/{ids[number % TASKS]}/", authorization))
        for wire in wires:
            assert b"200 OK" in await wire.reader.readline()
        process.send(signal.SIGTERM)
        for wire in wires:
            wire.writer.close()
            await asyncio.sleep(0.002)
