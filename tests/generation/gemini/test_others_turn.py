"""No answer of Gemini's holds up the event loop, whatever its bytes are: meanwhile others get their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from generation.gemini import Gemini, GeminiAnswer, exchange
from generation.gemini.errors import AnswerTooLarge, GeminiError
from generation.marks import MarkFilter, Marks
from generation.prompt_text import PromptText
from generation.rewrite import Request, Rewriter
from tests.generation.gemini.conftest import MakeGemini, ask
from tests.generation.gemini.served import Recorded, serve

END = b'data: {"candidates":[{"content":{"parts":[{"text":"Yes."}]},"finishReason":"STOP"}]}\n\n'
PIECE = b'data: {"candidates":[{"content":{"parts":[{"text":"\\n"}]}}]}\n\n'
BODIES = {
    "empty lines": b"\n" * 400_000 + END,
    "comments": b":\n" * 200_000 + END,
    "empty events": b"data: {}\n\n" * 40_000 + END,
    "values in one line": b"data: " + b"{}" * 40_000 + b"\n\n" + END,
    "line breaks as text": PIECE * 8_000 + END,
}
TURNS_BETWEEN = 100  # of the loop while such a body is read; without pauses there were two
TURNS_BESIDE_A_THREAD = 10  # a turn each time the thread gives way; how often that is, the machine's speed decides


async def turns_during(work: Coroutine[Any, Any, Any]) -> tuple[int, Any]:
    """Return how often the loop went round meanwhile, and what the work returned."""
    working, turns = asyncio.ensure_future(work), 0
    while not working.done():
        await asyncio.sleep(0)
        turns += 1
    return turns, await working


async def tell(gemini: Gemini) -> GeminiAnswer | GeminiError:
    try:
        return await ask(gemini)
    except GeminiError as exc:
        return exc


@pytest.mark.gen_test
@pytest.mark.parametrize("body", sorted(BODIES))
async def test_others_get_their_turn_while_a_body_is_read(make_gemini: MakeGemini, body: str) -> None:
    async with serve(Recorded(BODIES[body], piece=len(BODIES[body]))) as recorded:
        turns, answer = await turns_during(tell(await make_gemini(base_url=recorded.url, tries=1)))
    assert isinstance(answer, GeminiAnswer)
    assert answer.text.strip() == "Yes."
    assert turns > TURNS_BETWEEN


@pytest.mark.gen_test
async def test_an_answer_of_more_values_than_there_can_be_tokens_is_given_up(
    make_gemini: MakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "MAX_VALUES", 1_000)
    async with serve(Recorded(b"data: " + b"{}" * 2_000 + b"\n\n" + END, piece=65_536)) as recorded:
        answer = await tell(await make_gemini(base_url=recorded.url, tries=1))
    assert isinstance(answer, AnswerTooLarge)


@pytest.mark.gen_test
async def test_others_get_their_turn_while_a_long_answer_is_compared_with_its_draft(make_gemini: MakeGemini) -> None:
    rewriter, marks = Rewriter(await make_gemini(), PromptText()), Marks.new()
    request = Request("Open from 9:00. " * 1_200, "", "general", "a", deadline=0)
    answer = GeminiAnswer("Open from 9:00. " * 6_000, None, "", 1)
    turns, verdict = await turns_during(rewriter._judge(request, answer, marks))
    assert verdict.faithful
    assert turns > TURNS_BESIDE_A_THREAD


def test_space_before_the_first_word_is_not_looked_at_again_with_each_piece() -> None:
    shown = MarkFilter(Marks.new())
    assert {shown.feed("\n") for _ in range(300_000)} == {""}  # some minutes, when all of it was
    assert shown.feed("  Yes") + shown.feed(", this.") + shown.end() == "Yes, this."
