"""The stages of a task and the steps between them, as data.

Owns every status, progress and message that a client can see; refuses to know how they are stored.
Lua scripts get the allowed stages as arguments, so no name is written twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Stage:
    """One named step. ``progress`` is in percent and never falls along a task's life."""

    name: str
    status: str
    progress: int
    message: str


QUEUED = Stage("queued", "queued", 0, "Task queued, waiting to start...")
INITIALIZING = Stage("initializing", "processing", 10, "Initializing AI generation...")
CHECKING = Stage("checking", "processing", 30, "Checking tokens...")
GENERATING = Stage("generating", "processing", 50, "Generating enhanced prompt with AI...")
WAITING = Stage("waiting", "processing", 70, "Waiting for AI response...")
FINALIZING = Stage("finalizing", "processing", 90, "Finalizing...")
COMPLETED = Stage("completed", "completed", 100, "Prompt generated successfully")
COMPLETED_BY_FALLBACK = Stage("fallback", "completed", 100, "Prompt generated (AI unavailable, using fallback)")
FAILED = Stage("failed", "failed", 100, "Prompt generation failed")  # each cause has its own message: documents.py

EXPECTING = (GENERATING, WAITING, FINALIZING)  # their documents say when the end is expected, where that is known

STAGES = (
    QUEUED,
    INITIALIZING,
    CHECKING,
    GENERATING,
    WAITING,
    FINALIZING,
    COMPLETED,
    COMPLETED_BY_FALLBACK,
    FAILED,
)

# From → to. A second owner begins again at INITIALIZING, but the document keeps the progress it had.
# Any stage may end in FAILED (cancelled, interrupted); terminal stages stand here as empty rows.
STEPS = MappingProxyType(
    {
        QUEUED: (INITIALIZING, FAILED),
        INITIALIZING: (CHECKING, FAILED),
        CHECKING: (GENERATING, FAILED),
        GENERATING: (WAITING, FINALIZING, FAILED),  # straight to FINALIZING when Gemini could not even be asked
        WAITING: (FINALIZING, FAILED),
        FINALIZING: (COMPLETED, COMPLETED_BY_FALLBACK, FAILED),
        COMPLETED: (),
        COMPLETED_BY_FALLBACK: (),
        FAILED: (),
    }
)
