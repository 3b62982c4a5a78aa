"""A second answer that finds no end changes nothing but the bill: the first one is shown with what it lacks."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import Accounts
from standin.behaviour import Behaviour
from tests.support.storage import OpenStorage
from tests.support.topologies import until_true
from tests.support.whole_server import Client, app, changes, client, service, settings, stack, standin

__all__ = ["app", "changes", "client", "service", "settings", "stack", "standin"]
DRAFT = "Answer for our bakery Sonne. Bread costs €4.80. Call 030 1234567 or mail info@sonne.example. Open 7:00-18:00."


async def balance(client: Client) -> int:
    return int((await client.ask("GET", "/api/v1/account/")).json["tokens_remaining"])


@pytest.mark.gen_test
async def test_a_second_answer_without_end_is_paid_and_not_shown(
    client: Client, standin: Any, storage: OpenStorage
) -> None:
    before = await balance(client)
    standin.behave(Behaviour(fault="fact_lost", delay_s=2.0))
    task_id = await client.start(DRAFT)

    async def asked_once() -> bool:
        return bool(standin.counters.faults["fact_lost"])

    await until_true(asked_once)
    standin.behave(Behaviour(fault="repeated", words_per_chunk=200, characters_per_token=8))
    document = await client.finished(task_id)
    assert standin.counters.faults == {"fact_lost": 1, "repeated": 1}
    assert document["fidelity"] == "incomplete"
    assert document["missing_facts"] == ["€4.80"]
    assert len(document["prompt"]) < 2_000
    assert before - await balance(client) == document["tokens_used"] > 2_000
    assert await Accounts(storage).audit() == []
