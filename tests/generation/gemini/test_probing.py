"""``main.py check-config --probe``: the whole command, in a process of its own, against the stand-in."""

from __future__ import annotations

import pytest

from standin import Behaviour, Standin
from tests.support.probe_command import line_of, probe


@pytest.mark.gen_test
async def test_each_model_is_asked_one_word_and_says_what_it_costs_and_when_it_retires(standin: Standin) -> None:
    standin.behave(Behaviour(model_stage="LEGACY", retirement_time="2027-02-01T00:00:00Z"))
    code, printed, _ = await probe(standin)
    assert code == 0
    for model in ("gemini-3.8-flash", "gemini-3.6-flash"):
        line = line_of(model, printed)
        assert "answers in" in line
        assert "tokens (input " in line
        assert "stage LEGACY, retires 2027-02-01" in line
    assert dict(standin.counters.models) == {"gemini-3.8-flash": 1, "gemini-3.6-flash": 1}


@pytest.mark.gen_test
async def test_a_model_that_does_not_answer_is_named_and_the_command_ends_with_1(standin: Standin) -> None:
    standin.behave(Behaviour(fault="not_found", model="gemini-3.8-flash"))
    code, printed, complaints = await probe(standin)
    assert code == 1
    assert "does not answer: ModelUnavailable (http_status 404" in line_of("gemini-3.8-flash", printed)
    assert "answers in" in line_of("gemini-3.6-flash", printed)
    assert "1 of 2 models do not answer: gemini-3.8-flash" in complaints


@pytest.mark.gen_test
async def test_a_wrong_key_is_said_and_not_shown(standin: Standin) -> None:
    code, printed, _ = await probe(standin, key="not-the-stand-ins-key")
    assert code == 1
    assert "API_KEY_INVALID" in line_of("gemini-3.8-flash", printed)


@pytest.mark.gen_test
async def test_a_model_that_never_answers_is_given_up_after_the_calls_deadline(standin: Standin) -> None:
    standin.behave(Behaviour(fault="hang"))
    code, printed, _ = await probe(standin, PROMPT_GEMINI__DEADLINE_S="0.5")
    assert code == 1
    assert "TimedOut" in line_of("gemini-3.6-flash", printed)


@pytest.mark.gen_test
async def test_a_thinking_level_that_a_model_refuses_is_lowered_and_said(standin: Standin) -> None:
    code, printed, _ = await probe(standin, PROMPT_GEMINI__THINKING_LEVEL="minimal")
    assert code == 0
    assert "thinking level low" in line_of("gemini-3.8-flash", printed)
    assert "thinking level minimal" in line_of("gemini-3.6-flash", printed)
