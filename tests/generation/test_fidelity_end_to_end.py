"""A damaged answer goes through the whole server: it is repaired, said, or replaced, and paid for once."""
# texts in other scripts look like other letters to ruff, as they should

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

import wiring.work
from accounts import Accounts
from generation.gemini import Gemini
from generation.gemini.errors import ServerFailed
from generation.prompt_text import TEMPLATES
from tests.support.storage import OpenStorage
from tests.support.whole_server import Client, app, changes, client, make_client, service, settings, stack, standin

__all__ = ["app", "changes", "client", "service", "settings", "stack", "standin"]
DRAFT = "Answer for our bakery Sonne. Bread costs €4.80. Call 030 1234567 or mail info@sonne.example. Open 7:00-18:00."
GERMAN = "Du antwortest für unsere Bäckerei und bist immer freundlich. Wir haben montags geschlossen."


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Gemini]:
    """The server's own Gemini, once it is composed."""
    made: list[Gemini] = []

    class Remembered(Gemini):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            made.append(self)

    monkeypatch.setattr(wiring.work, "Gemini", Remembered)
    return made


async def balance(client: Client) -> int:
    return int((await client.ask("GET", "/api/v1/account/")).json["tokens_remaining"])


@pytest.mark.gen_test
async def test_a_faithful_answer_is_kept_with_one_request(client: Client, standin: Any) -> None:
    document = await client.finished(await client.start(DRAFT))
    assert document["fidelity"] == "kept"
    assert document["instruction_version"]
    assert "missing_facts" not in document
    assert "<prompt-" not in document["prompt"]
    assert standin.counters.requests == 1


@pytest.mark.gen_test
async def test_a_lost_fact_is_repaired_by_exactly_one_more_request_and_both_are_paid(
    client: Client, standin: Any, storage: OpenStorage
) -> None:
    before = await balance(client)
    document = await client.finished(await client.start(f"{DRAFT} [[standin:fault=fact_lost,first=1]]"))
    assert document["fidelity"] == "repaired"
    assert "€4.80" in document["prompt"]
    assert "warning" not in document
    assert standin.counters.requests == 2
    assert standin.counters.methods == {"streamGenerateContent": 1, "generateContent": 1}  # nobody watches the second
    first_alone = await balance(client)
    kept = await client.finished(await client.start(DRAFT))
    one_call = kept["tokens_used"]
    assert before - first_alone == document["tokens_used"] > 1.8 * one_call
    assert await Accounts(storage).audit() == []


@pytest.mark.gen_test
async def test_a_fact_that_stays_lost_is_named_and_put_at_the_end(client: Client, standin: Any) -> None:
    document = await client.finished(await client.start(f"{DRAFT} [[standin:fault=fact_lost]]"))
    assert standin.counters.requests == 2
    assert document["generated_by_ai"] is True
    assert document["fidelity"] == "incomplete"
    assert document["missing_facts"] == ["€4.80"]
    assert document["invented_facts"] == []
    assert document["warning_code"] == "facts_missing"
    assert document["prompt"].rstrip().endswith("Bread costs €4.80.")


@pytest.mark.gen_test
@pytest.mark.parametrize(("first", "second"), [("fact_lost", "invented"), ("invented", "fact_lost")])
async def test_of_two_damaged_answers_the_better_one_is_kept_whichever_came_first(
    client: Client, standin: Any, first: str, second: str
) -> None:
    document = await client.finished(await client.start(f"{DRAFT} [[standin:fault={first},first=1,then={second}]]"))
    assert standin.counters.requests == 2
    assert document["fidelity"] == "incomplete"
    assert document["invented_facts"]
    assert not document.get("missing_facts"), "an invented fact is less bad than a lost one"
    assert "\u20ac4.80" in document["prompt"]


@pytest.mark.gen_test
async def test_an_invented_telephone_number_is_named(client: Client) -> None:
    document = await client.finished(await client.start(f"{DRAFT} [[standin:fault=invented]]"))
    assert document["fidelity"] == "incomplete"
    assert document["invented_facts"] == ["+1 800 555 0199"]
    assert document["warning_code"] == "facts_invented"


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("draft", "fault"),
    [(DRAFT, "obeyed"), (DRAFT, "recited"), (GERMAN, "in_english")],
    ids=["obeyed", "recited", "language"],
)
async def test_an_answer_that_is_no_rewrite_gives_way_to_the_fallback(client: Client, draft: str, fault: str) -> None:
    document = await client.finished(await client.start(f"{draft} [[standin:fault={fault}]]"))
    assert document["generated_by_ai"] is False
    assert document["fallback_reason"] == document["warning_code"] == "ai_unfaithful"
    assert draft in document["prompt"]


@pytest.mark.gen_test
async def test_an_answer_without_end_is_not_compared_and_gives_way_to_the_fallback(
    client: Client, standin: Any, storage: OpenStorage
) -> None:
    before = await balance(client)
    document = await client.finished(
        await client.start(f"{DRAFT} [[standin:fault=repeated,words_per_chunk=200,characters_per_token=8]]")
    )
    assert document["fallback_reason"] == "ai_too_large"
    assert DRAFT in document["prompt"]
    assert standin.counters.requests == 1, "what is so long is not sent again to be repaired"
    assert before - await balance(client) == document["tokens_used"] > 2_000
    assert await Accounts(storage).audit() == []


@pytest.mark.gen_test
@pytest.mark.settings(tasks={"deadline_s": 14.0}, gemini={"deadline_s": 5.0})
async def test_without_time_for_a_second_call_none_is_made(client: Client, standin: Any) -> None:
    document = await client.finished(await client.start(f"{DRAFT} [[standin:fault=fact_lost]]"))
    assert standin.counters.requests == 1
    assert document["fidelity"] == "incomplete"


@pytest.mark.gen_test
async def test_an_account_that_cannot_pay_as_much_again_pays_one_call_and_keeps_its_answer(
    client: Client, http_client: AsyncHTTPClient, base_url: str, storage: OpenStorage, standin: Any
) -> None:
    one_call = (await client.finished(await client.start(DRAFT)))["tokens_used"]
    poor = await make_client(storage, http_client, base_url, tokens=2 * one_call)  # a repair sends the answer as well
    before = standin.counters.requests
    document = await poor.finished(await poor.start(f"{DRAFT} [[standin:fault=fact_lost]]"))
    assert standin.counters.requests == before + 1
    assert document["fidelity"] == "incomplete"
    assert document["missing_facts"] == ["€4.80"]
    assert await balance(poor) == 2 * one_call - document["tokens_used"] > 0
    assert await Accounts(storage).audit() == []


@pytest.mark.gen_test
async def test_while_every_circuit_is_open_to_the_account_no_second_call_is_made(
    asked: list[Gemini], client: Client, standin: Any
) -> None:
    task_id = await client.start(f"{DRAFT} [[standin:fault=fact_lost,delay_s=1]]")
    while not standin.counters.requests:  # noqa: ASYNC110  # plain counters have no event to wait for
        await asyncio.sleep(0.01)
    for model in asked[0].models.all:  # the stand-in runs on this loop: its answer has not come yet
        while not model.breaker.closed_to(client.account_id):
            with pytest.raises(ServerFailed), model.breaker.call(client.account_id):
                raise ServerFailed(status=503)
    document = await client.finished(task_id)
    assert standin.counters.requests == 1
    assert document["fidelity"] == "incomplete"
    assert document["missing_facts"] == ["€4.80"]


@pytest.mark.gen_test
async def test_the_stream_has_no_marks_and_nothing_of_the_second_call(client: Client, standin: Any) -> None:
    task_id = await client.start(f"{DRAFT} [[standin:fault=fact_lost,first=1]]")
    document = await client.finished(task_id)
    events = await client.ask("GET", f"/api/v1/web-knowledge/generate-prompt-async/events/{task_id}/")
    text = events.body.decode()
    assert "<prompt-" not in text
    assert "</prompt" not in text
    shown, _, end = text.partition('"status":"completed"')  # where the text ends that was shown while it came is chance
    assert "€4.80" not in shown
    assert end.count("Bread costs €4.80") == 1
    assert document["prompt"].count("Bread costs €4.80") == 1


START = "/api/v1/web-knowledge/generate-prompt-async/"


@pytest.mark.gen_test
async def test_feedback_and_business_type_reach_gemini_as_data_and_guidelines(client: Client, standin: Any) -> None:
    body = {"manual_prompt": DRAFT, "feedback": "Make it shorter.", "business_type": "clinic"}
    started = await client.ask("POST", START, body)
    assert started.status == 202
    document = await client.finished(started.json["task_id"])
    assert document["fidelity"] == "kept"
    synchronous = await client.ask("POST", "/api/v1/web-knowledge/generate-prompt/", body)
    assert synchronous.json["fidelity"] == "kept"
    for sent in map(json.loads, standin.last_bodies):
        data = json.loads(sent["contents"][0]["parts"][0]["text"])
        assert data == {"manual_prompt": DRAFT, "feedback": "Make it shorter."}
        instruction = sent["systemInstruction"]["parts"][0]["text"]
        assert "Make it shorter." not in instruction
        assert (TEMPLATES / "clinic.md").read_text("utf-8").strip() in instruction


@pytest.mark.gen_test
async def test_the_second_call_has_draft_answer_and_feedback_as_data_too(client: Client, standin: Any) -> None:
    body = {"manual_prompt": f"{DRAFT} [[standin:fault=fact_lost,first=1]]", "feedback": "Make it shorter."}
    started = await client.ask("POST", START, body)
    document = await client.finished(started.json["task_id"])
    assert document["fidelity"] == "repaired"
    first, second = (json.loads(sent) for sent in standin.last_bodies)
    data = json.loads(second["contents"][0]["parts"][0]["text"])
    assert data["missing"] == ["€4.80"]
    assert data["feedback"] == "Make it shorter."
    assert "Bread costs ." in data["answer"]
    assert first["systemInstruction"] == second["systemInstruction"]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("feedback", "x" * 2_001, "invalid_feedback"),
        ("feedback", "a\0b", "invalid_feedback"),
        ("feedback", 5, "invalid_feedback"),
        ("business_type", "airport", "unknown_business_type"),
        ("business_type", ["clinic"], "unknown_business_type"),
    ],
)
async def test_what_steers_is_checked(client: Client, member: str, value: Any, code: str) -> None:
    answer = await client.ask("POST", START, {"manual_prompt": DRAFT, member: value})
    assert answer.status == 400
    assert answer.json["error_code"] == code


@pytest.mark.gen_test
async def test_another_feedback_makes_another_body_for_an_idempotency_key(client: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await client.ask("POST", START, {"manual_prompt": DRAFT, "feedback": "shorter"}, headers=key)
    again = await client.ask("POST", START, {"manual_prompt": DRAFT, "feedback": "shorter"}, headers=key)
    other = await client.ask("POST", START, {"manual_prompt": DRAFT, "feedback": "longer"}, headers=key)
    assert again.json["task_id"] == first.json["task_id"]
    assert other.status == 422
