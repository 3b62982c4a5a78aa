"""The client against answers as they came over the wire: ours always, a corpus of real ones where it is there.

Both backends are asked, and the same is expected of both: Vertex AI's answers have the Gemini API's form.

The corpus is a folder gemini-corpus (INDEX.tsv and the files it names) in ../shared, or in the folder PROMPT_CORPUS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generation.gemini import Gemini, GeminiAnswer, GeminiError, open_session
from generation.gemini.errors import AnswerBlocked, AnswerEmpty, AnswerTruncated, MalformedAnswer
from tests.generation.gemini.conftest import ask, settings_for
from tests.generation.gemini.served import Recorded, Recorder, serve
from tests.support.recorded_corpus import CORPUS, ROWS

FIXTURES = Path(__file__).parent / "fixtures"
OURS: dict[str, dict[str, Any]] = json.loads((FIXTURES / "index.json").read_text("utf-8"))

FAILURES: dict[str, tuple[type[GeminiError], ...]] = {
    "blocked": (AnswerBlocked,),
    "empty": (AnswerEmpty,),
    "truncated": (AnswerTruncated,),
    "malformed": (MalformedAnswer,),
}
# Reasons that the index takes for an end of whole answers, because Google's SDKs do. Only STOP is one for us: what the
# next unknown reason means nobody can know, and half a prompt must not pass for the whole.
INVENTED_REASONS = ("FAKE_ENUM", "FAKE_NEW_FINISH_REASON")
# Answers to requests that this client never makes. They must still end in an answer or a named failure.
NOT_ASKED_FOR = {
    "toolcall": "we declare no tools, so no functionCall can come",
    "media": "we ask for text, never for images or sound",
    "count": "an answer to countTokens is no generation",
}
PATHS = {"gemini": b"POST /v1beta", "vertex": b"POST /v1/publishers/google"}


@dataclass
class Outcome:
    answer: GeminiAnswer | None
    failure: GeminiError | None
    heard: Recorder


async def outcome_of(path: Path, http_status: int, *, stream: bool, piece: int, backend: str = "gemini") -> Outcome:
    """Ask a server that answers with this file, once; Vertex AI with an express key."""
    types = {".sse": "text/event-stream", ".html": "text/html; charset=UTF-8"}
    # A refused stream call comes with the stream's type, whatever its body is.
    content_type = types.get(path.suffix, "text/event-stream" if stream else "application/json; charset=UTF-8")
    heard = Recorder()
    once = {"tries": 1, "max_output_tokens": 24_576}  # there is no larger cap to ask again with
    async with serve(Recorded(path.read_bytes(), http_status, content_type, piece)) as recorded:
        settings = settings_for(recorded.url, backend=backend, stream=stream, answer_bytes=20_000_000, **once)
        answer = failure = None
        async with open_session(settings) as session:
            try:
                answer = await ask(Gemini(session, settings), observer=heard, within_s=30)
            except GeminiError as exc:
                failure = exc
    assert {request.split(b"/models/")[0] for request in recorded.requests} == {PATHS[backend]}
    return Outcome(answer, failure, heard)


def is_stream(name: str) -> bool:
    return name.endswith((".sse", ".array.json", ".jsonl"))


@pytest.mark.gen_test
@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    ("backend", "piece"), [("gemini", 0), ("gemini", 1), ("gemini", 7), ("gemini", 4096), ("vertex", 5)]
)
async def test_our_fixtures_match_their_index(io_loop: object, name: str, backend: str, piece: int) -> None:
    expected = OURS[name]
    outcome = await outcome_of(
        FIXTURES / name, expected["http_status"], stream=is_stream(name), piece=piece, backend=backend
    )
    assert outcome.heard.said == expected["text"]
    assert outcome.heard.totals[-1:] == ([expected["total_tokens"]] if expected["total_tokens"] else [])
    if expected["outcome"] == "text":
        assert outcome.answer is not None
        assert outcome.answer.text == expected["text"]
        assert outcome.answer.total_tokens == expected["total_tokens"]
    else:
        assert outcome.failure is not None
        kinds = FAILURES.get(expected["outcome"], (GeminiError,))
        assert isinstance(outcome.failure, kinds)
        assert expected["facts"].items() <= outcome.failure.facts.items()


def test_every_fixture_is_in_the_index() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == OURS.keys() | {"index.json"}


def expected_text(row: dict[str, str]) -> str:
    if row["expected_text_file"]:
        return (CORPUS / row["expected_text_file"]).read_text("utf-8")
    text: str = json.loads(f'"{row["expected_text"]}"')  # short ones stand in the index, escaped as in JSON
    return text


def expected_total(row: dict[str, str]) -> int | None:
    """Return the reported total, or the sum of the reported counts."""
    names = ("prompt_tokens", "candidates_tokens", "thoughts_tokens", "tooluse_tokens")
    counts = [int(row[name]) for name in names if row[name]]
    return int(row["total_tokens"]) if row["total_tokens"] else (sum(counts) if counts else None)


@pytest.mark.skipif(not ROWS, reason=f"no corpus of recorded answers at {CORPUS}")
@pytest.mark.gen_test
@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize(("backend", "piece"), [("gemini", "as it came"), ("gemini", 5), ("vertex", 5)])
async def test_recorded_answers_match_their_index(io_loop: object, name: str, backend: str, piece: int | str) -> None:
    row = ROWS[name]
    stream = row["endpoint"] == "streamGenerateContent"
    size = piece if isinstance(piece, int) else 0  # pieces cut events, lines and characters anywhere
    outcome = await outcome_of(CORPUS / name, int(row["http_status"]), stream=stream, piece=size, backend=backend)
    assert outcome.heard.totals[-1:] == ([expected_total(row)] if expected_total(row) else []) or (
        row["outcome"] == "count"  # totalTokens of countTokens is not in usageMetadata
    )
    if row["outcome"] in NOT_ASKED_FOR:
        assert outcome.answer or outcome.failure
        return
    assert outcome.heard.said == expected_text(row)
    if row["finish_reason"] in INVENTED_REASONS:
        assert isinstance(outcome.failure, AnswerTruncated)
        return
    if row["outcome"] == "text":
        assert outcome.answer is not None, outcome.failure
        assert outcome.answer.text == expected_text(row)
        assert outcome.answer.total_tokens == expected_total(row)
        assert row["model"] in ("", outcome.answer.model)
        return
    assert outcome.failure is not None
    if row["outcome"] == "error":
        error = json.loads(row["error"]) if row["error"] else {}
        assert outcome.failure.facts["http_status"] == error.get("code", int(row["http_status"]))
        assert outcome.failure.facts["status"] == error.get("status", "")
        return
    assert isinstance(outcome.failure, FAILURES[row["outcome"]])
    assert outcome.failure.facts.get("finish_reason", "") == row["finish_reason"]
    if row["outcome"] == "blocked":
        assert outcome.failure.facts["block_reason"] == row["block_reason"]
