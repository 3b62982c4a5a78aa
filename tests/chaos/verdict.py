"""Judges a run when its faults are over: every task ended, once, and every token accounted for.

Reads Redis itself, not what a server says about it. Refuses to know which faults were made.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from accounts import LedgerEntry
from tests.chaos.witness import TERMINAL
from tests.chaos.world import World

POLL_S = 0.1
SHOWN_PER_KIND = 5
WHOLE_LEDGER = 1_000_000_000  # entries


@dataclass
class Verdict:
    """The faults found, as sentences by kind; all lists are empty after a good run.

    lost: an accepted task without a document. doubled: one task paid twice, or one key with two tasks.
    stuck: a task or a hold that does not end. untrue: answers that contradict each other or the contract.
    money_off: sums that do not add up.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    money_off: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> dict[str, list[str]]:
        return {
            "lost": self.lost,
            "doubled": self.doubled,
            "stuck": self.stuck,
            "untrue": self.untrue,
            "money off": self.money_off,
        }

    @property
    def good(self) -> bool:
        return not any(self.kinds.values())

    def __str__(self) -> str:
        return "\n".join(
            f"{kind} ({len(sentences)}): {sentence}"
            for kind, sentences in self.kinds.items()
            for sentence in sentences[:SHOWN_PER_KIND]
        )


async def judge(world: World, verdict: Verdict | None = None, *, within_s: float = 30.0) -> Verdict:
    """Wait until nothing is unfinished, then look at every account and every task that is known.

    What is wrong is added to ``verdict``, when there is one already.
    """
    verdict = verdict or Verdict()
    verdict.untrue += world.witness.untrue
    verdict.stuck += [
        f"{task_id} is unfinished after {within_s:g} s" for task_id in await ended(world, within_s=within_s)
    ]
    for key, tasks in world.witness.keys.items():
        if len(tasks) > 1:
            verdict.doubled.append(f"one Idempotency-Key, {len(tasks)} tasks: {key}")
    accepted: dict[str, set[str]] = defaultdict(set)
    for task_id, account_id in world.witness.tasks.items():
        accepted[account_id].add(task_id)
    for account_id in world.witness.accounts:
        if not accepted[account_id] and not await world.accounts.exists(account_id):
            continue  # made on a master in its last moment, and not replicated
        await _judge_account(world, account_id, accepted[account_id], verdict)
    audit = await world.command_line("accounts", "audit")
    if audit["ok"] is not True:
        verdict.money_off.append(json.dumps(audit))
    return verdict


async def ended(world: World, *, within_s: float = 30.0) -> list[str]:
    """Wait until every task of every account has ended; return the ids of those that did not."""
    deadline = time.monotonic() + within_s
    while (left := await _unfinished(world)) and time.monotonic() < deadline:  # noqa: ASYNC110  # others write it
        await asyncio.sleep(POLL_S)
    return left


async def paid_in_vain(world: World, account_id: str) -> list[str]:
    """Name the tasks that the account paid for though each of its submits for them was refused."""
    await ended(world)
    movements = await _movements(world, account_id)
    return [
        f"{task_id} was never accepted and cost {entry.tokens} tokens"
        for task_id, entries in movements.items()
        for entry in entries
        if entry.kind == "settle" and entry.tokens and task_id not in world.witness.tasks
    ]


async def _unfinished(world: World) -> list[str]:
    found: list[str] = []
    for account_id in world.witness.accounts:
        ids = await world.storage.command("ZRANGE", world.storage.key(account_id, "unfinished"), 0, -1)
        found += [str(each, "ascii") for each in ids]
    return found


async def _judge_account(world: World, account_id: str, accepted: set[str], verdict: Verdict) -> None:
    movements = await _movements(world, account_id)
    known = accepted | {
        str(each, "ascii")
        for each in await world.storage.command("ZRANGE", world.storage.key(account_id, "tasks"), 0, -1)
    }
    for task_id in sorted(known):
        document = await _document(world, account_id, task_id)
        if document is None:
            if task_id in accepted:
                verdict.lost.append(f"{task_id} was accepted and has no document")
            continue
        if document["status"] not in TERMINAL:
            verdict.stuck.append(f"{task_id} stands at {document['progress']} %")
            continue
        shown = world.witness.document(task_id)
        if shown is not None and shown["status"] in TERMINAL and shown != document:
            verdict.untrue.append(f"{task_id} ended as {shown} for its client and as {document} in Redis")
        _judge_task(task_id, document, movements.pop(task_id, []), verdict)
    for task_id in movements.keys() - {""}:
        verdict.doubled.append(f"{task_id} is in the ledger and nowhere else")
    account = await world.accounts.show(account_id)
    if account.tokens_held:
        verdict.stuck.append(f"{account_id} holds {account.tokens_held} tokens for nobody")


def _judge_task(task_id: str, document: dict[str, Any], movements: list[LedgerEntry], verdict: Verdict) -> None:
    kinds = Counter(entry.kind for entry in movements if (entry.kind, entry.reason) != ("hold", "more held"))
    ends = kinds["settle"] + kinds["release"]
    if kinds["hold"] > 1 or ends > 1:
        verdict.doubled.append(f"{task_id}: {dict(kinds)} in the ledger")
    if kinds["hold"] != ends:
        verdict.money_off.append(f"{task_id}: {dict(kinds)} in the ledger")
    if not all(entry.reason and entry.task_id for entry in movements):
        verdict.money_off.append(f"{task_id}: a ledger entry without a reason")
    charged = sum(entry.tokens for entry in movements if entry.kind == "settle")
    uncollected = sum(entry.uncollected for entry in movements)
    if charged + uncollected != document["tokens_used"]:
        verdict.money_off.append(f"{task_id}: {document['tokens_used']} tokens used, {charged} charged")


async def _movements(world: World, account_id: str) -> dict[str, list[LedgerEntry]]:
    """Return the account's ledger entries by task; entries without a task are under ''."""
    entries, _following = await world.accounts.ledger(account_id, limit=WHOLE_LEDGER)
    by_task: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        by_task[entry.task_id].append(entry)
    return by_task


async def _document(world: World, account_id: str, task_id: str) -> dict[str, Any] | None:
    body = await world.storage.command("GET", world.storage.key(account_id, "status", task_id))
    return None if body is None else dict(json.loads(body))
