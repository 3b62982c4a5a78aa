"""Several models: who is asked when the first one cannot, and what is remembered of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from generation.gemini import GeminiError
from generation.gemini.errors import (
    AnswerEmpty,
    CircuitOpen,
    Misconfigured,
    ModelUnavailable,
    RequestRejected,
    ServerFailed,
)
from generation.gemini.models import Models
from standin import Behaviour, Standin
from tests.generation.gemini.conftest import MakeGemini, ask, settings_for
from tests.generation.gemini.served import Recorded, Recorder, serve

FIRST, SECOND = "gemini-3.8-flash", "gemini-3.6-flash"
BOTH = [FIRST, SECOND]


@dataclass
class InTurn(Recorded):
    """The same body again and again, with one HTTP status after the other."""

    statuses: tuple[int, ...] = ()

    def bytes_on_the_wire(self) -> bytes:
        self.http_status = self.statuses[len(self.requests) - 1] if self.statuses else 200
        return super().bytes_on_the_wire()


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        ("not_found", 1),
        ("overloaded", 3),
        ("internal", 3),
        ("quota_per_day", 1),
        ("rate_limited_bare", 3),
        ("empty", 2),
    ],
)
async def test_the_next_model_answers_when_the_first_cannot(
    make_gemini: MakeGemini, standin: Standin, fault: str, tries: int
) -> None:
    standin.behave(Behaviour(fault=fault, model=FIRST))
    answered: list[tuple[str, str]] = []
    gemini = await make_gemini(models=BOTH, answered=lambda model, tier: answered.append((model, tier)))
    answer = await ask(gemini)
    assert answer.model == SECOND
    assert answered == [(SECOND, "standard")]
    assert standin.counters.models == {FIRST: tries, SECOND: 1}


@pytest.mark.gen_test
@pytest.mark.parametrize("fault", ["api_key_invalid", "blocked_prompt", "bad_request", "payment_required"])
async def test_what_every_model_would_refuse_is_asked_of_one(
    make_gemini: MakeGemini, standin: Standin, fault: str
) -> None:
    standin.behave(Behaviour(fault=fault, model=FIRST))
    with pytest.raises(GeminiError):
        await ask(await make_gemini(models=BOTH))
    assert standin.counters.models == {FIRST: 1}


@pytest.mark.gen_test
async def test_there_is_no_other_model_after_text_was_shown(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(fault="error_mid_stream", model=FIRST))
    recorder = Recorder()
    with pytest.raises(Exception, match="cut_by=ServerFailed"):
        await ask(await make_gemini(models=BOTH), observer=recorder)
    assert recorder.said
    assert standin.counters.models == {FIRST: 1}


@pytest.mark.gen_test
async def test_a_model_that_hangs_leaves_time_for_the_next(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(fault="hang", model=FIRST))
    gemini = await make_gemini(models=BOTH, silence_timeout_s=0.5)
    assert (await ask(gemini)).model == SECOND
    assert standin.counters.models == {FIRST: 1, SECOND: 1}


@pytest.mark.gen_test
async def test_a_model_whose_refusals_take_long_leaves_half_of_the_time_for_the_next(
    make_gemini: MakeGemini, standin: Standin
) -> None:
    standin.behave(Behaviour(fault="overloaded", model=FIRST, delay_s=3.0))
    gemini = await make_gemini(models=BOTH, deadline_s=10.0, silence_timeout_s=9.0)
    assert (await ask(gemini)).model == SECOND
    assert standin.counters.models == {FIRST: 1, SECOND: 1}


@pytest.mark.gen_test
async def test_each_model_has_a_circuit_of_its_own(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(fault="overloaded", model=FIRST))
    gemini = await make_gemini(models=BOTH, breaker_failures=2, breaker_open_s=60, tries=1)
    for _call in range(5):
        assert (await ask(gemini)).model == SECOND
    assert standin.counters.models == {FIRST: 2, SECOND: 5}
    assert [model.breaker.state for model in gemini.models.all] == ["open", "closed"]


@pytest.mark.gen_test
async def test_with_all_models_away_the_failure_says_why(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(fault="overloaded"))
    gemini = await make_gemini(models=BOTH, breaker_failures=1, breaker_open_s=60, tries=1)
    with pytest.raises(ServerFailed):
        await ask(gemini)
    with pytest.raises(CircuitOpen):
        await ask(gemini)
    assert standin.counters.models == {FIRST: 1, SECOND: 1}


@pytest.mark.gen_test
async def test_a_retired_model_is_reported_and_skipped_for_a_time(
    make_gemini: MakeGemini, standin: Standin, logged: list[Any]
) -> None:
    standin.behave(Behaviour(fault="not_found", model=FIRST))
    gemini = await make_gemini(models=BOTH)
    for _call in range(3):
        await ask(gemini)
    assert standin.counters.models == {FIRST: 1, SECOND: 3}
    told = [line for line in logged if line["event"] == "gemini_model_unavailable"]
    assert [(line["log_level"], line["model"]) for line in told] == [("error", FIRST)]
    assert [model.unavailable for model in gemini.models.all] == [True, False]


@pytest.mark.gen_test
async def test_a_model_that_answers_again_is_no_longer_reported_as_gone(
    make_gemini: MakeGemini, standin: Standin
) -> None:
    standin.behave(Behaviour(fault="not_found", model=FIRST))
    gemini = await make_gemini(models=BOTH, model_aside_s=1e-9)
    await ask(gemini)
    assert gemini.models.all[0].unavailable
    standin.behave(Behaviour())
    assert (await ask(gemini)).model == FIRST
    assert not gemini.models.all[0].unavailable


@pytest.mark.gen_test
async def test_models_that_are_all_gone_are_asked_all_the_same(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(fault="not_found"))
    gemini = await make_gemini(models=BOTH)
    for _call in range(2):
        with pytest.raises(ModelUnavailable) as failure:
            await ask(gemini)
        assert isinstance(failure.value, Misconfigured)
    assert standin.counters.models == {FIRST: 2, SECOND: 2}


def test_a_model_comes_back_after_its_time_aside() -> None:
    clock = Clock()
    models = Models(settings_for("http://g.example", models=BOTH, model_aside_s=300), clock)
    models.set_aside(models.all[0])
    assert [model.name for model in models.in_order()] == [SECOND]
    clock.now_s = 301.0
    assert [model.name for model in models.in_order()] == BOTH


def test_one_model_alone_takes_the_place_of_the_list() -> None:
    assert settings_for("http://g.example", models=BOTH, model="gemini-4-argon").asked_models == ("gemini-4-argon",)


@pytest.mark.gen_test
async def test_a_thinking_level_that_a_model_has_not_is_lowered_once_and_for_all(
    make_gemini: MakeGemini, standin: Standin, logged: list[Any]
) -> None:
    gemini = await make_gemini(thinking_level="minimal", tries=1)
    for _call in range(2):
        assert (await ask(gemini)).model == FIRST
    assert [line["event"] for line in logged] == ["gemini_thinking_level_lowered", "gemini_answered", "gemini_answered"]
    assert logged[0]["level"] == "low"


@pytest.mark.gen_test
async def test_requests_that_are_refused_for_one_level_at_once_lower_it_once(make_gemini: MakeGemini) -> None:
    gemini = await make_gemini(thinking_level="minimal", tries=1)
    answers = await asyncio.gather(*(ask(gemini) for _request in range(10)))
    assert {answer.model for answer in answers} == {FIRST}
    assert gemini.models.all[0].thinking_level == "low"


@pytest.mark.gen_test
async def test_the_tier_is_asked_for_and_the_one_that_answered_is_told(make_gemini: MakeGemini) -> None:
    assert (await ask(await make_gemini(service_tier="flex"))).tier == "flex"


@pytest.mark.gen_test
async def test_the_end_that_google_announces_is_kept(make_gemini: MakeGemini) -> None:
    status = b'"modelStatus":{"modelStage":"LEGACY","retirementTime":"2027-02-01T00:00:00Z","message":"words"}'
    body = b'{"candidates":[{"content":{"parts":[{"text":"Hi."}]},"finishReason":"STOP"}],%b}' % status
    async with serve(Recorded(body)) as recorded:
        gemini = await make_gemini(base_url=recorded.url)
        await ask(gemini)
    assert gemini.models.all[0].stage == "LEGACY"
    assert gemini.models.all[0].retires_at == 1_801_440_000.0


@pytest.mark.gen_test
@pytest.mark.parametrize("statuses", [(), (200, 503, 503, 200)])
async def test_too_small_a_cap_is_raised_once_whichever_model_is_asked(
    make_gemini: MakeGemini, statuses: tuple[int, ...]
) -> None:
    async with serve(InTurn(b'{"candidates":[{"finishReason":"MAX_TOKENS"}]}', statuses=statuses)) as recorded:
        with pytest.raises(AnswerEmpty, match="MAX_TOKENS"):
            await ask(await make_gemini(base_url=recorded.url, models=BOTH), "x" * 100)
    caps = [int(request.split(b'"maxOutputTokens": ')[1].split(b",")[0]) for request in recorded.requests]
    assert caps == [24_776] + [49_552] * (len(statuses) - 1 if statuses else 1)


@pytest.mark.gen_test
@pytest.mark.parametrize(("before", "tries"), [((), 1), ((503, 503), 3)])
async def test_a_larger_cap_is_no_try_of_those_that_are_counted(
    make_gemini: MakeGemini, before: tuple[int, ...], tries: int
) -> None:
    body = b'{"candidates":[{"finishReason":"MAX_TOKENS"}]}'
    async with serve(InTurn(body, statuses=(*before, 200, 200))) as recorded:
        with pytest.raises(AnswerEmpty, match="MAX_TOKENS"):
            await ask(await make_gemini(base_url=recorded.url, tries=tries), "x" * 100)
    caps = [int(request.split(b'"maxOutputTokens": ')[1].split(b",")[0]) for request in recorded.requests]
    assert caps == [24_776] * (len(before) + 1) + [49_552]


@pytest.mark.gen_test
async def test_a_bad_request_is_not_taken_for_a_thinking_level(make_gemini: MakeGemini, standin: Standin) -> None:
    with pytest.raises(RequestRejected):
        await ask(await make_gemini(thinking_level="minimal", models=[SECOND]), "x [[standin:fault=bad_request]]")
    assert standin.counters.requests == 1
