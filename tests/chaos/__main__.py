"""``python -m tests.chaos``: run every scenario, print the table, end with exit code 1 on any miss."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom

from tests.chaos import (
    clocks,
    clusters,
    gemini,
    generated,
    kills,
    lost_answers,
    masters,
    money,
    outages,
    pauses,
    races,
    restarts,
    soak,
    storage,
    streams,
    walk,
    webhooks,
)
from tests.chaos.outcome import Outcome, table
from tests.chaos.verdict import Verdict
from tests.chaos.world import LONGEST_S


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named run: how often it does its thing in the long and in the quick version."""

    name: str
    run: Callable[[int, Random], Awaitable[Outcome]]
    rounds: int
    quick: int


SCENARIOS = (
    Scenario("kill -9, another process takes over", kills.kill_with_another_process, 20, 3),
    Scenario("kill -9, started again alone", kills.kill_and_start_again, 20, 3),
    Scenario("kill -9, default leases", kills.kill_with_real_leases, 6, 1),
    Scenario("kill -9 before webhooks", webhooks.killed_before_delivering, 10_000, 500),
    Scenario("SIGSTOP longer than the lease", pauses.stop_longer_than_the_lease, 10, 2),
    Scenario("cancel against complete, scripts", races.cancel_against_complete, 10_000, 500),
    Scenario("cancel against complete, HTTP", races.cancel_against_complete_over_http, 50, 5),
    Scenario("submits at a balance for one hold", races.submits_at_a_balance_for_one, 50, 3),
    Scenario("short balances, scripts", money.scripts_at_short_balances, 10_000, 500),
    Scenario("short balances, HTTP", money.servers_at_short_balances, 1_000, 50),
    Scenario("identical submits, two processes", races.identical_submits, 50, 5),
    Scenario("Redis killed under load", storage.killed_under_load, 10, 2),
    Scenario("Redis in trouble under load", storage.troubles_under_load, 4, 1),
    Scenario("planned failovers, Sentinel", masters.planned_failovers, 10, 2),
    Scenario("killed masters, Sentinel", masters.killed_masters, 10, 2),
    Scenario("slots that move, cluster", clusters.moved_slots, 10, 2),
    Scenario("planned failovers, cluster", clusters.promoted_replicas, 10, 2),
    Scenario("killed masters, cluster", clusters.killed_masters, 10, 2),
    Scenario("failovers without Sentinel: the name moves", masters.moved_names, 10, 2),
    Scenario("Redis ends connections after HELLO", storage.ends_after_hello_under_load, 10, 2),
    Scenario("submits lose their answers behind nginx", lost_answers.submits_lose_their_answers, 30, 5),
    Scenario("wall clock stepped both ways", clocks.wall_clock_stepped, 10, 2),
    Scenario("SIGTERM with 400 streams whose clients leave", streams.terminated_with_streams, 10, 2),
    Scenario("Gemini's faults under load", gemini.every_fault, 2, 1),
    Scenario("Gemini overloaded for long", gemini.overloaded_for_long, 600, 10),
    Scenario("first model away for long, then all", outages.models_away, 600, 10),
    Scenario("rolling restarts behind nginx", restarts.rolling_restarts, 10, 2),
    Scenario("rolling update of four behind nginx", restarts.rolling_update, 10_000, 1_000),
    Scenario("nothing grows", soak.nothing_grows, 1_200, 120),
    Scenario("scripts against their model", generated.scripts_against_their_model, 1_000, 40),
    Scenario("express lane against Tornado", generated.lane_against_tornado, 20_000, 400),
    Scenario("random walk", walk.random_walk, 300, 30),
)


async def run(scenario: Scenario, seed: int, *, quick: bool) -> tuple[Outcome, float]:
    """Run one scenario; whatever goes wrong is an outcome too."""
    began = time.monotonic()
    rounds = scenario.quick if quick else scenario.rounds
    try:
        async with asyncio.timeout(LONGEST_S):
            outcome = await scenario.run(rounds, Random(f"{seed} {scenario.name}"))
    except Exception:  # noqa: BLE001  # it is shown, counts as a miss, and the other scenarios still run
        traceback.print_exc()
        outcome = Outcome("?", Verdict(), missed=["it broke down"])
    return outcome, time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds of everything")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="scenarios with this in their name")
    parser.add_argument(
        "--older", type=Path, metavar="FOLDER", help="update from the older version in this folder, too"
    )
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1 << 32), help="repeat a run's draws")
    arguments = parser.parse_args()
    scenarios = list(SCENARIOS)
    if arguments.older:
        run_updates = restarts.updates_from(arguments.older.absolute())
        scenarios.append(Scenario("updates from an older version behind nginx", run_updates, 10_000, 1_000))
    chosen = [each for each in scenarios if not arguments.only or any(text in each.name for text in arguments.only)]
    if not chosen:
        parser.error("no such scenario; there are:\n  " + "\n  ".join(each.name for each in scenarios))
    print(f"seed {arguments.seed}", flush=True)
    rows, good = [], True
    for scenario in chosen:
        outcome, seconds = asyncio.run(run(scenario, arguments.seed, quick=arguments.quick))
        good &= outcome.good
        rows.append(outcome.cells(scenario.name, seconds))
        print(("ok    " if outcome.good else "MISS  ") + "  ".join(rows[-1]), flush=True)
        if not outcome.good:
            print(outcome.verdict, flush=True)
    print("\n" + table(rows) + f"\n\nseed {arguments.seed}: " + ("every promise was kept" if good else "MISSES"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
