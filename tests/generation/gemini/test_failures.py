"""Every fault that the stand-in can show, and what the client makes of it: outcome, tries, time."""

from __future__ import annotations

import asyncio
import time

import pytest

from generation.gemini.errors import (
    AnswerBlocked,
    AnswerEmpty,
    AnswerTooLarge,
    AnswerTruncated,
    ConnectionFailed,
    GeminiError,
    MalformedAnswer,
    Misconfigured,
    ModelUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
)
from standin import FAULTS, Standin
from standin.faults import DAMAGES
from tests.generation.gemini.conftest import MakeGemini, ask
from tests.generation.gemini.served import Recorder
from tests.support.gemini_faults import HARMLESS

# Fault → failure, tries (of 3) when streamed, tries when not (None: not a fault there). A stream that has shown text
# is never tried again.
OUTCOMES: dict[str, tuple[type[GeminiError], int, int | None]] = {
    "bad_request": (RequestRejected, 1, 1),
    "api_key_invalid": (Misconfigured, 1, 1),
    "failed_precondition": (Misconfigured, 1, 1),
    "billing": (Misconfigured, 1, 1),
    "unauthenticated": (Misconfigured, 1, 1),
    "payment_required": (QuotaExhausted, 1, 1),
    "permission_denied": (Misconfigured, 1, 1),
    "key_leaked": (Misconfigured, 1, 1),
    "api_disabled": (Misconfigured, 1, 1),
    "not_found": (ModelUnavailable, 1, 1),
    "rate_limited": (RateLimited, 3, 3),
    "rate_limited_bare": (RateLimited, 3, 3),
    "rate_limited_in_array": (RateLimited, 3, 3),
    "quota_per_day": (QuotaExhausted, 1, 1),
    "internal": (ServerFailed, 3, 3),
    "overloaded": (ServerFailed, 3, 3),
    "high_demand": (ServerFailed, 3, 3),
    "gateway_timeout": (ServerFailed, 3, 3),
    "blocked_prompt": (AnswerBlocked, 1, 1),
    "blocked_for_unknown_reason": (AnswerBlocked, 1, 1),
    "safety": (AnswerBlocked, 1, 1),
    "recitation": (AnswerBlocked, 1, 1),
    "prohibited_content": (AnswerBlocked, 1, 1),
    "max_tokens": (AnswerTruncated, 1, 1),
    "max_tokens_empty": (AnswerEmpty, 2, 2),
    "empty": (AnswerEmpty, 2, 2),
    "no_candidates": (AnswerEmpty, 3, 3),
    "malformed_response": (AnswerEmpty, 2, 2),
    "continuation": (AnswerTruncated, 1, 1),
    "unexpected_tool_call": (AnswerTruncated, 1, 1),
    "model_armor": (AnswerBlocked, 1, 1),
    "model_armor_empty": (AnswerBlocked, 1, 1),
    "unknown_finish": (AnswerTruncated, 1, 1),
    "truncated": (AnswerTruncated, 1, None),
    "hang": (TimedOut, 3, 3),
    "hang_mid_stream": (TimedOut, 1, 3),
    "byte_a_second": (TimedOut, 3, 3),
    "reset": (ConnectionFailed, 3, 3),
    "reset_after_headers": (ConnectionFailed, 3, 3),
    "reset_mid_stream": (AnswerTruncated, 1, 3),
    "cut_mid_stream": (AnswerTruncated, 1, 3),
    "error_mid_stream": (AnswerTruncated, 1, 3),
    "error_mid_stream_data": (AnswerTruncated, 1, 3),
    "html_error": (ServerFailed, 3, 3),
    "html": (MalformedAnswer, 3, 3),
    "wrong_utf8": (AnswerTruncated, 1, 3),
    "broken_json": (MalformedAnswer, 3, 3),
    "huge": (AnswerTooLarge, 1, 1),
    "redirect": (Misconfigured, 1, 1),
}
# Where passing the words on first and failing then leaves another failure when nothing was passed on.
UNSTREAMED = {
    "reset_mid_stream": ConnectionFailed,
    "cut_mid_stream": ConnectionFailed,
    "error_mid_stream": MalformedAnswer,
    "error_mid_stream_data": MalformedAnswer,
    "wrong_utf8": MalformedAnswer,
}


def test_every_fault_has_an_outcome() -> None:
    assert OUTCOMES.keys() | HARMLESS == set(FAULTS)


@pytest.mark.gen_test
@pytest.mark.parametrize("fault", OUTCOMES)
@pytest.mark.parametrize("stream", [True, False])
async def test_each_fault_has_its_failure_its_tries_and_an_end(
    make_gemini: MakeGemini, standin: Standin, fault: str, stream: bool
) -> None:
    failure, streamed_tries, other_tries = OUTCOMES[fault]
    tries = streamed_tries if stream else other_tries
    text = f"Sell bread and cakes to everybody. [[standin:fault={fault},retry_after=0.02]]"
    silence_s = 0.2 if failure is TimedOut else 30.0
    client = await make_gemini(stream=stream, silence_timeout_s=silence_s, answer_bytes=400_000)
    if tries is None:
        await ask(client, text)
        return
    with pytest.raises(GeminiError) as caught:
        await ask(client, text)
    expected = failure if stream else UNSTREAMED.get(fault, failure)
    assert type(caught.value) is expected
    assert standin.counters.requests == tries
    assert standin.counters.faults == {fault: tries}


@pytest.mark.gen_test
@pytest.mark.parametrize("fault", sorted(HARMLESS))
@pytest.mark.parametrize("stream", [True, False])
async def test_oddities_that_do_no_harm_are_passed_over(make_gemini: MakeGemini, fault: str, stream: bool) -> None:
    answer = await ask(await make_gemini(stream=stream), f"Bake. [[standin:fault={fault}]]")
    assert answer.text if fault in DAMAGES else "Bake." in answer.text
    assert answer.tries == 1


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "fault", ["overloaded", "rate_limited", "rate_limited_bare", "reset", "html", "hang", "no_candidates"]
)
@pytest.mark.parametrize("first", [1, 2])
async def test_what_goes_by_is_tried_again(make_gemini: MakeGemini, standin: Standin, fault: str, first: int) -> None:
    gemini = await make_gemini(silence_timeout_s=0.5)
    answer = await ask(gemini, f"Bake. [[standin:fault={fault},first={first},retry_after=0.05]]")
    assert answer.tries == first + 1
    assert standin.counters.requests == first + 1


@pytest.mark.gen_test
async def test_the_wait_that_google_asks_for_is_kept(make_gemini: MakeGemini) -> None:
    began = time.monotonic()
    answer = await ask(await make_gemini(), "Bake. [[standin:fault=rate_limited,first=1,retry_after=0.35]]")
    assert answer.tries == 2
    assert time.monotonic() - began >= 0.35


@pytest.mark.gen_test
@pytest.mark.parametrize("fault", ["rate_limited", "quota_per_day"])
async def test_a_wait_beyond_the_deadline_is_not_begun(make_gemini: MakeGemini, standin: Standin, fault: str) -> None:
    began = time.monotonic()
    with pytest.raises((RateLimited, QuotaExhausted)):
        await ask(await make_gemini(), f"Bake. [[standin:fault={fault},first=1,retry_after=34.4]]", within_s=30)
    assert time.monotonic() - began < 20
    assert standin.counters.requests == 1


@pytest.mark.gen_test
async def test_waits_grow_and_end_with_the_deadline(make_gemini: MakeGemini, standin: Standin) -> None:
    gemini = await make_gemini(tries=1_000, retry_base_s=0.01, retry_max_s=0.05)
    began = time.monotonic()
    with pytest.raises((ServerFailed, TimedOut)):  # the deadline may strike between tries or within the last
        await ask(gemini, "Bake. [[standin:fault=overloaded]]", within_s=0.6)
    assert time.monotonic() - began < 30
    assert 0 < standin.counters.requests < 200


@pytest.mark.gen_test
@pytest.mark.parametrize("within_s", [0.0, -5.0])
async def test_a_deadline_that_has_passed_asks_nobody(
    make_gemini: MakeGemini, standin: Standin, within_s: float
) -> None:
    with pytest.raises(TimedOut) as caught:
        await ask(await make_gemini(), within_s=within_s)
    assert not caught.value.strikes
    assert standin.counters.requests == 0


@pytest.mark.gen_test
async def test_the_deadline_says_how_far_the_answer_had_come(make_gemini: MakeGemini) -> None:
    gemini = await make_gemini(connections=1, deadline_s=0.6)
    with pytest.raises(TimedOut) as asking:
        await ask(gemini, "Bake. [[standin:fault=hang]]", within_s=0.6)
    with pytest.raises(TimedOut) as answering:
        await ask(gemini, "Bake. [[standin:fault=hang_mid_stream]]", within_s=0.6)
    recorder = Recorder()
    holding = asyncio.ensure_future(ask(gemini, "Bake. [[standin:fault=hang]]", observer=recorder))
    await recorder.sent.wait()
    with pytest.raises(TimedOut) as queueing:
        await ask(gemini, within_s=0.3)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert asking.value.facts == {"limit": "deadline", "phase": "asking"}
    assert answering.value.facts == {"limit": "deadline", "phase": "answering"}
    assert queueing.value.facts == {"limit": "deadline", "phase": "queue"}
    assert asking.value.strikes
    assert answering.value.strikes
    assert queueing.value.strikes is None, "our own queue says nothing about Google"


@pytest.mark.gen_test
async def test_tasks_that_came_too_late_do_not_open_the_breaker(make_gemini: MakeGemini, standin: Standin) -> None:
    """What a backlog does: tasks that reach Gemini with their last second, though it answers in five."""
    gemini = await make_gemini(breaker_failures=3)
    for _task in range(4):
        with pytest.raises(TimedOut) as caught:
            await ask(gemini, "Bake. [[standin:fault=hang]]", within_s=0.1)
        assert caught.value.strikes is None
    assert gemini.breaker_state == "closed"


@pytest.mark.gen_test
async def test_silence_ends_a_try_and_not_the_call(make_gemini: MakeGemini, standin: Standin) -> None:
    gemini = await make_gemini(silence_timeout_s=2.0)  # the second try must not seem silent on a busy machine
    answer = await ask(gemini, "Bake. [[standin:fault=hang,first=1]]")
    assert answer.tries == 2
    assert standin.counters.disconnected == 1


@pytest.mark.gen_test
async def test_a_byte_a_second_is_bounded_by_the_deadline(make_gemini: MakeGemini, standin: Standin) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        await ask(await make_gemini(), "Bake. [[standin:fault=byte_a_second]]", within_s=1.2)
    assert time.monotonic() - began < 60
    assert caught.value.facts == {"limit": "deadline", "phase": "answering"}
    assert standin.counters.requests == 1


@pytest.mark.gen_test
async def test_what_cut_an_answer_short_is_kept(make_gemini: MakeGemini) -> None:
    with pytest.raises(AnswerTruncated) as caught:
        await ask(await make_gemini(), "Bake. [[standin:fault=error_mid_stream]]")
    assert caught.value.facts == {"cut_by": "ServerFailed", "http_status": 503, "status": "UNAVAILABLE"}
    assert caught.value.strikes
    assert isinstance(caught.value.__cause__, ServerFailed)
