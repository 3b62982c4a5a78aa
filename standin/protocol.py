"""Gemini's JSON: reading a request as Google reads it, and the members of an answer.

Source: Gemini API reference, GenerateContentRequest and GenerateContentResponse; Google's JSON parser takes every name
in camelCase and in snake_case, and refuses names that it does not know. Refuses to know faults and timing.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

CHARACTERS_PER_TOKEN = 4
THOUGHT_TOKENS = 40
SHORTEST_SERVER_TIMEOUT_S = 10
RANDOM = re.compile(r"[A-Za-z0-9+/=]{24,}")  # base64, hex: about two characters to a token
MARK = re.compile(r"<prompt-([0-9a-f]{8})>")
KNOWN_MEMBERS = frozenset(
    {
        *("model", "contents", "systemInstruction", "safetySettings", "generationConfig", "tools", "toolConfig"),
        *("cachedContent", "labels", "serviceTier", "store"),
    }
)


class InvalidArgument(Exception):
    """A request that Google answers with 400 INVALID_ARGUMENT; the text is the message."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, and how its answer is billed.

    ``texts``: the text parts of its last content; ``characters``: the length of each part of all contents, random ones
    twice; ``mark``: the word in the marks that the answer is wanted between, '' for none.
    """

    texts: tuple[str, ...]
    characters: tuple[int, ...]
    max_output_tokens: int
    include_thoughts: bool
    mark: str = ""
    thinking_level: str = ""
    service_tier: str = ""
    store: bool | None = None
    traffic_type: str = ""
    thought_tokens: int = THOUGHT_TOKENS
    characters_per_token: float = CHARACTERS_PER_TOKEN

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def prompt_tokens(self) -> int:
        return sum(math.ceil(length / self.characters_per_token) for length in self.characters)

    def tokens(self, text: str) -> int:
        """Count the tokens of a text as this request is billed."""
        return math.ceil(len(text) / self.characters_per_token)


def read_request(body: bytes, server_timeout: str = "") -> Asked:
    """Return what is asked for.

    Raises:
        InvalidArgument
    """
    if server_timeout and (not server_timeout.isdecimal() or int(server_timeout) < SHORTEST_SERVER_TIMEOUT_S):
        raise InvalidArgument("Manually set deadline is too short. Minimum allowed deadline is 10s.")
    try:
        request = _camel(json.loads(body))
    except (ValueError, RecursionError) as exc:
        raise InvalidArgument("Invalid JSON payload received.") from exc
    if not isinstance(request, dict):
        raise InvalidArgument("Invalid JSON payload received. Expected an object.")
    if unknown := sorted(request.keys() - KNOWN_MEMBERS):
        raise InvalidArgument(f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
    contents = request.get("contents")
    contents = [contents] if isinstance(contents, dict) else contents
    if not isinstance(contents, list) or not contents:
        raise InvalidArgument("* GenerateContentRequest.contents: contents is not specified")
    config = request.get("generationConfig") or {}
    thinking = config.get("thinkingConfig") or {}
    if "thinkingLevel" in thinking and "thinkingBudget" in thinking:
        raise InvalidArgument("You can only set only one of thinking budget and thinking level.")
    if request.get("store") not in (None, True, False):
        raise InvalidArgument("Invalid value at 'store' (TYPE_BOOL)")
    instruction = request.get("systemInstruction")
    everything = [text for content in [*contents, instruction] for text in _texts(content)]
    return Asked(
        tuple(_texts(contents[-1])),
        tuple(map(_length, everything)),
        int(config.get("maxOutputTokens") or 65_536),
        thinking.get("includeThoughts") is True,
        next((found[1] for text in everything if (found := MARK.search(text))), ""),
        str(thinking.get("thinkingLevel", "")).lower(),
        str(request.get("serviceTier", "")).lower(),
        request.get("store"),
    )


def _length(text: str) -> int:
    return len(text) + sum(map(len, RANDOM.findall(text)))


def tokens(text: str) -> int:
    """Count tokens by the usual estimate."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def usage(asked: Asked, candidate_tokens: int) -> dict[str, Any]:
    """Return ``usageMetadata``; without candidates their count is left out, as Google does."""
    counts = {"promptTokenCount": asked.prompt_tokens, "thoughtsTokenCount": asked.thought_tokens}
    if candidate_tokens:
        counts["candidatesTokenCount"] = candidate_tokens
    traffic: dict[str, Any] = {"trafficType": asked.traffic_type} if asked.traffic_type else {}
    return counts | {"totalTokenCount": sum(counts.values())} | traffic


def content(*texts: str, thought: bool = False) -> dict[str, Any]:
    """Return one ``content`` of the model's."""
    return {"parts": [{"text": text} | ({"thought": True} if thought else {}) for text in texts], "role": "model"}


def _camel(value: Any) -> Any:
    """Write every member's name in camelCase."""
    if isinstance(value, list):
        return [_camel(each) for each in value]
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda match: match[1].upper(), name): _camel(each) for name, each in value.items()}
    return value


def _texts(content: Any) -> list[str]:
    parts = content.get("parts") if isinstance(content, dict) else []
    parts = [parts] if isinstance(parts, dict) else parts or []
    if not isinstance(parts, list):
        raise InvalidArgument("Invalid value at 'contents[0].parts'")
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return [text for text in texts if isinstance(text, str)]
