"""Every way in which a task can end, so that its counter exists before the first task ends that way."""

from __future__ import annotations

from collections.abc import Iterator

from generation import documents
from generation.gemini import GeminiError


def ends() -> Iterator[tuple[str, str]]:
    """Yield (outcome, error code) as ``Metrics.task_ended`` counts them."""
    yield "completed", ""
    yield from (("fallback", reason) for reason in sorted(_fallback_reasons(GeminiError)))
    failures = [each.error_code for each in vars(documents).values() if isinstance(each, documents.Failure)]
    failures.append(documents.insufficient_tokens(0, 0).error_code)
    yield from (("failed", code) for code in sorted(failures))


def _fallback_reasons(error: type[GeminiError]) -> set[str]:
    return {error.fallback_reason}.union(*map(_fallback_reasons, error.__subclasses__()))
