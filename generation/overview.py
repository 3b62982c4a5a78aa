"""The state of the whole service: its processes and their sums. Refuses to know how it is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from generation.failures import KEPT
from generation.processes import OLDEST_KEPT, AliveProcess, Processes

BREAKERS = ("closed", "probing", "open")  # the worst of all processes counts


async def overview(processes: Processes) -> dict[str, Any]:
    """Return the overview as JSON members; times as 2025-01-10T12:00:00Z, durations in s.

    Raises:
        StorageUnavailable
    """
    now_ms, alive = await processes.alive()
    states = [process.state for process in alive]
    oldest_ms = min((state.oldest_ms for state in states if state.oldest_ms), default=0)
    failures = sorted((each for state in states for each in state.failures), key=lambda each: -each.at_ms)[:KEPT]
    return {
        "at": _moment(now_ms),
        "running": sum(state.running for state in states),
        "waiting": sum(state.waiting for state in states),
        "oldest_unfinished_at": _moment(oldest_ms) if oldest_ms else None,
        "oldest_unfinished_s": max(0, now_ms - oldest_ms) / 1000 if oldest_ms else None,
        "oldest_unfinished": _oldest(now_ms, alive),
        "takeovers": sum(state.takeovers for state in states),
        "breakers": _breakers(alive),
        "failures": [
            {"at": _moment(each.at_ms), "outcome": each.outcome, "error_code": each.error_code} for each in failures
        ],
        "last_hour": await processes.last_hour(),
        "processes": [_process(each) for each in alive],
    }


def _breakers(alive: list[AliveProcess]) -> dict[str, str]:
    worst: dict[str, str] = {}
    for process in alive:
        for model, state in process.state.breakers.items():
            worst[model] = max(worst.get(model, state), state, key=BREAKERS.index)
    return worst


def _oldest(now_ms: int, alive: list[AliveProcess]) -> list[dict[str, Any]]:
    held = sorted((task for process in alive for task in process.state.oldest), key=lambda task: task.created_ms)
    return [
        {
            "account_id": task.account_id,
            "task_id": task.task_id,
            "created_at": _moment(task.created_ms),
            "age_s": max(0, now_ms - task.created_ms) / 1000,
            "state": "running" if task.running else "waiting",
        }
        for task in held[:OLDEST_KEPT]
    ]


def _process(process: AliveProcess) -> dict[str, Any]:
    state = process.state
    return {
        "id": process.id,
        "version": state.version,
        "started_at": _moment(state.started_ms),
        "said_s": process.said_s,
        "lag_s": round(state.lag_s, 4),
        "running": state.running,
        "waiting": state.waiting,
        "takeovers": state.takeovers,
        "breakers": dict(state.breakers),
    }


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
