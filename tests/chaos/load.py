"""Clients that keep the servers busy in every way the contract allows, while somebody else makes faults.

Refuses to judge: what they were told is with the witness.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

from storage.errors import StorageUnavailable
from tests.chaos.clients import BASE, NETWORK, START, Client, NoAnswer
from tests.chaos.verdict import Verdict
from tests.chaos.world import World

SYNCHRONOUS = f"{BASE}/generate-prompt/"
POLL_S = 0.02
PATIENCE_S = 90.0
ACCEPTED = 202


class Load:
    """One account's clients, each doing one thing after the other until ``running`` is False.

    They pause for up to ``pause_s`` between two things, and Gemini takes up to ``gemini_s``. ``ended`` counts how tasks
    ended, ``failures`` what came to no end within a client's patience.
    """

    def __init__(self, client: Client, random: Random, *, gemini_s: float, pause_s: float, actions: str) -> None:
        self.client = client
        self.random = random
        self.running = True
        self.failures = 0
        self.ended: Counter[str] = Counter()
        self._gemini_s = gemini_s
        self._pause_s = pause_s
        known: dict[str, Callable[[], Awaitable[None]]] = {
            "generate": self._generate,
            "try": self._try,
            "cancel": self._cancel,
            "replay": self._replay,
            "wait": self._wait,
            "leave": self._leave,
            "watch": self._watch,
        }
        self._actions = [known[name] for name in actions.split()]

    async def run(self) -> None:
        while self.running:
            action = self.random.choice(self._actions)
            try:
                await action()
            except (*NETWORK, NoAnswer):
                self.failures += 1
            await asyncio.sleep(self.random.uniform(0, self._pause_s))

    def _prompt(self) -> str:
        return f"Be kind to all. [[standin:delay={self.random.uniform(0, self._gemini_s):.2f}]]"

    async def _generate(self) -> None:
        """Submit and poll, as the browser does."""
        await self._end(await self.client.submit(self._prompt(), within_s=PATIENCE_S))

    async def _try(self) -> None:
        """Submit once, without a key, and look no further."""
        answer = await self.client.submit_once(self._prompt())
        self.ended["accepted" if answer.status == ACCEPTED else "refused"] += 1

    async def _end(self, task_id: str) -> None:
        document = await self.client.finished(task_id, within_s=PATIENCE_S)
        kind = document.get("error_code") or document.get("fallback_reason") or "generated"
        self.ended[str(kind)] += 1

    async def _cancel(self) -> None:
        task_id = await self.client.submit(self._prompt(), within_s=PATIENCE_S)
        await asyncio.sleep(self.random.uniform(0, self._gemini_s * 1.2))
        await self.client.cancel(task_id)
        await self._end(task_id)

    async def _replay(self) -> None:
        """Send the same submit twice at once, and again when it has ended."""
        key, prompt = str(uuid.uuid4()), self._prompt()
        submits = [self.client.submit(prompt, key=key, within_s=PATIENCE_S) for _ in range(2)]
        task_id, _same = await asyncio.gather(*submits)
        await self._end(task_id)
        await self.client.submit(prompt, key=key, within_s=PATIENCE_S)

    async def _wait(self) -> None:
        """Use the synchronous endpoint, repeated with its key as a proxy would."""
        key, prompt = str(uuid.uuid4()), self._prompt()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(*NETWORK, NoAnswer):
                answer = await self.client.ask(
                    "POST", SYNCHRONOUS, {"manual_prompt": prompt}, headers={"Idempotency-Key": key}, timeout_s=30
                )
                if answer.status == 200:
                    self.client.accepted(str(answer.json["task_id"]), key)
                    self.ended["waited"] += 1
                    return
                self.client.refused(answer)
            await asyncio.sleep(POLL_S)

    async def _leave(self) -> None:
        """Use the synchronous endpoint and go away before the answer."""
        patience_s = self.random.uniform(0.01, self._gemini_s)
        with contextlib.suppress(*NETWORK):
            await self.client.ask("POST", SYNCHRONOUS, {"manual_prompt": self._prompt()}, timeout_s=patience_s)

    async def _watch(self) -> None:
        """Follow the events to their end, on one connection."""
        task_id = await self.client.submit(self._prompt(), within_s=PATIENCE_S)
        with contextlib.suppress(*NETWORK):
            await self.client.ask("GET", f"{START}events/{task_id}/", timeout_s=5)
        await self._end(task_id)


@asynccontextmanager
async def under_load(
    world: World,
    random: Random,
    *,
    clients: int,
    gemini_s: float = 0.5,
    pause_s: float = POLL_S,
    actions: str = "generate",
) -> AsyncIterator[Load]:
    """Keep one account's clients busy; at the end let each finish its current work."""
    load = Load(await world.client(), random, gemini_s=gemini_s, pause_s=pause_s, actions=actions)
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(load.run())
        try:
            yield load
        finally:
            load.running = False


@asynccontextmanager
async def money_watched(world: World, verdict: Verdict) -> AsyncIterator[Counter[str]]:
    """Add up every account's tokens again and again, as far as Redis answers; count how often."""
    looks: Counter[str] = Counter()

    async def watch() -> None:
        while True:
            for account_id in list(world.witness.accounts):
                with contextlib.suppress(StorageUnavailable):
                    account = await world.accounts.show(account_id)
                    looks["looks"] += 1
                    parts = (account.tokens_remaining, account.tokens_held, account.tokens_charged)
                    if account.tokens_granted != sum(parts) or min(parts) < 0:
                        verdict.money_off.append(f"{account_id}: {account.tokens_granted} became {parts}")
            await asyncio.sleep(POLL_S)

    watcher = asyncio.create_task(watch())
    try:
        yield looks
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
