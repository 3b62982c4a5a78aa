"""The status document of each stage, rendered once per change.

Owns the members and their order; refuses to know how documents are stored. A head is the document without what
only Redis knows (created_at, task_id, attempt, version, …) and without its closing brace: Lua seals it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generation.prompt_text import INSTRUCTION_VERSION, PromptText
from generation.rewrite import Rewritten
from generation.stages import COMPLETED, COMPLETED_BY_FALLBACK, FAILED, Stage

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of a task without a result. ``error`` is a sentence that a person can act on."""

    message: str
    error: str
    error_code: str


CANCELLED = Failure(
    "Generation cancelled",
    "You cancelled this generation. You pay for what the AI had used until then, or an estimate of it.",
    "cancelled",
)
INTERRUPTED = Failure(
    "Generation interrupted",
    "The generation was interrupted several times and has been given up. Please start it again.",
    "interrupted",
)
INTERNAL = Failure("Prompt generation failed", "Something went wrong on our side. Please try again.", "internal_error")
UNREADABLE_ACCOUNT = Failure(
    "Prompt generation failed",
    "A record of this account cannot be read, so the generation was given up. The tokens set aside for it come back "
    "when that is repaired; our operator's log names it.",
    "record_unreadable",
)
SUBSCRIPTION_INACTIVE = Failure(
    "Subscription is not active",
    "Subscription is not active. Renew your subscription to generate prompts.",
    "subscription_inactive",
)


def insufficient_tokens(needed: int, available: int) -> Failure:
    """Word the refusal as the seed document does: clients look for "tokens" in it."""
    return Failure(
        "Insufficient tokens",
        f"You need at least {needed} tokens for prompt enhancement. Available: {available}",
        "insufficient_tokens",
    )


def progress_head(stage: Stage, progress_floor: int = 0) -> bytes:
    """Render a stage that is under way; after a takeover the progress stays where it was."""
    return _head(stage, stage.message, max(stage.progress, progress_floor))


def completed_head(prompt: str, model: str, kept: Mapping[str, Any] = NOTHING) -> bytes:
    """Render Gemini's result. ``kept``: the members of ``fidelity_members``."""
    extra = {"prompt": prompt, "generated_by_ai": True} | ({"model": model} if model else {})
    return _head(COMPLETED, COMPLETED.message, COMPLETED.progress, **extra, **kept)


def fidelity_members(rewritten: Rewritten, texts: PromptText) -> dict[str, Any]:
    """Return the members that report what a result kept of its draft."""
    members: dict[str, Any] = {"fidelity": rewritten.fidelity, "instruction_version": INSTRUCTION_VERSION}
    if rewritten.fidelity == "incomplete":
        members |= {"missing_facts": rewritten.missing_facts, "invented_facts": rewritten.invented_facts}
    if code := rewritten.warning_code:
        members |= {"warning": texts.warning(code), "warning_code": code}
    return members


def fallback_head(prompt: str, warning: str, reason: str) -> bytes:
    """Render the simple combination, with the reason for it."""
    stage = COMPLETED_BY_FALLBACK
    return _head(
        stage,
        stage.message,
        stage.progress,
        prompt=prompt,
        generated_by_ai=False,
        warning=warning,
        warning_code=reason,
        fallback_reason=reason,
    )


def failed_head(failure: Failure) -> bytes:
    """Render an end without a result."""
    return _head(FAILED, failure.message, FAILED.progress, error=failure.error, error_code=failure.error_code)


def _head(stage: Stage, message: str, progress: int, **extra: Any) -> bytes:
    document = {"status": stage.status, "progress": progress, "message": message, "stage": stage.name, **extra}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")[:-1]
