"""What JSON of Google's means, also when it is not of the shape that it should have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.gemini import GeminiError, Usage
from generation.gemini import errors as gemini_errors
from generation.gemini.answer import Reply
from generation.gemini.errors import (
    AnswerBlocked,
    AnswerEmpty,
    AnswerTruncated,
    MalformedAnswer,
    Misconfigured,
    ModelUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
)
from generation.gemini.refusals import TABLE, refusal
from generation.gemini.usage import reported_usage


def chunk(*texts: str, finish_reason: str | None = None, **members: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text} for text in texts]}}
    if finish_reason is not None:
        candidate["finishReason"] = finish_reason
    return {"candidates": [candidate]} | members


def whole(*values: Any, streamed: bool = True) -> str:
    reply = Reply()
    for value in values:
        reply.take(value)
    return reply.whole(streamed=streamed)


def test_thoughts_are_not_the_answer() -> None:
    parts = [
        {"text": "hm", "thought": True},
        {"text": "Yes", "thought": False},
        {"thoughtSignature": "x"},
        {"text": "."},
    ]
    assert whole({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}) == "Yes."


def test_only_the_first_candidate_counts() -> None:
    both = [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"} for text in ("first", "second")]
    assert whole({"candidates": both}) == "first"


UNSAID = [None, "", "FINISH_REASON_UNSPECIFIED", "finish_reason_unspecified", 0]
CUTTING = [
    *("MAX_TOKENS", "OTHER", "CONTINUATION", "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL"),
    *("TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "NO_IMAGE", "IMAGE_OTHER"),
    *("A_REASON_OF_THE_FUTURE", "max_tokens", "ünreadable", 7),
]
BLOCKING = [
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"),
    *("PUP_LIMITED_DISABLED", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
]


@pytest.mark.parametrize("reason", ["STOP", "stop", "Stop"])
@pytest.mark.parametrize("streamed", [True, False])
def test_stop_in_any_letter_case_makes_an_answer_whole(reason: str, streamed: bool) -> None:
    assert whole(chunk("Yes", finish_reason=reason), streamed=streamed) == "Yes"
    with pytest.raises(AnswerEmpty):
        whole(chunk(finish_reason=reason), streamed=streamed)


@pytest.mark.parametrize("reason", UNSAID)
def test_a_reason_that_says_nothing_is_none(reason: Any) -> None:
    said = {"candidates": [{"content": {"parts": [{"text": "Yes"}]}, "finishReason": reason}]}
    assert whole(said, streamed=False) == "Yes"
    with pytest.raises(AnswerTruncated):
        whole(said, streamed=True)
    assert whole(said, chunk(finish_reason="STOP"), said) == "YesYes", "nor does it undo the one before"


@pytest.mark.parametrize("reason", CUTTING)
@pytest.mark.parametrize("streamed", [True, False])
def test_every_other_reason_cuts_an_answer_short(reason: Any, streamed: bool) -> None:
    with pytest.raises(AnswerTruncated):
        whole(chunk("Yes", finish_reason=reason), streamed=streamed)
    with pytest.raises(AnswerEmpty) as failure:
        whole(chunk(finish_reason=reason), streamed=streamed)
    assert failure.value.again
    assert failure.value.once


@pytest.mark.parametrize("reason", [*BLOCKING, *map(str.lower, BLOCKING)])
@pytest.mark.parametrize("texts", [(), ("said",)])
def test_a_policy_blocks_whatever_was_said(reason: str, texts: tuple[str, ...]) -> None:
    with pytest.raises(AnswerBlocked) as failure:
        whole(chunk(*texts), chunk(finish_reason=reason))
    assert failure.value.facts == {"finish_reason": reason.upper(), "block_reason": ""}
    assert failure.value.operators_problem is (reason.upper() == "PUP_LIMITED_DISABLED")


def test_every_reason_of_googles_sdk_is_known_to_this_table() -> None:
    from google.genai.types import FinishReason  # seconds to import, in every worker that collects

    known = {"STOP", "FINISH_REASON_UNSPECIFIED", *BLOCKING, *map(str, CUTTING)}
    assert {reason.value for reason in FinishReason} <= known


@pytest.mark.parametrize("reason", ["OTHER", "MAX_TOKENS", "finish_reason_from_next_year", 7])
def test_once_text_and_stop_have_come_no_other_end_cuts_the_answer_short(reason: Any) -> None:
    assert whole(chunk("Yes."), chunk(finish_reason="STOP"), chunk(finish_reason=reason)) == "Yes."
    with pytest.raises(AnswerTruncated):
        whole(chunk("Yes.", finish_reason="STOP"), chunk(" And", finish_reason=reason))
    with pytest.raises(AnswerBlocked):
        whole(chunk("Yes."), chunk(finish_reason="STOP"), chunk(finish_reason="SAFETY"))


def test_stop_on_every_chunk_does_not_end_the_reading() -> None:
    assert whole(chunk("a", finish_reason="STOP"), chunk("b", finish_reason="STOP")) == "ab"


def test_a_stream_without_any_finish_reason_was_cut_off_and_a_single_answer_was_not() -> None:
    with pytest.raises(AnswerTruncated):
        whole(chunk("a"), chunk("b"))
    assert whole(chunk("ab"), streamed=False) == "ab"


@pytest.mark.parametrize(
    ("feedback", "reason"),
    [
        ({"blockReason": "SAFETY"}, "SAFETY"),
        ({"blockReason": "A_REASON_OF_THE_FUTURE"}, "A_REASON_OF_THE_FUTURE"),
        ({"blockReason": 3}, "UNSPECIFIED"),
        ({"blockReasonMessage": "no"}, "UNSPECIFIED"),
    ],
)
def test_a_blocked_prompt_has_no_candidates(feedback: Any, reason: str) -> None:
    with pytest.raises(AnswerBlocked) as failure:
        whole({"promptFeedback": feedback})
    assert failure.value.facts["block_reason"] == reason


@pytest.mark.parametrize(
    "feedback",
    [
        {"safetyRatings": []},
        {"blockReason": None, "safetyRatings": []},
        {"blockReason": "", "blockReasonMessage": ""},
        {"blockReason": "BLOCK_REASON_UNSPECIFIED"},
        {"blockReason": "BLOCKED_REASON_UNSPECIFIED"},
        None,
    ],
)
def test_feedback_that_says_nothing_blocks_nothing(feedback: Any) -> None:
    assert whole(chunk("a", finish_reason="STOP", promptFeedback=feedback)) == "a"


@pytest.mark.parametrize(
    "error",
    [None, "", {}, {"code": None, "message": None, "status": None}, {"code": 0, "message": "", "status": "OK"}],
)
def test_an_error_that_says_nothing_is_none(error: Any) -> None:
    assert whole(chunk("a", finish_reason="STOP", error=error)) == "a"


def test_the_maximum_reached_is_truncated_with_text_and_empty_without() -> None:
    with pytest.raises(AnswerTruncated):
        whole(chunk("a", finish_reason="MAX_TOKENS"))
    with pytest.raises(AnswerEmpty) as failure:
        whole(chunk(finish_reason="MAX_TOKENS"))
    assert failure.value.once, "with a larger cap"


def test_an_end_before_the_first_word_without_a_reason_is_worth_another_try() -> None:
    with pytest.raises(AnswerEmpty) as failure:
        whole()
    assert failure.value.again


@pytest.mark.parametrize(
    ("usage", "total"),
    [
        ({"totalTokenCount": 30, "promptTokenCount": 10}, 30),
        ({"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7}, 22),
        ({"promptTokenCount": 6}, 6),
        ({}, None),
        ({"totalTokenCount": -1}, None),
        ({"totalTokenCount": True}, None),
        ({"totalTokenCount": 1.5}, None),
        ({"totalTokenCount": "30"}, None),
        ({"totalTokenCount": 10**30}, None),
    ],
)
def test_the_token_count_is_the_reported_total_or_the_sum_of_its_parts(usage: Any, total: int | None) -> None:
    reply = Reply()
    reply.take({"usageMetadata": usage})
    assert reply.total_tokens == total


def test_within_a_try_the_last_count_holds() -> None:
    reply = Reply()
    for count in ({"totalTokenCount": 10}, {"totalTokenCount": 25}, {}):
        reply.take({"usageMetadata": count})
    assert reply.total_tokens == 25


@pytest.mark.parametrize(("count", "total"), [(100, 100), (2**31 - 1, None), (1e30, None), ("90", None), (101, None)])
def test_more_than_a_request_can_cost_is_not_believed(count: Any, total: int | None) -> None:
    reply = Reply(max_tokens=100)
    reply.take({"usageMetadata": {"totalTokenCount": count}})
    assert reply.total_tokens == total
    assert reply.usage_doubted is (total is None)


def test_a_total_that_falls_is_not_believed_unless_only_the_thoughts_are_gone() -> None:
    reply = Reply()
    reply.take({"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 50, "thoughtsTokenCount": 7}})
    reply.take({"usageMetadata": {"totalTokenCount": 20}})
    assert (reply.total_tokens, reply.usage_doubted) == (157, True)
    reply.take({"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 50, "totalTokenCount": 150}})
    assert reply.total_tokens == 150


@pytest.mark.parametrize(
    ("metadata", "kinds"),
    [
        ({"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 5}, (6, 5, 0, 4, 0)),
        ({"promptTokenCount": 10, "thoughtsTokenCount": 7, "totalTokenCount": 30}, (10, 13, 7, 0, 0)),
        ({"promptTokenCount": 12, "thoughtsTokenCount": 7, "totalTokenCount": 12}, (12, 0, 0, 0, 0)),
        ({"toolUsePromptTokenCount": 3, "cachedContentTokenCount": 9}, (0, 0, 0, 0, 3)),
    ],
)
def test_the_kinds_make_the_total_together(metadata: dict[str, int], kinds: tuple[int, ...]) -> None:
    usage = reported_usage(metadata)
    assert usage == Usage(*kinds)
    assert usage.total == metadata.get("totalTokenCount", usage.total)


@pytest.mark.parametrize(
    ("named", "model"), [("gemini-3.8-flash", "gemini-3.8-flash"), ("a\nb", ""), (7, ""), ("", "")]
)
def test_only_a_valid_name_names_a_model(named: Any, model: str) -> None:
    reply = Reply()
    reply.take({"modelVersion": named})
    assert reply.model == model


def test_halves_of_a_character_in_two_values_are_put_together() -> None:
    reply = Reply()
    thought = {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}]}
    pieces = [reply.take(value) for value in (chunk("a\ud83d"), thought, chunk("\ude00b", finish_reason="STOP"))]
    assert pieces == ["a", "", "\U0001f600b"]
    assert reply.whole(streamed=True) == "a\U0001f600b"


def test_half_a_character_becomes_a_replacement_that_can_be_written() -> None:
    text = whole(chunk("a\ud83db", "\ude00", finish_reason="STOP"))
    assert text.encode("utf-8").decode() == "a\ufffdb\ufffd"


NAMES = [
    *("candidates", "content", "parts", "text", "thought", "finishReason", "promptFeedback", "blockReason"),
    *("usageMetadata", "totalTokenCount", "modelVersion", "error", "code", "status", "details", "reason"),
    *("violations", "quotaId", "retryDelay", "metadata"),
]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(NAMES),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_whatever_crashes_it(value: Any) -> None:
    for streamed in (True, False):
        try:
            whole(value, streamed=streamed)
        except GeminiError as exc:
            exc_type: type[GeminiError] = type(exc)
            assert exc_type is not GeminiError
    assert isinstance(refusal(429, value), RateLimited | QuotaExhausted)


def error(code: int, status: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "words", "status": status, "details": list(details)}}


PER_DAY = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "RequestsPerDay-Free"}]}
PER_MINUTE = {"violations": [{"quotaId": "RequestsPerMinute"}]}


@pytest.mark.parametrize(
    ("http_status", "value", "failure"),
    [
        (400, error(400, "INVALID_ARGUMENT"), RequestRejected),
        (400, error(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}), Misconfigured),
        (400, error(400, "FAILED_PRECONDITION"), Misconfigured),
        (401, error(401, "UNAUTHENTICATED"), Misconfigured),
        (402, None, QuotaExhausted),
        (403, error(403, "PERMISSION_DENIED"), Misconfigured),
        (404, error(404, "NOT_FOUND"), ModelUnavailable),
        (404, None, ModelUnavailable),
        (407, None, Misconfigured),
        (408, None, ServerFailed),
        (413, None, RequestRejected),
        (429, error(429, "RESOURCE_EXHAUSTED"), RateLimited),
        (429, error(429, "RESOURCE_EXHAUSTED", PER_MINUTE), RateLimited),
        (429, error(429, "RESOURCE_EXHAUSTED", PER_DAY), QuotaExhausted),
        (429, error(429, "RESOURCE_EXHAUSTED", {"metadata": {"quota_limit": "XPerDayPerProject"}}), QuotaExhausted),
        (500, error(500, "INTERNAL"), ServerFailed),
        (502, None, ServerFailed),
        (503, error(503, "UNAVAILABLE"), ServerFailed),
        (504, error(504, "DEADLINE_EXCEEDED"), ServerFailed),
        (302, None, Misconfigured),
        (204, None, ServerFailed),
        (200, error(499, "CANCELLED"), ServerFailed),
        (200, error(503, "UNAVAILABLE"), ServerFailed),
        (200, error(429, "RESOURCE_EXHAUSTED"), RateLimited),
        (200, {"error": {"status": "RESOURCE_EXHAUSTED"}}, RateLimited),
        (200, {"error": {"status": "PERMISSION_DENIED"}}, Misconfigured),
        (200, {"error": "words"}, ServerFailed),
        (200, {"error": {"code": "503"}}, ServerFailed),
    ],
)
def test_each_refusal_has_its_failure(http_status: int, value: Any, failure: type[GeminiError]) -> None:
    assert type(refusal(http_status, value)) is failure


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        ("34.4s", 34.4),
        ("0s", 0.0),
        ("36s", 36.0),
        ("1e9s", None),
        ("", None),
        ("-1s", None),
        (7, 7.0),
        ({"seconds": "5"}, 5.0),
        ([7], None),
    ],
)
def test_the_wait_that_is_asked_for_may_be_fractional_or_missing(delay: Any, seconds: float | None) -> None:
    failure = refusal(429, error(429, "RESOURCE_EXHAUSTED", {"violations": "?"}, {"retryDelay": delay}))
    assert failure.retry_after_s == seconds


@pytest.mark.parametrize("http_status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "Fri, 27 Nov 2026 10:00:05 GMT", "Date": "Fri, 27 Nov 2026 10:00:00 GMT"}, 5.0),
        ({"Retry-After": "Fri, 27 Nov 2026 09:00:00 GMT", "Date": "Fri, 27 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "120s"}, 120.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "21 Oct 2099 07:28:00 +99999999999999"}, None),
        ({"Retry-After": "Fri, 27 Nov 99999 10:00:05 GMT", "Date": "27 Nov 2026 10:00:00 -99999999999999"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
    ],
)
def test_the_standard_header_asks_to_wait_as_well(
    http_status: int, headers: dict[str, str], seconds: float | None
) -> None:
    assert refusal(http_status, error(http_status, "UNAVAILABLE"), headers).retry_after_s == seconds


@pytest.mark.parametrize(
    ("message", "details", "seconds"),
    [
        ("Please retry in 34.074824224s.", [], 34.074824224),
        ("Quota exceeded. Your quota will reset after 18h31m10s.", [], 66_670.0),
        ("Please try again in 5 minutes", [], 300.0),
        ("Wait 539.5ms and retry.", [], 0.5395),
        ("limit: 20, model: gemini", [], None),
        ("", [{"metadata": {"quotaResetDelay": "539.5ms"}}], 0.5395),
        ("", [{"metadata": {"retryDelay": "7s"}}], 7.0),
        ("Please retry in 9s.", [{"retryDelay": "4s"}], 4.0),
    ],
)
def test_so_does_a_wait_that_only_metadata_or_words_name(message: str, details: list[Any], seconds: Any) -> None:
    value = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": message, "details": details}}
    assert refusal(429, value).retry_after_s == pytest.approx(seconds)


def test_facts_hold_names_of_constants_and_nobodys_words() -> None:
    failure = refusal(400, error(400, "your key AIza…", {"reason": "the prompt was: hello"}))
    assert failure.facts == {"http_status": 400, "status": ""}


def test_every_status_of_the_table_is_reached() -> None:
    for http_statuses, sign, failure in TABLE:
        details = [PER_DAY] if sign == "PER_DAY" else [{"reason": sign}]
        if sign == "THINKING_LEVEL":
            assert type(refusal(400, {"error": {"message": "Thinking level MINIMAL is not supported."}})) is failure
            continue
        assert type(refusal(http_statuses[-1], error(0, "", *details))) is failure


def test_an_answer_that_is_no_object_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        whole("text")


@pytest.mark.parametrize("nothing", [None, "", False, 0])
def test_an_empty_value_is_ignored(nothing: Any) -> None:
    assert whole(chunk("a"), nothing, chunk("b", finish_reason="STOP")) == "ab"


def test_space_after_the_stop_does_not_make_the_answer_unfinished() -> None:
    reply = Reply()
    reply.take(chunk("a", finish_reason="STOP"))
    reply.take(chunk(" \n"))
    assert reply.stands


def test_every_failure_has_a_reason_for_clients() -> None:
    failures = [
        kind for kind in vars(gemini_errors).values() if isinstance(kind, type) and issubclass(kind, GeminiError)
    ]
    assert len(failures) == 17
    assert all(kind.fallback_reason.startswith("ai_") for kind in failures)
    assert not [kind for kind in failures if kind.again and kind.operators_problem]
