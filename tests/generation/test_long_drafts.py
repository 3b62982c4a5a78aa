"""The longest drafts through the whole server, and models that think for long before the first word."""
# ruff: noqa: RUF001  # texts in other scripts look like other letters to ruff, as they should

from __future__ import annotations

from typing import Any

import pytest

from generation.gemini.request import output_cap
from runtime.settings import GeminiSettings
from standin import Behaviour
from tests.support.whole_server import Client, app, changes, client, service, settings, stack, standin

__all__ = ["app", "changes", "client", "service", "settings", "stack", "standin"]
LENGTH = 20_000
SENTENCES = {
    "latin": "Answer guests of house {} kindly and name the price of the day. ",
    "arabic": "به مهمان خانه {} با مهربانی پاسخ بده و قیمت روز را بگو. ",
    "han": "请友好地回答第{}号店客人的问题，并说明当天的价格。",
}


def draft_of(script: str) -> str:
    return "".join(SENTENCES[script].format(number) for number in range(1_000))[:LENGTH].strip()


@pytest.mark.gen_test
@pytest.mark.parametrize("script", SENTENCES)
async def test_a_draft_of_20000_characters_comes_back_whole_where_a_token_is_one_and_a_half_characters(
    client: Client, standin: Any, script: str
) -> None:
    standin.behave(Behaviour(characters_per_token=1.5, thought_tokens=2_000, words_per_chunk=200))
    draft = draft_of(script)
    document = await client.finished(await client.start(draft))
    assert document["generated_by_ai"] is True
    assert document["fidelity"] == "kept"
    assert len(document["prompt"]) > 0.95 * len(draft)
    assert document["tokens_used"] > 2 * len(draft) / 1.5
    assert standin.counters.requests == 1


@pytest.mark.gen_test
@pytest.mark.settings(gemini={"silence_timeout_s": 15.0})
async def test_a_model_that_thinks_in_silence_is_waited_for_and_its_thoughts_are_charged(
    client: Client, standin: Any
) -> None:
    standin.behave(Behaviour(delay_s=1.5, tokens_per_second=1e6, thought_tokens=3_000))
    document = await client.finished(await client.start("Answer for our bakery Sonne. Bread costs €4.80."))
    assert document["generated_by_ai"] is True
    assert document["tokens_used"] > 3_000
    assert standin.counters.requests == 1


def test_the_default_settings_wait_for_45_silent_seconds_and_give_a_long_draft_room() -> None:
    gemini = GeminiSettings()
    assert 45 < gemini.silence_timeout_s < gemini.deadline_s
    assert output_cap(gemini, "x" * LENGTH) >= LENGTH * 2
