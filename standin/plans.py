"""Plans an answer: one request and its behaviour in, a list of timed steps out.

Pure functions, so that answers can be tested without a server; refuses to know sockets.
"""

from __future__ import annotations

import enum
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from standin import protocol
from standin.behaviour import Behaviour
from standin.faults import ANSWERS, DAMAGES, ERRORS, GoogleError, OddAnswer
from standin.protocol import Asked
from standin.rewriting import damage, draft_in, rewrite

JSON, SSE, HTML = "application/json; charset=UTF-8", "text/event-stream", "text/html; charset=UTF-8"
PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"
FIRST_WORD_AFTER = 0.4  # of an answer's time: the model thinks before it speaks
HUGE = ["huge " * 10_000] * 60  # 3 MB in few pieces


class End(enum.Enum):
    """How an answer stops other than by being whole."""

    HANG = "nothing more comes, the connection stays"
    CUT = "the connection is closed in the middle"
    RESET = "the connection is reset"


Step = float | bytes | End  # wait until that many seconds after the request; send; stop


@dataclass(frozen=True, slots=True)
class Plan:
    """``streamed``: each piece of the body is sent by itself; else the body is sent at once with its length."""

    steps: Iterable[Step]
    http_status: int = 200
    content_type: str = JSON
    streamed: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        return b"".join(step for step in self.steps if isinstance(step, bytes))


class Method(enum.Enum):
    """How the answer is framed."""

    UNARY = "generateContent"
    SSE = "streamGenerateContent?alt=sse"
    ARRAY = "streamGenerateContent"


def make_plan(asked: Asked, behaviour: Behaviour, method: Method, *, model: str, response_id: str) -> Plan:
    """Plan the answer to one request."""
    fault = behaviour.fault
    asked = replace(asked, thought_tokens=behaviour.thought_tokens, characters_per_token=behaviour.characters_per_token)
    if fault in ERRORS:
        return error_plan(ERRORS[fault], behaviour)
    words = HUGE if fault == "huge" else _words(asked, fault)
    always: dict[str, Any] = {"modelVersion": model, "responseId": response_id}
    if behaviour.model_stage:
        status = {"modelStage": behaviour.model_stage, "retirementTime": behaviour.retirement_time}
        always["modelStatus"] = {name: value for name, value in status.items() if value}
    answer = _Answer(asked, ANSWERS.get(fault, OddAnswer()), words, always)
    plan = answer.unary(behaviour) if method is Method.UNARY else answer.stream(behaviour, method)
    return BREAK[fault](replace(plan, steps=list(plan.steps)), behaviour) if fault in BREAK else plan


def _words(asked: Asked, fault: str) -> list[str]:
    draft = draft_in(asked.texts)
    text = rewrite(draft)
    if fault in DAMAGES:
        text = damage(text, draft, fault)
    if asked.mark:  # the shape that was asked for
        text = f"<prompt-{asked.mark}>\n{text}\n</prompt-{asked.mark}>"
    return re.findall(r"\S+\s*|\s+", text)


def error_plan(error: GoogleError, behaviour: Behaviour) -> Plan:
    """Plan Google's refusal, which takes the behaviour's delay as any answer does."""
    return Plan([behaviour.delay_s, _json(error.body(behaviour.retry_after_s))], error.http_status)


class _Answer:
    """The words of one answer, and the JSON around them."""

    def __init__(self, asked: Asked, odd: OddAnswer, words: Sequence[str], always: dict[str, Any]) -> None:
        self._asked = asked
        self._odd = odd
        self._finish_reason = odd.finish_reason
        self._always = always
        self._words = words[: odd.words]
        allowed = max(0, asked.max_output_tokens - asked.thought_tokens)  # thinking counts against the maximum
        if words is not HUGE and asked.tokens("".join(self._words)) > allowed:
            ends = itertools.accumulate(len(word) for word in self._words)
            most = allowed * asked.characters_per_token
            self._words = [word for word, end in zip(self._words, ends, strict=True) if end <= most]
            self._finish_reason = "MAX_TOKENS"

    def unary(self, behaviour: Behaviour) -> Plan:
        text = "".join(self._words)
        pace_s = protocol.tokens(text) / behaviour.tokens_per_second if behaviour.tokens_per_second else 0.0
        return Plan([behaviour.delay_s + pace_s, _json(self._whole(text))])

    def stream(self, behaviour: Behaviour, method: Method) -> Plan:
        size = behaviour.words_per_chunk
        pieces = ["".join(self._words[at : at + size]) for at in range(0, len(self._words), size)]
        moments = _moments([len(piece) for piece in pieces], self._chunk_count(pieces), behaviour)
        frames = _as_events(self._chunks(pieces)) if method is Method.SSE else _as_array(list(self._chunks(pieces)))
        # Frames of a long answer are made one by one, as they are sent: the event loop is not ours alone.
        steps = (step for timed in zip(moments, frames, strict=True) for step in timed)
        return Plan(steps, content_type=SSE if method is Method.SSE else JSON, streamed=True)

    def _chunk_count(self, pieces: Sequence[str]) -> int:
        if not self._odd.candidates:
            return 1
        return self._asked.include_thoughts + len(pieces) + bool(self._finish_reason or not pieces)

    def _whole(self, text: str) -> dict[str, Any]:
        if not self._odd.candidates:
            return self._without_candidates()
        content = protocol.content(*([text] if text else []))
        if self._asked.include_thoughts:
            content["parts"] = [*protocol.content("Reading the draft.", thought=True)["parts"], *content["parts"]]
        if not content["parts"]:
            del content["parts"]
        candidate = {"content": content, "index": 0} | self._finish()
        return {"candidates": [candidate]} | self._usage(text) | self._always

    def _chunks(self, pieces: Sequence[str]) -> Iterator[dict[str, Any]]:
        if not self._odd.candidates:
            yield self._without_candidates()
            return
        if self._asked.include_thoughts:
            yield self._chunk(protocol.content("Reading the draft.", thought=True), "")
        said = ""
        for piece in pieces:
            said += piece
            yield self._chunk(
                protocol.content(piece), said, **(self._finish() if self._odd.every_chunk_finishes else {})
            )
        if self._finish_reason or not pieces:
            # Google's last chunk often has empty text; when nothing was said, no parts at all.
            yield self._chunk(protocol.content("") if pieces else {"role": "model"}, said, **self._finish())

    def _chunk(self, content: dict[str, Any], said: str, **finish: str) -> dict[str, Any]:
        return {"candidates": [{"content": content, "index": 0} | finish]} | self._usage(said) | self._always

    def _without_candidates(self) -> dict[str, Any]:
        feedback = {"promptFeedback": {"blockReason": self._odd.block_reason}} if self._odd.block_reason else {}
        return feedback | self._usage("") | self._always

    def _finish(self) -> dict[str, str]:
        return {"finishReason": self._finish_reason} if self._finish_reason else {}

    def _usage(self, said: str) -> dict[str, Any]:
        return {"usageMetadata": protocol.usage(self._asked, self._asked.tokens(said))} if self._odd.usage else {}


def _moments(lengths: Sequence[int], count: int, behaviour: Behaviour) -> list[float]:
    """Say when each of ``count`` chunks goes out; ``lengths``: characters of those with text, which come first."""
    if behaviour.tokens_per_second:
        per_character_s = 1 / protocol.CHARACTERS_PER_TOKEN / behaviour.tokens_per_second
        spoken = [behaviour.delay_s + length * per_character_s for length in itertools.accumulate(lengths)]
        return (spoken + [spoken[-1] if spoken else behaviour.delay_s] * count)[:count]
    if count == 1:
        return [behaviour.delay_s]
    return [behaviour.delay_s * (FIRST_WORD_AFTER + (1 - FIRST_WORD_AFTER) * at / (count - 1)) for at in range(count)]


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _as_events(values: Iterable[Any]) -> Iterator[bytes]:
    return (f"data: {json.dumps(value, ensure_ascii=False)}\r\n\r\n".encode() for value in values)


def _as_array(values: Sequence[Any]) -> list[bytes]:
    frames = [(b"," if at else b"[") + _json(value).strip() + b"\r\n" for at, value in enumerate(values)]
    frames[-1] += b"]"
    return frames


def _halved(plan: Plan) -> list[Step]:
    """Return the first half of what would be sent, at its times."""
    steps = list(plan.steps)
    sent = [at for at, step in enumerate(steps) if isinstance(step, bytes)]
    if len(sent) > 1:
        return steps[: sent[len(sent) // 2]]
    return [*steps[: sent[0]], plan.body[: len(plan.body) // 2]]


def _midway(*ending: Step) -> Callable[[Plan, Behaviour], Plan]:
    return lambda plan, _behaviour: replace(plan, steps=[*_halved(plan), *ending], streamed=True)


def _instead(*steps: Step, **members: Any) -> Callable[[Plan, Behaviour], Plan]:
    return lambda _plan, behaviour: Plan([behaviour.delay_s, *steps], **members)


def _byte_a_second(plan: Plan, _behaviour: Behaviour) -> Plan:
    body = plan.body
    steps: list[Step] = [step for at in range(len(body)) for step in (float(at), body[at : at + 1])]
    return replace(plan, steps=steps, streamed=True)


def _wrong_utf8(plan: Plan, _behaviour: Behaviour) -> Plan:
    """Put bytes that are not UTF-8 into the text, of a stream into its second half."""
    steps = list(plan.steps)
    spoilt_from = len(steps) // 2
    return replace(plan, steps=[*steps[:spoilt_from], *map(_spoilt, steps[spoilt_from:])])


def _spoilt(step: Step) -> Step:
    return step.replace(b'"text": "', b'"text": "\xff\xfe', 1) if isinstance(step, bytes) else step


OVERLOADED = ERRORS["overloaded"].body(0)
BREAK: dict[str, Callable[[Plan, Behaviour], Plan]] = {
    "hang": _instead(End.HANG),
    "hang_mid_stream": _midway(End.HANG),
    "byte_a_second": _byte_a_second,
    "reset": _instead(End.RESET),
    "reset_after_headers": _instead(b"", End.RESET, streamed=True),
    "reset_mid_stream": _midway(End.RESET),
    "cut_mid_stream": _midway(End.CUT),
    "error_mid_stream": _midway(_json(OVERLOADED)),
    "error_mid_stream_data": _midway(*_as_events([OVERLOADED])),
    "html_error": _instead(PAGE, http_status=502, content_type=HTML),
    "html": _instead(PAGE, content_type=HTML),
    "wrong_utf8": _wrong_utf8,
    "broken_json": _instead(b'data: {"candidates": [{"content": \r\n\r\n', content_type=SSE),
    "redirect": _instead(b"", http_status=302, headers=(("Location", "/elsewhere"),)),
}
