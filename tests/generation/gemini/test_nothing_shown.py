"""Text of which nobody has seen anything yet, such as an opening mark, is no reason not to ask again."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from generation.gemini.usage import Usage
from generation.prompt_text import PromptText
from generation.rewrite import Request, Rewriter, Rewritten
from tests.generation.gemini.conftest import MakeGemini
from tests.generation.gemini.served import Recorded, serve

DRAFT = "We are the bakery Sonne. Bread costs 4.80 EUR, call 030 1234567."
CUT_OFF: dict[str, dict[str, Any]] = {
    "by its cap": {"candidates": [{"content": {"parts": []}, "finishReason": "MAX_TOKENS"}]},
    "by an error": {"error": {"code": 503, "status": "UNAVAILABLE"}},
}


class Seen:
    """What users see of the first call."""

    text_so_far = ""
    followed = False

    async def request_sent(self) -> None:
        pass

    async def text(self, piece: str) -> None:
        self.text_so_far += piece

    def usage(self, usage: Usage) -> None:
        pass

    def count_on(self) -> None:
        pass


@dataclass
class FirstCutOff(Recorded):
    """The first answer ends after its opening mark, the second one is whole."""

    cut_off: dict[str, Any] | None = None

    def bytes_on_the_wire(self) -> bytes:
        found = re.search(rb"<prompt-[0-9a-f]+>", self.requests[-1])
        assert found is not None
        opening = found[0].decode()
        closing = opening.replace("<", "</")
        whole = f"{opening}\nYou speak for the bakery Sonne. Bread costs 4.80 EUR, call 030 1234567.\n{closing}"
        if len(self.requests) > 1:
            values: list[Any] = [candidate(whole, "STOP")]
        else:
            values = [candidate(f"{opening}\n", None), self.cut_off]
        self.body = "".join(f"data: {json.dumps(value)}\r\n\r\n" for value in values).encode()
        return super().bytes_on_the_wire()


def candidate(text: str, finish_reason: str | None) -> dict[str, Any]:
    end = {"finishReason": finish_reason} if finish_reason else {}
    return {"candidates": [{"content": {"parts": [{"text": text}]}} | end]}


async def rewritten(make_gemini: MakeGemini, recorded: FirstCutOff) -> tuple[Rewritten, str]:
    seen = Seen()
    rewriter = Rewriter(await make_gemini(base_url=recorded.url), PromptText())
    request = Request(DRAFT, "", "general", "a", deadline=asyncio.get_running_loop().time() + 60)
    result = await rewriter.run(request, seen)
    assert isinstance(result, Rewritten)
    return result, seen.text_so_far


@pytest.mark.gen_test
@pytest.mark.parametrize("how", sorted(CUT_OFF))
async def test_an_answer_that_ends_after_its_opening_mark_is_asked_for_again(make_gemini: MakeGemini, how: str) -> None:
    recorded = FirstCutOff(b"", cut_off=CUT_OFF[how])
    async with serve(recorded):
        result, shown = await rewritten(make_gemini, recorded)
    assert len(recorded.requests) == 2
    assert "4.80 EUR" in result.prompt
    assert shown.startswith("You speak for the bakery")
    assert "prompt-" not in shown
