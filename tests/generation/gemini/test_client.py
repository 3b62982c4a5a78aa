"""The client against the stand-in: what arrives, what is reported, what is logged."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from generation.gemini import Gemini, GeminiError, open_session
from generation.gemini.errors import Misconfigured, ServerFailed
from generation.gemini.request import HARM_CATEGORIES
from standin import Behaviour, Standin
from tests.generation.gemini.conftest import KEY, MakeGemini, ask, settings_for, until
from tests.generation.gemini.served import Recorded, Recorder, serve

SSE = b'data: {"candidates":[{"content":{"parts":[{"text":"Hi."}]},"finishReason":"STOP"}]}\r\n\r\n'


@pytest.mark.gen_test
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("api_version", "model"), [("v1beta", "gemini-flash-latest"), ("v1", "gemini-flash-latest")])
async def test_both_methods_of_both_versions_give_the_same_answer(
    make_gemini: MakeGemini, stream: bool, api_version: str, model: str
) -> None:
    recorder = Recorder()
    gemini = await make_gemini(stream=stream, api_version=api_version, model=model)
    answer = await ask(gemini, '{"manual_prompt": "Sell bread. Call 030 1234567."}', observer=recorder)
    assert answer.text.startswith("# Role\n")
    assert "030 1234567" in answer.text
    assert answer.model == "gemini-standin-1.0"
    assert answer.tier == "standard"
    assert answer.tries == 1
    assert recorder.said == answer.text
    assert recorder.totals[-1] == answer.total_tokens


@pytest.mark.gen_test
async def test_a_streamed_answer_is_passed_on_while_it_is_made(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(delay_s=0.3))
    recorder = Recorder()
    asking = asyncio.ensure_future(ask(await make_gemini(), observer=recorder))
    await recorder.first_text.wait()
    assert not asking.done()
    said_first = recorder.said
    answer = await asking
    assert answer.text.startswith(said_first)
    assert len(said_first) < len(answer.text)


@pytest.mark.gen_test
async def test_the_observer_hears_that_the_request_is_sent_before_any_answer(
    make_gemini: MakeGemini, standin: Standin
) -> None:
    standin.behave(Behaviour(fault="hang"))
    recorder = Recorder()
    asking = asyncio.ensure_future(ask(await make_gemini(), observer=recorder))
    await recorder.sent.wait()
    await until(lambda: standin.counters.running == 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert recorder.happened == ["sent"]


@pytest.mark.gen_test
async def test_a_slow_observer_still_hears_of_the_request_before_the_text(make_gemini: MakeGemini) -> None:
    class Slow(Recorder):
        async def request_sent(self) -> None:
            for _turn in range(200):
                await asyncio.sleep(0)
            await super().request_sent()

    recorder = Slow()
    await ask(await make_gemini(), observer=recorder)
    assert recorder.happened[0] == "sent"
    assert recorder.happened.count("sent") == 1


@pytest.mark.gen_test
async def test_no_request_is_reported_as_sent_when_there_is_no_connection(make_gemini: MakeGemini) -> None:
    recorder = Recorder()
    with pytest.raises(GeminiError):
        await ask(await make_gemini(base_url="http://127.0.0.1:9"), observer=recorder)
    assert recorder.happened == []


@pytest.mark.gen_test
@pytest.mark.parametrize("method", ["request_sent", "text", "usage"])
async def test_what_an_observer_raises_ends_the_call_and_comes_out_as_it_is(
    make_gemini: MakeGemini, standin: Standin, method: str
) -> None:
    class Lost(Exception):
        pass

    class Failing(Recorder):
        pass

    async def fail(*_args: Any) -> None:
        raise Lost

    def fail_at_once(*_args: Any) -> None:
        raise Lost

    setattr(Failing, method, fail_at_once if method == "usage" else fail)
    with pytest.raises(Lost):
        await ask(await make_gemini(), observer=Failing())
    assert standin.counters.requests == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", ["request_sent", "text"])
async def test_an_observers_own_timeout_is_not_taken_for_geminis(make_gemini: MakeGemini, kind: str) -> None:
    async def time_out(*_args: Any) -> None:
        raise TimeoutError("mine")

    recorder = Recorder()
    setattr(recorder, kind, time_out)
    with pytest.raises(TimeoutError, match="mine"):
        await ask(await make_gemini(), observer=recorder)


@pytest.mark.gen_test
async def test_tokens_are_counted_over_all_tries(make_gemini: MakeGemini, standin: Standin) -> None:
    recorder = Recorder()
    answer = await ask(await make_gemini(), "Bake. [[standin:fault=no_candidates,first=1]]", observer=recorder)
    assert answer.tries == 2
    assert answer.total_tokens is not None
    first_try = recorder.totals[0]
    assert recorder.totals == sorted(recorder.totals)
    assert recorder.totals[-1] == first_try + answer.total_tokens


@pytest.mark.gen_test
async def test_an_answer_without_usage_reports_none(make_gemini: MakeGemini) -> None:
    recorder = Recorder()
    answer = await ask(await make_gemini(), "Bake. [[standin:fault=no_usage]]", observer=recorder)
    assert answer.total_tokens is None
    assert recorder.totals == []


@pytest.mark.gen_test
async def test_a_cancelled_call_closes_its_connection_at_once(make_gemini: MakeGemini, standin: Standin) -> None:
    for fault in ("hang", "hang_mid_stream"):
        standin.counters.reset()
        recorder = Recorder()
        asking = asyncio.ensure_future(ask(await make_gemini(), f"Bake. [[standin:fault={fault}]]", observer=recorder))
        await (recorder.sent if fault == "hang" else recorder.first_text).wait()
        await until(lambda: standin.counters.running == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: standin.counters.disconnected == 1)
        await until(lambda: standin.counters.connections == 0)


@pytest.mark.gen_test
async def test_a_connection_serves_one_call_after_the_other(make_gemini: MakeGemini, standin: Standin) -> None:
    gemini = await make_gemini()
    for _call in range(3):
        await ask(gemini)
    assert standin.counters.accepted == 1


@pytest.mark.gen_test
async def test_no_more_connections_are_opened_than_allowed(make_gemini: MakeGemini, standin: Standin) -> None:
    standin.behave(Behaviour(delay_s=0.05))
    gemini = await make_gemini(connections=2)
    await asyncio.gather(*(ask(gemini) for _call in range(6)))
    assert standin.counters.accepted == 2


@pytest.mark.gen_test
async def test_each_try_is_measured_by_its_outcome(make_gemini: MakeGemini) -> None:
    seen: list[tuple[str, float]] = []
    gemini = await make_gemini(attempted=lambda outcome, seconds: seen.append((outcome, seconds)))
    await ask(gemini, "Bake. [[standin:fault=overloaded,first=2]]")
    recorder = Recorder()
    asking = asyncio.ensure_future(ask(gemini, "Bake. [[standin:fault=hang]]", observer=recorder))
    await recorder.sent.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [outcome for outcome, _seconds in seen] == ["ServerFailed", "ServerFailed", "ok", "cancelled"]
    assert all(0 < seconds < 30 for _outcome, seconds in seen)


@pytest.mark.gen_test
async def test_the_request_is_googles(io_loop: Any) -> None:
    async with serve(Recorded(SSE)) as recorded:
        settings = settings_for(recorded.url + "/", thinking_level="low", max_output_tokens=99)
        async with open_session(settings) as session:
            await ask(Gemini(session, settings), "the draft")
    head, _blank, body = recorded.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse HTTP/1.1"
    headers = {name.lower(): value for name, _colon, value in (line.partition(": ") for line in lines[1:])}
    assert headers["x-goog-api-key"] == KEY
    assert {"authorization", "cookie", "x-server-timeout"}.isdisjoint(headers)
    assert json.loads(body) == {
        "systemInstruction": {"parts": [{"text": "Rewrite."}]},
        "contents": [{"role": "user", "parts": [{"text": "the draft"}]}],
        "generationConfig": {"maxOutputTokens": 99, "thinkingConfig": {"thinkingLevel": "low"}},
        "safetySettings": [{"category": category, "threshold": "BLOCK_ONLY_HIGH"} for category in HARM_CATEGORIES],
        "store": False,
    }


@pytest.mark.gen_test
@pytest.mark.parametrize("api_version", ["v1", "v1beta"])
async def test_the_instruction_is_never_in_the_users_turn(io_loop: Any, api_version: str) -> None:
    async with serve(Recorded(SSE)) as recorded:
        settings = settings_for(recorded.url, api_version=api_version, safety_threshold="", thinking_level="")
        async with open_session(settings) as session:
            await ask(Gemini(session, settings), "the draft")
    assert json.loads(recorded.requests[0].partition(b"\r\n\r\n")[2]) == {
        "systemInstruction": {"parts": [{"text": "Rewrite."}]},
        "contents": [{"role": "user", "parts": [{"text": "the draft"}]}],
        "generationConfig": {"maxOutputTokens": 24_576 + 2 * len("the draft")},
        "store": False,
    }


@pytest.mark.gen_test
async def test_without_a_key_none_is_sent(io_loop: Any) -> None:
    async with serve(Recorded(SSE)) as recorded:
        settings = settings_for(recorded.url, api_key="")
        async with open_session(settings) as session:
            await ask(Gemini(session, settings))
    assert b"x-goog-api-key" not in recorded.requests[0]


@pytest.mark.gen_test
async def test_a_key_that_no_header_can_carry_is_the_operators_problem(
    make_gemini: MakeGemini, logged: list[Any], standin: Standin
) -> None:
    with pytest.raises(Misconfigured) as failure:
        await ask(await make_gemini(api_key="half\nkey"))
    assert "half" not in str(failure.value) + str(logged)
    assert standin.counters.requests == 0


@pytest.mark.gen_test
async def test_a_redirect_is_not_followed_with_the_key(make_gemini: MakeGemini, standin: Standin) -> None:
    with pytest.raises(Misconfigured):
        await ask(await make_gemini(), "Bake. [[standin:fault=redirect]]")
    assert standin.counters.requests == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("fault", ["", "api_key_invalid", "overloaded", "safety", "truncated", "wrong_utf8", "hang"])
async def test_nothing_that_was_written_reaches_a_log_line_or_an_error(
    make_gemini: MakeGemini, logged: list[Any], fault: str
) -> None:
    told = ""
    try:
        await ask(await make_gemini(), f"MARKER of the draft [[standin:fault={fault}]]", within_s=0.3)
    except GeminiError as exc:
        told = repr(exc) + repr(exc.__cause__)
    assert len(logged) == 1
    lines = told + str(logged)
    assert "MARKER" not in lines
    assert "assistant" not in lines
    assert KEY not in lines


@pytest.mark.gen_test
async def test_an_answer_is_logged_with_the_model_that_gave_it(make_gemini: MakeGemini, logged: list[Any]) -> None:
    answer = await ask(await make_gemini())
    assert logged == [
        {
            "event": "gemini_answered",
            "log_level": "info",
            "model": "gemini-3.8-flash",
            "tries": 1,
            "total_tokens": answer.total_tokens,
            "tier": "standard",
            "response_id": "standin-1",
        }
    ]


@pytest.mark.gen_test
async def test_operators_problems_are_errors_and_googles_are_warnings(
    make_gemini: MakeGemini, logged: list[Any]
) -> None:
    gemini = await make_gemini()
    with pytest.raises(Misconfigured):
        await ask(gemini, "Bake. [[standin:fault=api_key_invalid]]")
    with pytest.raises(ServerFailed):
        await ask(gemini, "Bake. [[standin:fault=overloaded]]")
    assert [(line["log_level"], line["failure"], line["tries"]) for line in logged] == [
        ("error", "Misconfigured", 1),
        ("warning", "ServerFailed", 3),
    ]
    assert logged[0]["reason"] == "API_KEY_INVALID"
