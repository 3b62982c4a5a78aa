"""Reads Gemini's JSON: text, usage, or one of the named failures.

Refuses to know how it arrived, and when to try again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from generation.gemini.errors import AnswerBlocked, AnswerEmpty, AnswerTruncated, MalformedAnswer
from generation.gemini.json_values import LARGEST_COUNT, absent, as_dict, as_list, constant, writable
from generation.gemini.refusals import refusal
from generation.gemini.usage import COUNTS, Usage, reported_usage, tier_of

# Source: Gemini API reference, FinishReason (and google-genai's enumeration). Every reason that is in neither set,
# known or not, cuts an answer short.
WHOLE = "STOP"
BLOCKING = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"),
        *("PUP_LIMITED_DISABLED", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    }
)
NAME = re.compile(r"[\w./-]{1,100}", re.ASCII)
TIME = re.compile(r"[0-9T:.+Z-]{10,40}")


@dataclass(frozen=True, slots=True)
class GeminiAnswer:
    """A whole answer: its visible text, what was billed (None: not reported), and which model spoke.

    ``tries`` of all models together. ``tier`` and ``response_id`` are '' where Google did not name them.
    """

    text: str
    usage: Usage | None
    model: str
    tries: int
    tier: str = ""
    response_id: str = ""

    @property
    def total_tokens(self) -> int | None:
        return self.usage.total if self.usage else None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Google's announcement about a model: its stage (STABLE, LEGACY, …) and its end, an ISO time; '' when unknown."""

    stage: str
    retirement_time: str


class Reply:
    """An answer in the making: one try's JSON values, taken in one by one.

    ``max_tokens``: what the request can have cost at most; larger counts are not believed.
    """

    def __init__(self, max_tokens: int = LARGEST_COUNT) -> None:
        self.usage: Usage | None = None
        self.usage_doubted = False
        self.model = ""
        self.response_id = ""
        self.tier = ""
        self.model_status = ModelStatus("", "")
        self._max_tokens = max_tokens
        self._texts: list[str] = []
        self._has_text = False  # anything but space
        self._half = ""  # the first half of a surrogate pair whose second half is in the next value
        self._finish_reason = ""
        self._block_reason = ""
        self._stop_ends_nothing = False

    @property
    def total_tokens(self) -> int | None:
        return self.usage.total if self.usage else None

    @property
    def text(self) -> str:
        """The visible text so far."""
        return "".join(self._texts)

    @property
    def finish_reason(self) -> str:
        """The reason that Gemini gave for its end, in its own word; '' before it."""
        return self._finish_reason

    @property
    def stands(self) -> bool:
        """Whether text and its proper end have come: then the answer is whole, even if the connection breaks.

        A STOP with more text after it is no end: older models put one on every piece, and then only the end of
        the stream counts.
        """
        complete = self._finish_reason == WHOLE and not self._block_reason and not self._stop_ends_nothing
        return complete and self._has_text

    def take(self, value: Any) -> str:
        """Take one value in and return the visible text that it brought.

        Raises:
            GeminiError: the value is an error, or not of Gemini's protocol.
        """
        if not isinstance(value, dict):
            if absent(value):
                return ""
            raise MalformedAnswer(reason="not an object")
        if not _says_nothing(value.get("error")):
            raise refusal(200, value)
        self._note_usage(metadata := as_dict(value.get("usageMetadata")))
        self.tier = tier_of(metadata) or self.tier
        if (model := value.get("modelVersion")) != self.model:  # each piece repeats it
            self.model = _name(model) or self.model
        if (response_id := value.get("responseId")) != self.response_id:
            self.response_id = _name(response_id) or self.response_id
        if status := as_dict(value.get("modelStatus")):
            moment = status.get("retirementTime")
            time = moment if isinstance(moment, str) and TIME.fullmatch(moment) else ""
            self.model_status = ModelStatus(constant(status.get("modelStage")), time)
        if feedback := as_dict(value.get("promptFeedback")):
            self._block_reason = _block_reason(feedback) or self._block_reason
        candidate = as_dict(next(iter(as_list(value.get("candidates"))), None))
        text = self._joined(_visible_text(candidate))
        self._stop_ends_nothing |= bool(text.strip()) and self._finish_reason == WHOLE
        if not absent(finish_reason := candidate.get("finishReason")):
            named = constant(finish_reason) or "UNREADABLE"
            if not self.stands or named in BLOCKING:
                self._finish_reason = named
        self._has_text = self._has_text or not (text.isspace() or not text)
        self._texts.append(text)
        return text

    def whole(self, *, streamed: bool) -> str:
        """Return the text, now that there is no more.

        Raises:
            AnswerBlocked, AnswerEmpty, AnswerTruncated
        """
        text, finish_reason = self.text, self._finish_reason
        if self._block_reason or finish_reason in BLOCKING:
            raise AnswerBlocked(finish_reason=finish_reason, block_reason=self._block_reason)
        if not text.strip():
            raise AnswerEmpty(finish_reason=finish_reason)
        # A stream without any finish reason was cut off: nothing else tells.
        if finish_reason != WHOLE and (finish_reason or streamed):
            raise AnswerTruncated(finish_reason=finish_reason)
        return text

    def _note_usage(self, metadata: dict[str, Any]) -> None:
        """Keep the last counts: within a try they are cumulative. One that falls is believed when it covers input and
        output so far, as where Google's last count leaves the thoughts out, and else not.
        """
        usage = reported_usage(metadata, self._max_tokens)
        if usage is None:
            self.usage_doubted |= any(not absent(metadata.get(name)) for name in COUNTS)
        elif self.usage is None or usage.total >= self.usage.total - self.usage.thoughts:
            self.usage = usage
        else:
            self.usage_doubted = True

    def _joined(self, text: str) -> str:
        if not self._half and text.isascii():
            return text
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return writable(text.removesuffix(self._half))


def _says_nothing(error: Any) -> bool:
    """Whether an error is absent, or one of a gateway that fills in every member: all of them empty, or OK."""
    return absent(error) or (
        isinstance(error, dict) and all(absent(it) or constant(it) == "OK" for it in error.values())
    )


def _name(value: Any) -> str:
    return value if isinstance(value, str) and NAME.fullmatch(value) else ""


def _visible_text(candidate: dict[str, Any]) -> str:
    parts = [as_dict(part) for part in as_list(as_dict(candidate.get("content")).get("parts"))]
    texts = [part.get("text") for part in parts if part.get("thought") is not True]
    return "".join([text for text in texts if isinstance(text, str)])


def _block_reason(feedback: dict[str, Any]) -> str:
    reason = feedback.get("blockReason")
    if not absent(reason):
        return constant(reason) or "UNSPECIFIED"
    return "" if absent(feedback.get("blockReasonMessage")) else "UNSPECIFIED"
