"""Many tasks at balances that are too short for them: nothing uncollected, nobody below zero, every ledger adds up."""

from __future__ import annotations

import asyncio
from random import Random

from tests.chaos.money import scripts_at_short_balances, servers_at_short_balances


def test_scripts_at_short_balances_leave_nothing_uncollected() -> None:
    outcome = asyncio.run(scripts_at_short_balances(200, Random(4_711)))
    assert outcome.good, (outcome.missed, str(outcome.verdict))


def test_servers_at_short_balances_leave_nothing_uncollected() -> None:
    outcome = asyncio.run(servers_at_short_balances(50, Random(4_711)))
    assert outcome.good, (outcome.missed, str(outcome.verdict))
