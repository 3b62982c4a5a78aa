"""The span of one request to Gemini, with the names of OpenTelemetry's conventions for generative AI.

Source: open-telemetry/semantic-conventions-genai at 024a4f94, docs/gen-ai/client-inference.md; general ones 1.44.0.
They are in development: the names change here, and nowhere else, when they are pinned anew. Texts are in a span only
where the settings say so.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from generation.gemini import backends
from generation.gemini.answer import Reply
from generation.gemini.call import Call
from generation.gemini.session import Progress
from runtime.settings import GeminiSettings
from runtime.tracing import Attributes

GENERATE, COUNT = "generate_content", "count_tokens"
PROVIDERS = {"gemini": "gcp.gemini", "vertex": "gcp.vertex_ai"}


def span_name(operation: str, model: str) -> str:
    return f"{operation} {model}"


def of_operation(settings: GeminiSettings, model: str, operation: str) -> Attributes:
    """Return the attributes that every request to Gemini has."""
    address = urlsplit(backends.base_url(settings))
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": PROVIDERS[settings.backend],
        "gen_ai.request.model": model,
        "server.address": address.hostname or "",
        "server.port": address.port or (443 if address.scheme == "https" else 80),
    }


def of_request(settings: GeminiSettings, call: Call, model: str, thinking_level: str, cap: int) -> Attributes:
    """Return the attributes known before the request is sent."""
    known = {
        **of_operation(settings, model, GENERATE),
        "gen_ai.request.max_tokens": cap,
        "gen_ai.request.stream": call.streamed,
    }
    if thinking_level:
        known["gen_ai.request.reasoning.level"] = thinking_level
    if call.tries > 1:
        known["http.request.resend_count"] = call.tries - 1
    return known


def of_reply(reply: Reply, progress: Progress, *, streamed: bool) -> Attributes:
    """Return the attributes of the answer, as far as it came; cached tokens are input, thoughts are output."""
    known: dict[str, str | int | float | list[str]] = {
        "gen_ai.response.model": reply.model,
        "gen_ai.response.id": reply.response_id,
    }
    if reply.finish_reason:  # where there is none, error.type says why
        known["gen_ai.response.finish_reasons"] = [reply.finish_reason]
    if reply.usage:
        used = reply.usage
        known |= {
            "gen_ai.usage.input_tokens": used.input + used.cached + used.tool,
            "gen_ai.usage.cache_read.input_tokens": used.cached,
            "gen_ai.usage.output_tokens": used.output + used.thoughts,
            "gen_ai.usage.reasoning.output_tokens": used.thoughts,
        }
    if streamed and progress.first_data_at:
        known["gen_ai.response.time_to_first_chunk"] = progress.first_data_at - progress.began_at
    return {name: value for name, value in known.items() if value != ""}


def of_texts(call: Call, reply: Reply) -> Attributes:
    """Return the texts of request and answer, as the conventions' JSON."""
    asked = [_text(part) for part in (call.text, call.closing) if part]
    told = {
        "gen_ai.system_instructions": _json([_text(call.system_instruction)]),
        "gen_ai.input.messages": _json([{"role": "user", "parts": asked}]),
    }
    if reply.text or reply.finish_reason:
        ended = reply.finish_reason or "error"  # the messages' schema demands one; this is its own for a broken answer
        answered = {"role": "assistant", "parts": [_text(reply.text)], "finish_reason": ended}
        told["gen_ai.output.messages"] = _json([answered])
    return told


def _text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
