"""docs/finish-reasons.md says what each reason leads to; here the client is held to it, row by row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generation.gemini import Gemini, GeminiError, open_session
from tests.generation.gemini.conftest import ask, settings_for
from tests.generation.gemini.served import Recorded, serve

TABLE = Path(__file__).parents[3] / "docs" / "finish-reasons.md"
ROWS = [
    tuple(cell.strip().strip("`") for cell in line.strip("| \n").split("|"))
    for line in TABLE.read_text("utf-8").splitlines()
    if line.startswith("| `")
]


def answer_of(reason: str, text: str) -> bytes:
    candidate = {"content": {"role": "model", "parts": [{"text": text}] if text else []}, "finishReason": reason}
    return f"data: {json.dumps({'candidates': [candidate]})}\r\n\r\n".encode()


async def outcome_of(reason: str, text: str) -> str:
    """Return ``prompt`` for an answer, else the failure's fallback reason."""
    async with serve(Recorded(answer_of(reason, text), 200, "text/event-stream", 0)) as recorded:
        settings = settings_for(recorded.url)
        async with open_session(settings) as session:
            try:
                answer = await ask(Gemini(session, settings))
            except GeminiError as exc:
                return exc.fallback_reason
    assert answer.text == text
    return "prompt"


def test_the_table_has_every_reason_of_googles_enumeration_once() -> None:
    from google.genai.types import FinishReason  # seconds to import, in every worker that collects

    assert sorted(reason for reason, *_ in ROWS) == sorted(reason.value for reason in FinishReason)


@pytest.mark.gen_test
@pytest.mark.parametrize(("reason", "with_text", "without_text"), ROWS)
async def test_each_reason_leads_to_what_the_table_says(
    io_loop: object, reason: str, with_text: str, without_text: str
) -> None:
    assert await outcome_of(reason, "You answer for a bakery.") == with_text
    assert await outcome_of(reason, "") == without_text
