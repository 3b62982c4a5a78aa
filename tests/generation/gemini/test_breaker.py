"""The circuit breaker by itself, then around the client."""

from __future__ import annotations

import asyncio
import time

import pytest

from generation.gemini.breaker import Breaker
from generation.gemini.errors import AnswerBlocked, CircuitOpen, GeminiError, RateLimited, ServerFailed, TimedOut
from standin import Behaviour, Standin
from tests.generation.gemini.conftest import MakeGemini, ask, until
from tests.generation.gemini.served import Recorder


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """Opens for 30 s after three failures in a row."""
    return Breaker(3, 30.0, clock)


async def passed(seconds: float) -> None:
    moment = time.monotonic() + seconds
    await until(lambda: time.monotonic() >= moment)


def fail(breaker: Breaker, times: int = 1, failure: GeminiError | None = None, account: str = "") -> None:
    for _time in range(times):
        with pytest.raises(GeminiError), breaker.call(account):
            raise failure or ServerFailed()


def succeed(breaker: Breaker, account: str = "") -> bool:
    with breaker.call(account) as probe:
        return probe


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen) as refused, breaker.call():
        pytest.fail("nobody may pass")
    assert refused.value.facts == {"open_for_s": 30.0}


def test_a_success_between_failures_begins_the_count_again(breaker: Breaker) -> None:
    fail(breaker, 2)
    succeed(breaker)
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_refusals_show_that_google_is_there_and_do_not_count(breaker: Breaker) -> None:
    fail(breaker, 10, AnswerBlocked(finish_reason="SAFETY"))
    fail(breaker, 10, RateLimited(retry_after_s=None))
    assert breaker.state == "closed"


def test_rate_limiting_between_failures_does_not_keep_it_closed(breaker: Breaker) -> None:
    fail(breaker, 2)
    fail(breaker, 1, RateLimited(retry_after_s=None))
    fail(breaker, 1)
    assert breaker.state == "open"


def test_failures_of_one_account_close_the_way_to_that_account_alone(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3, account="a")
    with pytest.raises(CircuitOpen):
        succeed(breaker, "a")
    assert succeed(breaker, "b") is False, "another account is asked for, and not as a probe"
    assert succeed(breaker, "a") is False, "its success showed that Google is there"


def test_a_failure_of_a_second_account_closes_it_to_all(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3, account="a")
    fail(breaker, 1, account="b")
    for account in ("a", "b", "c"):
        with pytest.raises(CircuitOpen):
            succeed(breaker, account)
    clock.now_s = 31.0
    assert succeed(breaker, "c") is True
    assert breaker.state == "closed"


def test_what_says_nothing_either_way_leaves_the_count_as_it_was(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 2)
    fail(breaker, 10, TimedOut(limit="deadline", phase="queue"))
    fail(breaker, 10, TimedOut(limit="deadline", phase="asking", ours=True))
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"
    clock.now_s = 31.0
    fail(breaker, 1, TimedOut(limit="deadline", phase="asking", ours=True))
    assert breaker.state == "probing"
    assert succeed(breaker) is True, "there was room for another probe"


def test_a_cancelled_call_does_not_count(breaker: Breaker) -> None:
    fail(breaker, 2)
    with pytest.raises(asyncio.CancelledError), breaker.call():
        raise asyncio.CancelledError
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"


def test_after_its_time_exactly_one_probe_passes(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now_s = 29.9
    with pytest.raises(CircuitOpen):
        succeed(breaker)
    assert breaker.state == "open"
    clock.now_s = 30.0
    assert breaker.state == "probing", "whether or not somebody asks"
    with breaker.call() as probe:
        assert probe
        assert breaker.state == "probing"
        with pytest.raises(CircuitOpen):
            succeed(breaker)
    assert breaker.state == "closed"
    assert succeed(breaker) is False


def test_a_probe_that_fails_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now_s = 31.0
    fail(breaker)
    assert breaker.state == "open"
    clock.now_s = 60.9
    with pytest.raises(CircuitOpen):
        succeed(breaker)
    clock.now_s = 61.0
    assert succeed(breaker) is True
    assert breaker.state == "closed"


def test_a_probe_that_google_answers_with_a_refusal_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now_s = 31.0
    fail(breaker, 1, AnswerBlocked(finish_reason="SAFETY"))
    assert breaker.state == "closed"


def test_a_cancelled_probe_makes_room_for_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now_s = 31.0
    with pytest.raises(asyncio.CancelledError), breaker.call():
        raise asyncio.CancelledError
    assert breaker.state == "probing"
    assert succeed(breaker) is True


def test_calls_from_before_do_not_move_it_once_it_is_open(breaker: Breaker, clock: Clock) -> None:
    early_success, early_failure, early_cancelled = breaker.call(), breaker.call(), breaker.call()
    for early in (early_success, early_failure, early_cancelled):
        early.__enter__()
    fail(breaker, 3)
    clock.now_s = 15.0
    early_success.__exit__(None, None, None)
    assert breaker.state == "open"
    early_failure.__exit__(ServerFailed, ServerFailed(), None)
    clock.now_s = 30.0
    with breaker.call() as probe:
        assert probe, "a late failure does not prolong it"
        early_cancelled.__exit__(asyncio.CancelledError, asyncio.CancelledError(), None)
        with pytest.raises(CircuitOpen):
            succeed(breaker)


@pytest.mark.gen_test
async def test_the_client_asks_nobody_while_it_is_open(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(fault="overloaded"))
    gemini = await make_gemini(breaker_failures=2, breaker_open_s=60)
    for _call in range(2):
        with pytest.raises(ServerFailed):
            await ask(gemini)
    assert gemini.breaker_state == "open"
    asked = standin.counters.requests
    with pytest.raises(CircuitOpen):
        await ask(gemini)
    assert standin.counters.requests == asked == 6


@pytest.mark.gen_test
async def test_the_clients_probe_is_one_request_and_decides(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(fault="overloaded"))
    gemini = await make_gemini(breaker_failures=1, breaker_open_s=0.05)
    with pytest.raises(ServerFailed):
        await ask(gemini)
    await passed(0.06)
    standin.counters.reset()
    outcomes = await asyncio.gather(*(ask(gemini) for _call in range(10)), return_exceptions=True)
    assert standin.counters.requests == 1
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CircuitOpen"] * 9 + ["ServerFailed"]
    standin.behave(Behaviour())
    await passed(0.06)
    await ask(gemini)
    assert gemini.breaker_state == "closed"


@pytest.mark.gen_test
async def test_a_probe_that_is_cancelled_does_not_wedge_the_client(make_gemini: MakeGemini, standin: Standin) -> None:
    gemini = await make_gemini(breaker_failures=1, breaker_open_s=0.01)
    with pytest.raises(ServerFailed):
        await ask(gemini, "Bake. [[standin:fault=overloaded]]")
    await until(lambda: gemini.breaker_state != "closed")
    recorder = Recorder()
    while not recorder.sent.is_set():
        probing = asyncio.ensure_future(ask(gemini, "Bake. [[standin:fault=hang]]", observer=recorder))
        await asyncio.wait(
            {probing, sent := asyncio.ensure_future(recorder.sent.wait())}, return_when="FIRST_COMPLETED"
        )
        sent.cancel()
        if probing.done():
            assert isinstance(probing.exception(), CircuitOpen)
    assert gemini.breaker_state == "probing"
    probing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probing
    assert gemini.breaker_state == "probing"
    await ask(gemini)
    assert gemini.breaker_state == "closed"


@pytest.mark.gen_test
async def test_a_call_stops_between_tries_when_others_have_opened_the_circuit(
    make_gemini: MakeGemini, standin: Standin
) -> None:
    gemini = await make_gemini(breaker_failures=1, breaker_open_s=60, tries=2)
    waiting = asyncio.ensure_future(ask(gemini, "Wait. [[standin:fault=rate_limited,retry_after=1.5]]"))
    await until(lambda: standin.counters.finished == 1)
    with pytest.raises(ServerFailed):
        await ask(gemini, "Bake. [[standin:fault=overloaded]]")
    with pytest.raises(RateLimited):
        await waiting
    assert standin.counters.faults == {"rate_limited": 1, "overloaded": 2}
