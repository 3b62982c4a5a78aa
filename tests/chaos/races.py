"""Two things at the same moment, of which one may win; and many at once, of which one may happen."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from random import Random

from generation.documents import completed_head
from generation.errors import TaskClosed
from generation.stages import CHECKING, COMPLETED, FINALIZING, GENERATING, INITIALIZING
from generation.tasks import Replayed, Tasks
from runtime.metrics import Metrics
from runtime.settings import LimitSettings, MoneySettings, TaskSettings
from tests.chaos.clients import Client
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import judge
from tests.chaos.world import World, a_world

CONCURRENT_RACES = 8
USED_TOKENS = 321
ONE_HOLD = 700
CONCURRENT_SUBMITS, SAME_KEY_SUBMITS = 200, 50
GEMINI_S = 0.1


async def cancel_against_complete(rounds: int, random: Random) -> Outcome:
    """Race the two scripts on connections of their own: one winner, for the document and the money alike."""
    winners: Counter[str] = Counter()
    async with a_world() as world:
        clients = [await world.client() for _ in range(CONCURRENT_RACES)]
        tasks = [_tasks(world, f"owner {number}") for number in range(2)]
        left = iter(range(rounds))

        async def race(client: Client) -> None:
            for _ in left:
                winners[await _one_race(world, client, tasks, random)] += 1

        await asyncio.gather(*(race(client) for client in clients))
        missed = [f"{name} never won" for name in ("cancel", "complete") if not winners[name]]
        missed += [f"{count} races {name}" for name, count in winners.items() if name not in ("cancel", "complete")]
        remarks = ", ".join(f"{name} won {count}" for name, count in sorted(winners.items()))
        return Outcome(f"{rounds} races", await judge(world), remarks, missed)


def _tasks(world: World, owner: str) -> Tasks:
    return Tasks(
        world.storage,
        owner,
        lambda _account_id, _task_id, _document: None,
        Metrics(),
        tasks=TaskSettings(),
        limits=LimitSettings(),
        money=MoneySettings(),
    )


async def _one_race(world: World, client: Client, tasks: list[Tasks], random: Random) -> str:
    owner = tasks[0]
    lease = await owner.submit(client.account_id, "Be kind.", None)
    assert not isinstance(lease, Replayed)
    client.accepted(lease.task_id)
    await owner.advance(lease, INITIALIZING)
    await owner.advance(lease, CHECKING)
    await owner.hold(lease)
    await owner.advance(lease, GENERATING)
    await owner.advance(lease, FINALIZING)
    calls = [
        owner.endings.complete(lease, COMPLETED, completed_head("better", "m"), USED_TOKENS, "generated"),
        random.choice(tasks).endings.cancel(client.account_id, lease.task_id),
    ]
    order = random.sample((0, 1), 2)
    answers = dict(zip(order, await asyncio.gather(*(calls[i] for i in order), return_exceptions=True), strict=True))
    stored = await world.storage.command("GET", world.storage.key(client.account_id, "status", lease.task_id))
    completed, cancelled = answers[0], answers[1]
    if isinstance(completed, TaskClosed) and cancelled == stored and b'"cancelled"' in stored:
        return "cancel"
    if completed == cancelled == stored and json.loads(stored)["tokens_used"] == USED_TOKENS:
        return "complete"
    return f"ended with {completed!r}, {cancelled!r} and {stored!r}"


async def cancel_against_complete_over_http(rounds: int, random: Random) -> Outcome:
    """Cancel when the task is about to complete, on the process that runs it or on another.

    Who won last moves the aim, so that it stays where both can win, whatever the machine has to do besides.
    """
    winners: Counter[str] = Counter()
    aim_s = 2 * GEMINI_S
    async with a_world() as world:
        await world.serve()
        await world.serve()
        client = await world.client()

        async def race() -> None:
            nonlocal aim_s
            task_id = await client.submit(f"Be kind. [[standin:delay={GEMINI_S}]]")
            await asyncio.sleep(max(0.0, random.gauss(aim_s, aim_s / 10)))
            answer = await client.cancel(task_id)
            document = await client.finished(task_id)
            assert answer.json == document, (answer.json, document)
            winners[document.get("error_code", "complete")] += 1
            aim_s *= 1.1 if "error_code" in document else 1 / 1.1

        for _ in range(rounds):
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENT_RACES):
                    group.create_task(race())
        counters = await world.standin.counters()
        missed = [f"{name} never won" for name in ("cancelled", "complete") if not winners[name]]
        missed += [f"{counters['running']} calls to Gemini go on"] if counters["running"] else []
        remarks = ", ".join(f"{name} won {count}" for name, count in sorted(winners.items()))
        return Outcome(f"{rounds * CONCURRENT_RACES} races", await judge(world), remarks, missed)


async def submits_at_a_balance_for_one(rounds: int, random: Random) -> Outcome:
    """Submit many times at once with tokens for one hold: exactly one goes on."""
    missed: list[str] = []
    async with a_world() as world:
        await world.serve()
        await world.serve()
        for number in range(rounds):
            client = await world.client(tokens=ONE_HOLD)
            ids = await asyncio.gather(*(client.submit(f"Be kind, {i}.") for i in range(CONCURRENT_SUBMITS)))
            documents = await asyncio.gather(*(client.finished(task_id) for task_id in ids))
            ends = Counter(document.get("error_code", "completed") for document in documents)
            if ends != {"completed": 1, "insufficient_tokens": CONCURRENT_SUBMITS - 1}:
                missed.append(f"round {number}: {dict(ends)}")
        return Outcome(f"{rounds} x {CONCURRENT_SUBMITS} submits", await judge(world), "", missed)


async def identical_submits(rounds: int, random: Random) -> Outcome:
    """Send one submit many times at once, over two processes: one task, one first answer, the rest replayed."""
    missed: list[str] = []
    async with a_world() as world:
        await world.serve()
        await world.serve()
        client = await world.client()
        for number in range(rounds):
            headers = {"Idempotency-Key": str(uuid.uuid4())}
            submits = (client.submit_once("Be kind.", headers=headers) for _ in range(SAME_KEY_SUBMITS))
            answers = await asyncio.gather(*submits)
            replays = Counter(answer.headers.get("Idempotent-Replayed", "false") for answer in answers)
            ids = {answer.json.get("task_id") for answer in answers}
            if len(ids) != 1 or replays != {"false": 1, "true": SAME_KEY_SUBMITS - 1}:
                missed.append(f"round {number}: {len(ids)} tasks, replayed {dict(replays)}")
            other = await client.submit_once("Be cruel.", headers=headers)
            if other.status != 422:
                missed.append(f"round {number}: another body was answered {other.status}")
        return Outcome(f"{rounds} x {SAME_KEY_SUBMITS} submits", await judge(world), "", missed)
