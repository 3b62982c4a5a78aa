"""The address and the credentials of Gemini's two backends: the Gemini API, and Vertex AI on Google Cloud.

Source: Gemini API reference; Vertex AI reference ("Locations": global, regional and multi-regional hosts; "express
mode"). Refuses to know requests.
"""

from __future__ import annotations

from typing import Protocol

from generation.gemini.errors import Misconfigured
from runtime.settings import GEMINI_URL, GeminiSettings

MULTI_REGIONS = ("eu", "us")


TIER_HEADER = "X-Vertex-AI-LLM-Shared-Request-Type"  # Source: Vertex AI, Priority PayGo and Flex PayGo


class Tokens(Protocol):
    """A source of bearer tokens for Google Cloud."""

    @property
    def quota_project(self) -> str:
        """The project whose quota is used, '' for that of the credentials."""

    async def token(self) -> str:
        """Return a token that is valid now.

        Raises:
            GeminiError: none can be had.
        """


def needs_tokens(settings: GeminiSettings) -> bool:
    """Say whether the settings name a project of Google Cloud; the Gemini API and express mode take a key."""
    return settings.backend == "vertex" and bool(settings.project)


def url(settings: GeminiSettings, model: str, *, streamed: bool) -> str:
    """Name the method's address; without ``alt=sse`` a stream would come as one JSON array."""
    return method_url(settings, model, "streamGenerateContent?alt=sse" if streamed else "generateContent")


def method_url(settings: GeminiSettings, model: str, method: str) -> str:
    """Name the address of any method of a model."""
    if settings.backend == "gemini":
        return f"{settings.base_url.rstrip('/')}/{settings.api_version}/models/{model}:{method}"
    place = f"projects/{settings.project}/locations/{settings.location}/" if settings.project else ""
    return f"{base_url(settings)}/v1/{place}publishers/google/models/{model}:{method}"


def base_url(settings: GeminiSettings) -> str:
    """Return the address of the backend; Vertex AI has a host for each place, so that data stays there."""
    if settings.backend == "gemini" or settings.base_url != GEMINI_URL:
        return settings.base_url.rstrip("/")
    if settings.location == "global" or not settings.project:
        return "https://aiplatform.googleapis.com"
    if settings.location in MULTI_REGIONS:
        return f"https://aiplatform.{settings.location}.rep.googleapis.com"
    return f"https://{settings.location}-aiplatform.googleapis.com"


async def headers(settings: GeminiSettings, tokens: Tokens | None) -> dict[str, str]:
    """Return the headers. X-Server-Timeout is left out: Google refuses one below 10 s, and our deadline is our own.

    Raises:
        Misconfigured: the key has characters that no header can carry, or there are no credentials for Google Cloud.
    """
    # An answer is small and comes in pieces: compressed it could only come later, or unfold to any size.
    always = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if settings.backend == "vertex" and settings.service_tier in ("priority", "flex"):
        always[TIER_HEADER] = settings.service_tier
    if needs_tokens(settings):
        if tokens is None:
            raise Misconfigured(reason="no credentials for Google Cloud")
        quota = {"x-goog-user-project": tokens.quota_project} if tokens.quota_project else {}
        return always | quota | {"Authorization": f"Bearer {await tokens.token()}"}
    # In this header only: in the URL the key would reach logs, and beside Authorization it is refused.
    key = settings.api_key.get_secret_value().strip()
    if not (key.isascii() and key.isprintable()):
        raise Misconfigured(reason="api_key has characters that cannot be sent")
    return always | ({"x-goog-api-key": key} if key else {})
