"""The request to Gemini: address, headers, body.

Source: Gemini API reference, GenerateContentRequest. Refuses to know who sends it and what the texts say.
"""

from __future__ import annotations

import json
from typing import Any

from generation.gemini.errors import Misconfigured
from runtime.settings import GeminiSettings

# Source: Gemini API reference, HarmCategory; the same threshold for all of them.
HARM_CATEGORIES = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)

ADDED_TOKENS = 1_024  # what Google itself may put around a prompt
# A rewrite is about as long as its draft, a token is one character in some scripts, and thoughts count as well.
SHORT_DRAFT_OUTPUT_TOKENS, OUTPUT_TOKENS_PER_CHARACTER = 24_576, 2


def url(settings: GeminiSettings) -> str:
    """Name the method's address; without ``alt=sse`` a stream would come as one JSON array."""
    method = "streamGenerateContent?alt=sse" if settings.stream else "generateContent"
    return f"{settings.base_url.rstrip('/')}/{settings.api_version}/models/{settings.model}:{method}"


def headers(settings: GeminiSettings) -> dict[str, str]:
    """Return the headers. X-Server-Timeout is left out: Google refuses one below 10 s, and our deadline is our own.

    Raises:
        Misconfigured: the key has characters that no header can carry.
    """
    # In this header only: in the URL the key would reach logs, and beside Authorization it is refused.
    key = settings.api_key.get_secret_value().strip()
    if not (key.isascii() and key.isprintable()):
        raise Misconfigured(reason="api_key has characters that cannot be sent")
    # An answer is small and comes in pieces: compressed it could only come later, or unfold to any size.
    return {"Content-Type": "application/json", "Accept-Encoding": "identity"} | (
        {"x-goog-api-key": key} if key else {}
    )


def output_cap(settings: GeminiSettings, text: str) -> int:
    """Return how many tokens the answer to a draft may have, thoughts included."""
    wanted = SHORT_DRAFT_OUTPUT_TOKENS + OUTPUT_TOKENS_PER_CHARACTER * len(text)
    return min(settings.max_output_tokens, wanted)


def larger_cap(settings: GeminiSettings, cap: int) -> int | None:
    """Return the cap for another try after one that was too small, or None when there is no larger one."""
    return min(settings.max_output_tokens, 2 * cap) if cap < settings.max_output_tokens else None


def most_tokens(body: bytes, cap: int) -> int:
    """Return how many tokens a request can cost at most: no tokenizer makes more than one of a byte."""
    return len(body) + ADDED_TOKENS + cap


def body(settings: GeminiSettings, system_instruction: str, text: str, cap: int, closing: str = "") -> bytes:
    """Return the JSON. No temperature, topP or topK: deprecated since July 2026."""
    config: dict[str, Any] = {"maxOutputTokens": cap}
    if settings.thinking_level:
        config["thinkingConfig"] = {"thinkingLevel": settings.thinking_level}
    members: dict[str, Any] = {"generationConfig": config}
    parts = [{"text": each} for each in (text, closing) if each]
    if settings.api_version == "v1":
        # Source: generativelanguage/v1/generative_service.proto has no system_instruction; sending one is a 400.
        members["contents"] = [{"role": "user", "parts": [{"text": system_instruction}, *parts]}]
    else:
        members["systemInstruction"] = {"parts": [{"text": system_instruction}]}
        members["contents"] = [{"role": "user", "parts": parts}]
    if settings.safety_threshold:
        members["safetySettings"] = [
            {"category": category, "threshold": settings.safety_threshold} for category in HARM_CATEGORIES
        ]
    return json.dumps(members, ensure_ascii=False).encode("utf-8")
