"""What would be sent and when, without sending it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from standin import FAULTS, Behaviour
from standin.behaviour import Chooser, InvalidBehaviour
from standin.plans import End, Method, Plan, make_plan
from standin.protocol import THOUGHT_TOKENS, InvalidArgument, read_request, tokens
from tests.standin.conftest import DRAFT, events, words


def plan(behaviour: Behaviour | None = None, method: Method = Method.SSE, text: str = DRAFT, **config: Any) -> Plan:
    body = {"contents": [{"parts": [{"text": text}]}], "generationConfig": config}
    return make_plan(
        read_request(json.dumps(body).encode()), behaviour or Behaviour(), method, model="m", response_id="r"
    )


def test_a_stream_comes_word_by_word_with_usage_that_grows() -> None:
    values = events(plan().body)
    assert len(values) > 40
    assert "Bakery Sonne" in words(values)
    totals = [value["usageMetadata"]["totalTokenCount"] for value in values]
    assert totals == sorted(totals)
    last = values[-1]["usageMetadata"]
    assert last["candidatesTokenCount"] == tokens(words(values))
    assert last["totalTokenCount"] == last["promptTokenCount"] + last["candidatesTokenCount"] + THOUGHT_TOKENS
    assert [value["candidates"][0].get("finishReason") for value in values] == [None] * (len(values) - 1) + ["STOP"]


def test_all_framings_say_the_same() -> None:
    unary = json.loads(plan(method=Method.UNARY).body)
    array = json.loads(plan(method=Method.ARRAY).body)
    stream = events(plan().body)
    assert array == stream
    assert words([unary]) == words(stream)
    assert unary["usageMetadata"] == stream[-1]["usageMetadata"]


def test_larger_chunks_have_more_words() -> None:
    assert len(events(plan(Behaviour(words_per_chunk=10)).body)) < len(events(plan().body)) / 5


def test_thoughts_are_shown_only_when_they_are_asked_for() -> None:
    shown = events(plan(thinkingConfig={"include_thoughts": True}).body)
    assert shown[0]["candidates"][0]["content"]["parts"][0]["thought"] is True
    assert words(shown) == words(events(plan().body))
    whole = json.loads(plan(method=Method.UNARY, thinkingConfig={"includeThoughts": True}).body)
    assert [part.get("thought", False) for part in whole["candidates"][0]["content"]["parts"]] == [True, False]


@pytest.mark.parametrize("method", [Method.SSE, Method.UNARY])
def test_thinking_counts_against_the_maximum(method: Method) -> None:
    def read(cap: int) -> list[Any]:
        body = plan(method=method, maxOutputTokens=cap).body
        return events(body) if method is Method.SSE else [json.loads(body)]

    cut, empty = read(THOUGHT_TOKENS + 10), read(THOUGHT_TOKENS)
    assert 0 < tokens(words(cut)) <= 10
    assert words(empty) == ""
    assert {cut[-1]["candidates"][0]["finishReason"], empty[-1]["candidates"][0]["finishReason"]} == {"MAX_TOKENS"}


def moments(planned: Plan) -> list[float]:
    return [step for step in planned.steps if not isinstance(step, bytes | End)]


def test_the_delay_is_from_the_request_to_the_end_of_the_answer() -> None:
    streamed = moments(plan(Behaviour(delay_s=6)))
    assert streamed[0] == pytest.approx(2.4)
    assert streamed[-1] == pytest.approx(6)
    assert streamed == sorted(streamed)
    assert moments(plan(Behaviour(delay_s=6), Method.UNARY)) == [6]


def test_a_pace_begins_after_the_delay() -> None:
    behaviour = Behaviour(delay_s=1, tokens_per_second=50)
    streamed = moments(plan(behaviour))
    answer_s = tokens(words(events(plan().body))) / 50
    assert 1 < streamed[0] < 1.1
    assert streamed[-1] == pytest.approx(1 + answer_s, abs=0.02)
    assert moments(plan(behaviour, Method.UNARY))[0] == pytest.approx(1 + answer_s, abs=0.02)
    assert moments(plan(Behaviour(delay_s=1, tokens_per_second=50, fault="empty"))) == [1]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", list(Method))
def test_every_fault_can_be_planned_for_every_framing(fault: str, method: Method) -> None:
    planned = plan(Behaviour(fault=fault), method)
    steps = list(planned.steps)
    assert steps
    well = list(plan(method=method).steps)
    harmless_there = (fault == "finish_on_every_chunk" or fault == "truncated") and method is Method.UNARY
    if not harmless_there and fault != "byte_a_second":
        assert (_bytes(steps), planned.http_status, steps[-1]) != (_bytes(well), 200, well[-1])


def _bytes(steps: list[Any]) -> bytes:
    return b"".join(step for step in steps if isinstance(step, bytes))


def test_faults_in_the_middle_leave_the_first_half() -> None:
    for fault, end in (("hang_mid_stream", End.HANG), ("reset_mid_stream", End.RESET), ("cut_mid_stream", End.CUT)):
        broken = plan(Behaviour(fault=fault))
        assert list(broken.steps)[-1] is end
        said = words(events(broken.body))
        assert words(events(plan().body)).startswith(said)
        assert said


def test_a_byte_a_second_is_that() -> None:
    slow = list(plan(Behaviour(fault="byte_a_second")).steps)
    assert slow[:6] == [0.0, b"d", 1.0, b"a", 2.0, b"t"]


def test_a_huge_answer_is_over_two_megabytes_whatever_is_allowed() -> None:
    for method in Method:
        assert len(plan(Behaviour(fault="huge"), method, maxOutputTokens=100).body) > 2_500_000


def test_both_spellings_are_read_and_unknown_names_refused() -> None:
    camel = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"maxOutputTokens": 7}}
    snake = {"contents": {"parts": {"text": "hi"}}, "generation_config": {"max_output_tokens": 7}}
    assert read_request(json.dumps(camel).encode()) == read_request(json.dumps(snake).encode())
    instruction = {"system_instruction": {"role": "user", "parts": [{"text": "four" * 4}]}}
    assert read_request(json.dumps(snake | instruction).encode()).prompt_tokens == 5
    with pytest.raises(InvalidArgument, match='Unknown name "temprature"'):
        read_request(json.dumps(camel | {"temprature": 1}).encode())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "Expected an object"),
        (b"[" * 100_000, "Invalid JSON"),
        (b"{}", "contents is not specified"),
        (b'{"contents": []}', "contents is not specified"),
        (b'{"contents": [{"parts": 7}]}', "Invalid value"),
        (
            b'{"contents":[{}],"generationConfig":{"thinkingConfig":{"thinkingLevel":"low","thinking_budget":1}}}',
            "thinking budget and thinking level",
        ),
    ],
)
def test_what_google_refuses_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        read_request(body)


@pytest.mark.parametrize(("seconds", "refused"), [("9", True), ("soon", True), ("10", False), ("", False)])
def test_a_server_timeout_under_ten_seconds_is_refused(seconds: str, refused: bool) -> None:
    body = b'{"contents":[{"parts":[{"text":"hi"}]}]}'
    if refused:
        with pytest.raises(InvalidArgument, match="Minimum allowed deadline is 10s"):
            read_request(body, seconds)
    else:
        assert read_request(body, seconds).text == "hi"


@pytest.mark.parametrize(
    "members",
    [
        {"fault": "flood"},
        {"delay_s": -1},
        {"delay_s": float("inf")},
        {"delay_s": float("nan")},
        {"first": -1},
        {"probability": 1.1},
        {"words_per_chunk": 0},
        {"retry_after_s": -0.1},
    ],
)
def test_an_invalid_behaviour_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidBehaviour):
        Behaviour(**members)


@pytest.mark.parametrize("changes", [{"flaut": "hang"}, {"delay_s": "soon"}, {"first": "x"}, {"first": float("inf")}])
def test_an_invalid_change_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidBehaviour):
        Behaviour().changed(changes)


def test_a_request_chooses_by_marker_and_the_header_wins() -> None:
    chooser = Chooser(Behaviour(delay_s=1))
    assert chooser.choose("plain", {}) == Behaviour(delay_s=1)
    marked = chooser.choose("x [[standin:fault=overloaded, delay=2]] y", {})
    assert (marked.fault, marked.delay_s) == ("overloaded", 2)
    headed = chooser.choose("x [[standin:fault=overloaded]]", {"X-Standin-Fault": "hang", "X-Standin-Delay-S": "3"})
    assert (headed.fault, headed.delay_s) == ("hang", 3)
    with pytest.raises(InvalidBehaviour):
        chooser.choose("[[standin:fault=flood]]", {})
    with pytest.raises(InvalidBehaviour):
        chooser.choose("[[standin:anything]]", {})


def test_everybodys_fault_strikes_the_first_requests_only() -> None:
    chooser = Chooser(Behaviour(fault="overloaded", first=2))
    assert [chooser.choose("x", {}).fault for _request in range(4)] == ["overloaded", "overloaded", "", ""]


def test_a_marked_fault_strikes_the_first_requests_with_the_same_text() -> None:
    chooser = Chooser(Behaviour(fault="hang", first=1, probability=0.0))
    one, other = "one [[standin:fault=reset,first=1]]", "other [[standin:fault=reset,first=1]]"
    assert [chooser.choose(text, {}).fault for text in (one, other, one, other)] == ["reset", "reset", "", ""]


def test_draws_can_be_repeated() -> None:
    def drawn(seed: int) -> list[str]:
        chooser = Chooser(Behaviour(fault="reset", probability=0.3), seed)
        return [chooser.choose("x", {}).fault for _request in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 30 < drawn(1).count("reset") < 90
