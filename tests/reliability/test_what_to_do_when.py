"""Each situation of the operators' table is made on real processes: what the row names shows, and its remedy helps.

The remedies' commands are taken from the page and run as they stand there.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from redis import asyncio as aioredis

from accounts import ApiKeys
from tests.chaos.clients import Client
from tests.chaos.world import SHORT_LEASES, Server, World, a_world
from tests.deploy.processes import ROOT, STANDIN_KEY
from tests.support.ports import free_ports
from tests.support.situations import Situation, Watch, situations
from tests.support.topologies import until_true
from tests.support.waiting import eventually
from tests.support.warm_start import WarmProcess
from tests.support.webhook_receiver import SECRET, serve_receiver

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry is an extra")

from tests.support.otlp_collector import collector

pytestmark = pytest.mark.slow

PROMPT = "Answer for our bakery."
FIRST, SECOND = "gemini-3.8-flash", "gemini-3.6-flash"
POLL = "/api/v1/web-knowledge/generate-prompt-async/status/{}/"
HELD_S = 300.0  # longer than a test takes


class Operator:
    """Carries out the page's steps in one world. ``situation`` is the row that was begun last."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows = situations()
        self.situation: Situation
        self._commands = 0

    async def meets(self, title: str) -> Watch:
        """Begin a situation of the table: from now on it is watched."""
        self.situation = self.rows[title]
        return await Watch(self.world, self.situation).begin()

    async def redis_cli(self, beginning: str) -> None:
        """Run the row's ``redis-cli`` command."""
        _program, *words = self.situation.command(f"redis-cli {beginning}")
        await self.redis(*words)

    async def redis(self, *words: str) -> None:
        async with aioredis.Redis.from_url(self.world.redis_url) as client:
            await client.execute_command(*words)

    async def main_py(
        self, beginning: str, *, names: Mapping[str, str] | None = None, **settings: str
    ) -> tuple[int, str]:
        """Run the row's command as a process; return its exit code and what it printed."""
        _program, *words = self.situation.command(f"main.py {beginning}", **(names or {}))
        self._commands += 1
        log = self.world.folder / f"command-{self._commands}"
        given = {"redis__url": self.world.redis_url, **settings}
        environment = {f"PROMPT_{name.upper()}": text for name, text in given.items()}
        process = WarmProcess(words, folder=ROOT, environment={"PATH": "/usr/bin:/bin", **environment}, log=log)
        return await asyncio.to_thread(process.wait, 180), log.read_text()


def in_a_world(test: Callable[[World, Operator], Awaitable[None]], **settings: Any) -> None:
    async def scenario() -> None:
        async with a_world(settings={**SHORT_LEASES, **settings}) as world:
            await test(world, Operator(world))

    asyncio.run(scenario())


async def generated(client: Client, prompt: str = PROMPT) -> dict[str, Any]:
    """Let a generation end well; return its document."""
    document = await client.finished(await client.submit(prompt))
    assert document["status"] == "completed", document
    assert document["generated_by_ai"], document
    return document


async def refused(client: Client, status: int, error_code: str) -> None:
    """Submit until that is the answer: the fault may take effect a moment later."""

    async def is_refused() -> bool:
        answer = await client.submit_once(PROMPT)
        return answer.status == status and answer.json["error_code"] == error_code

    await until_true(is_refused)


async def ready_as(world: World, server: Server, status: int) -> None:
    """Wait until the server's readiness answers so."""

    async def answers() -> bool:
        async with world.session.get(f"{server.url}/health/ready") as answer:
            return answer.status == status

    await until_true(answers)


async def ended(client: Client, prompt: str = PROMPT) -> str:
    """Return the reason of the fallback, or of the failure, that a generation ends with."""
    document = await client.finished(await client.submit(prompt))
    return str(document.get("fallback_reason") or document.get("error_code") or document)


def test_situations_of_redis_and_of_those_who_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1")
    port, receiver_port = free_ports(2)

    async def scenario(world: World, operator: Operator) -> None:
        server = await world.serve()
        client = await world.client()

        watch = await operator.meets("No traces arrive")
        await generated(client)
        await watch.until_shown()
        with collector(port) as collected:
            await generated(client)
            assert await asyncio.to_thread(eventually, lambda: bool(collected.named("generation")))

        watch = await operator.meets("Webhooks do not arrive")
        task_id = (await generated(client))["task_id"]
        await watch.until_shown()
        code, printed = await operator.main_py("webhooks failed")
        assert code == 0, printed
        assert task_id in printed
        assert (await world.command_line("webhooks", "failed", "--limit", "1"))["next"]  # others failed before
        async with serve_receiver(receiver_port) as receiver:
            code, printed = await operator.main_py("webhooks failed --resend")
            assert code == 0, printed
            count = 1  # others are tried again by themselves
            while task_id not in {each.id for each in await receiver.has(count)}:
                count += 1

        watch = await operator.meets("Redis does not answer")
        running = await client.submit(f"{PROMPT} [[standin:delay=1]]")
        await client.finished(running, until=lambda document: document["progress"] >= 70)
        os.kill(world.redis.pid, signal.SIGSTOP)
        await refused(client, 503, "storage_unavailable")
        await ready_as(world, server, 503)
        await watch.until_shown()
        os.kill(world.redis.pid, signal.SIGCONT)
        assert (await client.finished(running))["generated_by_ai"]
        await generated(client)
        await ready_as(world, server, 200)

        watch = await operator.meets("Redis is full")
        known = await client.submit(PROMPT)
        await client.finished(known)
        await operator.redis("CONFIG", "SET", "maxmemory", "1mb")
        await refused(client, 503, "storage_unavailable")
        assert await client.poll(known)
        await watch.until_shown()
        await operator.redis_cli("CONFIG SET maxmemory")
        await generated(client)

        watch = await operator.meets("Redis takes no writes")
        await operator.redis("REPLICAOF", "127.0.0.1", str(free_ports(1)[0]))
        await refused(client, 503, "storage_unavailable")
        await watch.until_shown()
        await operator.redis_cli("REPLICAOF NO ONE")
        await generated(client)

    in_a_world(
        scenario,
        traces__endpoint=f"http://127.0.0.1:{port}/v1/traces",
        webhooks__url=f"http://127.0.0.1:{receiver_port}/hooks/",
        webhooks__secrets=SECRET,
    )


def test_situations_of_gemini() -> None:
    one_model: dict[str, Any] = {
        "gemini__model": FIRST,
        "gemini__tries": 1,
        "gemini__breaker_failures": 3,
        "gemini__breaker_open_s": 3,
        "gemini__deadline_s": 5,
    }

    async def scenario(world: World, operator: Operator) -> None:
        client = await world.client()

        server = await world.serve(gemini__api_key="another")
        watch = await operator.meets("The key is refused")
        assert await ended(client) == "ai_misconfigured"
        await watch.until_shown()
        probed: dict[str, Any] = {"gemini__base_url": world.standin.url}
        assert (await operator.main_py("check-config", **probed, gemini__api_key="another"))[0] == 1
        code, printed = await operator.main_py("check-config", **probed, gemini__api_key=STANDIN_KEY)
        assert code == 0, printed
        await server.stop()

        server = await world.serve(**one_model)
        await generated(client)  # the key that was probed

        watch = await operator.meets("Gemini fails")
        await world.standin.behave(fault="overloaded")
        while await ended(client) != "ai_circuit_open":
            pass
        await watch.until_shown()
        await world.standin.behave()
        while await ended(client) == "ai_circuit_open":
            pass

        await world.standin.behave(fault="rate_limited", model=FIRST)
        watch = await operator.meets("Gemini limits the rate")
        assert await ended(client) == "ai_rate_limited"
        await watch.until_shown()

        await world.standin.behave(delay_s=7)
        watch = await operator.meets("Gemini is slow")
        assert await ended(client) == "ai_timeout"
        await watch.until_shown()
        await server.stop()

        server = await world.serve()  # a second model, and the default deadline
        await generated(client)
        await world.standin.behave(fault="rate_limited", model=FIRST)
        assert (await generated(client))["model"] == SECOND

        await world.standin.behave(fault="not_found", model=FIRST)
        watch = await operator.meets("Google has retired a model")
        assert (await generated(client))["model"] == SECOND
        await watch.until_shown()
        code, printed = await operator.main_py("check-config", **probed, gemini__api_key=STANDIN_KEY)
        assert code == 1
        assert FIRST in printed
        assert SECOND in printed
        await server.stop()
        server = await world.serve(gemini__models=SECOND)
        assert (await generated(client))["model"] == SECOND
        async with world.session.get(f"{server.url}/metrics") as answer:
            assert f'prompt_gemini_model_unavailable{{model="{FIRST}"}}' not in await answer.text()

    in_a_world(scenario)


def test_situations_of_processes_and_accounts() -> None:
    async def scenario(world: World, operator: Operator) -> None:
        small = await world.serve(limits__running_tasks_per_process=1, limits__waiting_tasks_per_process=1)
        client = await world.client()

        watch = await operator.meets("The server is busy")
        await world.standin.behave(delay_s=HELD_S)
        held = [await client.submit(PROMPT, url=small.url) for _ in range(2)]
        await refused(client, 503, "server_busy")
        await watch.until_shown()
        await world.standin.behave()
        other = await world.serve()
        answer = await client.submit_once(PROMPT, url=other.url)
        assert answer.status == 202
        assert (await client.finished(str(answer.json["task_id"])))["generated_by_ai"]

        watch = await operator.meets("A process is gone")
        await small.kill()
        await watch.until_shown()
        for task_id in held:
            assert (await client.finished(task_id))["generated_by_ai"]
        again = await world.serve()
        await generated(client)

        watch = await operator.meets("A process stands still")
        lag_s = await lag(world, again)
        task_id = await client.submit(f"{PROMPT} [[standin:delay=1]]", url=again.url)
        await client.finished(task_id, until=lambda document: document["progress"] >= 50)
        again.freeze()
        assert (await client.finished(task_id))["attempt"] == 2
        again.thaw()
        await watch.until_shown()
        assert await lag(world, again) > lag_s + SHORT_LEASES["tasks__lease_s"] / 2
        assert (await client.poll(task_id, url=again.url) or {})["attempt"] == 2
        answer = await client.submit_once(PROMPT, url=again.url)
        assert (await client.finished(str(answer.json["task_id"])))["generated_by_ai"]

        poor = await world.client(tokens=250)
        watch = await operator.meets("One user has no tokens")
        assert await ended(poor) == "insufficient_tokens"
        await watch.until_shown()
        code, printed = await operator.main_py("accounts grant", names={"ACCOUNT": poor.account_id})
        assert code == 0, printed
        await generated(poor)

        late = await world.client(subscription_days=0)
        watch = await operator.meets("One user's subscription has ended")
        assert await ended(late) == "subscription_inactive"
        await watch.until_shown()
        code, printed = await operator.main_py("accounts subscribe", names={"ACCOUNT": late.account_id})
        assert code == 0, printed
        await generated(late)

        locked = await world.client()
        watch = await operator.meets("One user gets 401")
        await ApiKeys(world.storage).revoke_all(locked.account_id)
        await refused(locked, 401, "unauthorized")
        for server in world.servers:
            for _ in range(2 * server.alive):  # the second one on the express lane
                polled = await locked.ask("GET", POLL.format(task_id), url=server.url)
                assert polled.status == 401
        await watch.until_shown()
        code, printed = await operator.main_py("accounts keys create", names={"ACCOUNT": locked.account_id})
        assert code == 0, printed
        locked.api_key = printed.split()[0]
        await generated(locked)

    in_a_world(scenario)


async def lag(world: World, server: Server) -> float:
    async with world.session.get(f"{server.url}/metrics") as answer:
        text = await answer.text()
    [line] = [line for line in text.splitlines() if line.startswith("prompt_event_loop_lag_seconds_sum")]
    return float(line.split()[-1])


def test_every_situation_of_the_table_is_tried() -> None:
    tried = re.findall(r'operator.meets\("([^"]+)"\)', Path(__file__).read_text())
    assert sorted(tried) == sorted(situations())
