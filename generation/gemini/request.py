"""The body of a request to Gemini, and how large its answer may be.

Source: Gemini API reference, GenerateContentRequest; "Logs and datasets" for ``store``, "Priority inference" for
``serviceTier``. Refuses to know who sends it and what the texts say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from runtime.settings import GeminiSettings

# Source: Gemini API reference, HarmCategory; the same threshold for all of them.
HARM_CATEGORIES = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)

ADDED_TOKENS = 1_024  # an allowance for text that Google puts around a prompt
# A rewrite is about as long as its draft, a token is one character in some scripts, and thoughts count as well.
SHORT_DRAFT_OUTPUT_TOKENS, OUTPUT_TOKENS_PER_CHARACTER = 24_576, 2


def output_cap(settings: GeminiSettings, text: str) -> int:
    """Return how many tokens the answer to a draft may have, thoughts included."""
    wanted = SHORT_DRAFT_OUTPUT_TOKENS + OUTPUT_TOKENS_PER_CHARACTER * len(text)
    return min(settings.max_output_tokens, wanted)


def larger_cap(settings: GeminiSettings, cap: int) -> int | None:
    """Return the cap for another try after one that was too small, or None when there is no larger one."""
    return min(settings.max_output_tokens, 2 * cap) if cap < settings.max_output_tokens else None


def max_tokens(body: bytes, cap: int) -> int:
    """Return the most tokens that a request can cost: no tokenizer makes more than one of a byte."""
    return len(body) + ADDED_TOKENS + cap


def body(
    settings: GeminiSettings, system_instruction: str, text: str, cap: int, thinking_level: str, closing: str = ""
) -> bytes:
    """Return the JSON. No temperature, topP or topK: deprecated since July 2026."""
    config: dict[str, Any] = {"maxOutputTokens": cap}
    if thinking_level:
        config["thinkingConfig"] = {"thinkingLevel": thinking_level}
    members: dict[str, Any] = {
        "systemInstruction": {"parts": [{"text": system_instruction}]},
        "contents": [{"role": "user", "parts": [{"text": each} for each in (text, closing) if each]}],
        "generationConfig": config,
    }
    if settings.safety_threshold:
        members["safetySettings"] = [
            {"category": category, "threshold": settings.safety_threshold} for category in HARM_CATEGORIES
        ]
    if settings.backend == "gemini":  # Vertex AI keeps nothing unless a project asks it to, and has no such member
        members["store"] = settings.store
    if settings.service_tier and settings.backend == "gemini":  # Vertex AI takes a header
        members["serviceTier"] = settings.service_tier
    return json.dumps(members, ensure_ascii=False).encode("utf-8")


def body_to_count(texts: Iterable[str]) -> bytes:
    """Return the JSON of a request for the number of tokens of all texts together.

    Source: Gemini API reference, models.countTokens; Vertex AI has the same member.
    """
    contents = [{"role": "user", "parts": [{"text": each} for each in texts if each]}]
    return json.dumps({"contents": contents}, ensure_ascii=False).encode("utf-8")
