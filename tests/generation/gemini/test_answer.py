"""What JSON of Google's means, also when it is not of the shape that it should have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.gemini import GeminiError
from generation.gemini import errors as gemini_errors
from generation.gemini.answer import Reply
from generation.gemini.errors import (
    AnswerBlocked,
    AnswerEmpty,
    AnswerTruncated,
    MalformedAnswer,
    Misconfigured,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
)
from generation.gemini.refusals import TABLE, refusal


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


@pytest.mark.parametrize("reason", ["STOP", "FINISH_REASON_UNSPECIFIED", "A_REASON_OF_THE_FUTURE", "ünreadable", 7])
def test_a_finish_reason_that_nobody_knows_is_judged_by_the_text(reason: Any) -> None:
    assert whole(chunk("Yes", finish_reason=reason)) == "Yes"
    with pytest.raises(AnswerEmpty):
        whole(chunk(finish_reason=reason))


def test_stop_on_every_chunk_does_not_end_the_reading() -> None:
    assert whole(chunk("a", finish_reason="STOP"), chunk("b", finish_reason="STOP")) == "ab"


def test_a_stream_without_any_finish_reason_was_cut_off_and_a_single_answer_was_not() -> None:
    with pytest.raises(AnswerTruncated):
        whole(chunk("a"), chunk("b"))
    assert whole(chunk("ab"), streamed=False) == "ab"


@pytest.mark.parametrize(
    "reason", ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "LANGUAGE"]
)
def test_a_policy_blocks_whatever_was_said(reason: str) -> None:
    with pytest.raises(AnswerBlocked) as failure:
        whole(chunk("said"), chunk(finish_reason=reason))
    assert failure.value.facts == {"finish_reason": reason, "block_reason": ""}


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


def test_ratings_alone_block_nothing() -> None:
    assert whole(chunk("a", finish_reason="STOP", promptFeedback={"safetyRatings": []})) == "a"


def test_the_maximum_reached_is_truncated_with_text_and_empty_without() -> None:
    with pytest.raises(AnswerTruncated):
        whole(chunk("a", finish_reason="MAX_TOKENS"))
    with pytest.raises(AnswerEmpty) as failure:
        whole(chunk(finish_reason="MAX_TOKENS"))
    assert not failure.value.again


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
def test_tokens_are_what_is_reported_or_the_sum_of_its_parts(usage: Any, total: int | None) -> None:
    reply = Reply()
    reply.take({"usageMetadata": usage})
    assert reply.total_tokens == total


def test_within_a_try_the_last_count_holds() -> None:
    reply = Reply()
    for count in ({"totalTokenCount": 10}, {"totalTokenCount": 25}, {}):
        reply.take({"usageMetadata": count})
    assert reply.total_tokens == 25


@pytest.mark.parametrize(
    ("named", "model"), [("gemini-3.8-flash", "gemini-3.8-flash"), ("a\nb", ""), (7, ""), ("", "")]
)
def test_a_model_is_named_only_by_what_can_be_a_name(named: Any, model: str) -> None:
    reply = Reply()
    reply.take({"modelVersion": named})
    assert reply.model == model


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
    for act in (lambda: whole(value), lambda: whole(value, streamed=False)):
        try:
            act()
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
        (404, error(404, "NOT_FOUND"), Misconfigured),
        (404, None, Misconfigured),
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
    [("34.4s", 34.4), ("0s", 0.0), ("36s", 36.0), ("1e9s", None), ("", None), ("-1s", None), (7, None)],
)
def test_the_wait_that_is_asked_for_may_be_fractional_or_missing(delay: Any, seconds: float | None) -> None:
    failure = refusal(429, error(429, "RESOURCE_EXHAUSTED", {"violations": "?"}, {"retryDelay": delay}))
    assert failure.retry_after_s == seconds


def test_facts_hold_names_of_constants_and_nobodys_words() -> None:
    failure = refusal(400, error(400, "your key AIza…", {"reason": "the prompt was: hello"}))
    assert failure.facts == {"http_status": 400, "status": ""}


def test_every_status_of_the_table_is_reached() -> None:
    for http_statuses, sign, failure in TABLE:
        details = [PER_DAY] if sign == "PER_DAY" else [{"reason": sign}]
        assert type(refusal(http_statuses[-1], error(0, "", *details))) is failure


def test_an_answer_that_is_no_object_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        whole("text")


def test_every_failure_has_a_reason_for_clients() -> None:
    failures = [
        kind for kind in vars(gemini_errors).values() if isinstance(kind, type) and issubclass(kind, GeminiError)
    ]
    assert len(failures) == 14
    assert all(kind.fallback_reason.startswith("ai_") for kind in failures)
    assert not [kind for kind in failures if kind.again and kind.operators_problem]
