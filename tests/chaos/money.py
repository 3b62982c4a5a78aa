"""Short balances, tasks of every length, cancels at every moment: nothing is used that is not paid."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from random import Random

from accounts import InsufficientTokens
from generation.budget import Budget, need_of
from generation.documents import INTERNAL, completed_head, insufficient_tokens
from generation.errors import TaskLost
from generation.lease import Lease
from generation.prompt_text import PromptText
from generation.stages import CHECKING, COMPLETED, FINALIZING, GENERATING, INITIALIZING, WAITING
from generation.tasks import Replayed, Tasks
from runtime.metrics import Metrics
from runtime.settings import GeminiSettings, LimitSettings, MoneySettings, TaskSettings
from tests.chaos.clients import Client
from tests.chaos.outcome import Outcome
from tests.chaos.verdict import WHOLE_LEDGER, judge
from tests.chaos.world import World, a_world

AT_ONCE_PER_ACCOUNT, TASKS_PER_ACCOUNT = 5, 25
ACCOUNTS_PER_BATCH = 8
CANCELLED = 0.4  # of the tasks
WORDS = (
    "qhXzJkuvBoWpTamHcGFzc3dvcmQ",
    "bread",
    "rye",
    "7:30",
    "+49 30 1234567",
    "نان تازه",
    "每天营业",
    "Ω-4711",
    "{name}",
    "https://example.com/a",
)
BALANCES = (699, 700, 1_399, 3_500, 20_000, 100_000, 1_000_000)


async def scripts_at_short_balances(tasks: int, random: Random) -> Outcome:
    """Play Gemini as dear as it may be: every answer may be as long as its cap, be cut off, and be asked for again."""
    async with a_world() as world:
        missed: Counter[str] = Counter()
        left = iter(range(math.ceil(tasks / TASKS_PER_ACCOUNT)))

        async def accounts_in_turn() -> None:
            for _ in left:
                client = await world.client(tokens=random.choice(BALANCES) + random.randrange(300))
                run = _Run(world, client, random, missed)
                await run.tasks(TASKS_PER_ACCOUNT)

        await asyncio.gather(*(accounts_in_turn() for _ in range(ACCOUNTS_PER_BATCH)))
        return await _judged(world, tasks, missed)


async def servers_at_short_balances(tasks: int, random: Random) -> Outcome:
    """The same through whole servers and the stand-in."""
    missed: Counter[str] = Counter()
    async with a_world() as world:
        await world.serve()
        await world.serve()
        left = iter(range(math.ceil(tasks / TASKS_PER_ACCOUNT)))

        async def one(client: Client) -> None:
            task_id = await client.submit(f"{_draft(random)} [[standin:delay={random.choice((0, 0.05, 0.3))}]]")
            if random.random() < CANCELLED:
                await asyncio.sleep(random.random() * 0.5)
                await client.cancel(task_id)
            missed[(await client.finished(task_id)).get("error_code", "completed")] += 1

        async def accounts_in_turn() -> None:
            for _ in left:
                client = await world.client(tokens=random.choice(BALANCES) + random.randrange(300))
                for _ in range(TASKS_PER_ACCOUNT // AT_ONCE_PER_ACCOUNT):
                    await asyncio.gather(*(one(client) for _ in range(AT_ONCE_PER_ACCOUNT)))

        await asyncio.gather(*(accounts_in_turn() for _ in range(2)))
        return await _judged(world, tasks, missed)


def _draft(random: Random) -> str:
    return "We bake. " + " ".join(random.choices(WORDS, k=random.choice((1, 5, 20, 100, 900))))


class _Run:
    """One account's tasks, on the scripts themselves."""

    def __init__(self, world: World, client: Client, random: Random, ends: Counter[str]) -> None:
        self._random = random
        self._client = client
        self._ends = ends
        self._texts = PromptText()
        self._tasks = Tasks(
            world.storage,
            "owner",
            lambda _account_id, _task_id, _document: None,
            Metrics(),
            tasks=TaskSettings(),
            limits=LimitSettings(submits_per_second_per_account=1_000, submits_burst_per_account=1_000_000),
            money=MoneySettings(),
        )

    async def tasks(self, count: int) -> None:
        """Run so many tasks, a few at once."""
        for _ in range(count // AT_ONCE_PER_ACCOUNT):
            await asyncio.gather(*(self._one() for _ in range(AT_ONCE_PER_ACCOUNT)))

    async def _one(self) -> None:
        lease = await self._tasks.submit(self._client.account_id, _draft(self._random), None)
        assert not isinstance(lease, Replayed)
        self._client.accepted(lease.task_id)
        running = asyncio.create_task(self._run(lease))
        if self._random.random() < CANCELLED:
            for _ in range(self._random.randrange(120)):
                await asyncio.sleep(0)
            await self._tasks.endings.cancel(lease.account_id, lease.task_id)
        self._ends[await running] += 1

    async def _run(self, lease: Lease) -> str:
        try:
            await self._tasks.advance(lease, INITIALIZING)
            await self._tasks.advance(lease, CHECKING)
            used = await self._generate(lease)
            await self._tasks.advance(lease, FINALIZING)
            await self._tasks.endings.complete(lease, COMPLETED, completed_head("better", "m"), used, "generated")
        except InsufficientTokens as exc:
            with contextlib.suppress(TaskLost):
                await self._tasks.endings.fail(lease, insufficient_tokens(exc.needed, exc.available), 0)
            return "insufficient"
        except TaskLost:
            return "cancelled"
        if self._random.random() < 0.01:
            with contextlib.suppress(TaskLost):
                await self._tasks.endings.fail(lease, INTERNAL, used)
        return "completed"

    async def _generate(self, lease: Lease) -> int:
        """Ask, be cut off, ask again, repair: as often and as dear as can be; return what it cost."""
        used, cap = 0, GeminiSettings().max_output_tokens // 2
        need = need_of(self._texts, cap, "general", lease.manual_prompt, "")
        budget = Budget(
            need,
            await self._tasks.hold(lease, need),
            lambda: used,
            lambda tokens: self._tasks.extend_hold(lease, tokens),
        )
        sent = budget.sent
        await self._tasks.advance(lease, GENERATING)
        estimate = budget.estimated_input
        await self._tasks.advance(lease, WAITING, None, estimate)
        for _ in range(self._random.choice((1, 1, 2, 5))):
            answer = await budget.afford(sent, cap)
            if not answer:
                break
            used += self._random.randint(estimate, sent) + (answer if self._random.random() < 0.5 else answer // 3)
            if self._random.random() < 0.7:
                await self._tasks.publish(lease, 1, b'"..."', used)
        return used


async def _judged(world: World, tasks: int, ends: Counter[str]) -> Outcome:
    missed: list[str] = []
    uncollected = charged = 0
    verdict = await judge(world)
    for account_id in set(world.witness.tasks.values()):
        account = await world.accounts.show(account_id)
        if min(account.tokens_remaining, account.tokens_held) < 0:
            missed.append(f"{account_id} is below zero")
        entries, _more = await world.accounts.ledger(account_id, limit=WHOLE_LEDGER)
        uncollected += sum(entry.uncollected for entry in entries)
        charged += sum(entry.tokens for entry in entries if entry.kind == "settle")
    audit = await world.command_line("accounts", "audit")
    missed += [] if audit["ok"] else ["the audit fails"]
    missed += [f"{uncollected} tokens uncollected"] if uncollected else []
    missed += [f"nothing ended as {end}" for end in ("completed", "cancelled") if not ends[end]]
    said = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    return Outcome(f"{tasks} tasks", verdict, f"{said}; {charged} charged, {uncollected} uncollected", missed)
