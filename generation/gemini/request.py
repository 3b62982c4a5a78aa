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


def body(settings: GeminiSettings, system_instruction: str, text: str) -> bytes:
    """Return the JSON. No temperature, topP or topK: deprecated since July 2026."""
    config: dict[str, Any] = {"maxOutputTokens": settings.max_output_tokens}
    if settings.thinking_level:
        config["thinkingConfig"] = {"thinkingLevel": settings.thinking_level}
    members: dict[str, Any] = {"generationConfig": config}
    if settings.api_version == "v1":
        # Source: generativelanguage/v1/generative_service.proto has no system_instruction; sending one is a 400.
        members["contents"] = [{"role": "user", "parts": [{"text": system_instruction}, {"text": text}]}]
    else:
        members["systemInstruction"] = {"parts": [{"text": system_instruction}]}
        members["contents"] = [{"role": "user", "parts": [{"text": text}]}]
    if settings.safety_threshold:
        members["safetySettings"] = [
            {"category": category, "threshold": settings.safety_threshold} for category in HARM_CATEGORIES
        ]
    return json.dumps(members, ensure_ascii=False).encode("utf-8")
