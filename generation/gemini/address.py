"""Where Gemini is asked and with which proof of who asks.

Source: Gemini API reference. Refuses to know what is asked.
"""

from __future__ import annotations

from generation.gemini.errors import Misconfigured
from runtime.settings import GeminiSettings


def url(settings: GeminiSettings, model: str) -> str:
    """Name the method's address; without ``alt=sse`` a stream would come as one JSON array."""
    method = "streamGenerateContent?alt=sse" if settings.stream else "generateContent"
    return f"{settings.base_url.rstrip('/')}/{settings.api_version}/models/{model}:{method}"


def headers(settings: GeminiSettings) -> dict[str, str]:
    """Return the headers. X-Server-Timeout is left out: Google refuses one below 10 s, and our deadline is our own.

    Raises:
        Misconfigured: the key has characters that no header can carry.
    """
    # An answer is small and comes in pieces: compressed it could only come later, or unfold to any size.
    always = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    # In this header only: in the URL the key would reach logs, and beside Authorization it is refused.
    key = settings.api_key.get_secret_value().strip()
    if not (key.isascii() and key.isprintable()):
        raise Misconfigured(reason="api_key has characters that cannot be sent")
    return always | ({"x-goog-api-key": key} if key else {})
