"""Measures how well a model keeps the facts of drafts: a set of prompts through Gemini, one call each.

A row of a bed: ``id, language, business_type, kind, manual_prompt, facts``. Refuses to know where the bed comes from.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generation.fidelity import Guard
from generation.fidelity.restoring import restored
from generation.gemini import Gemini, GeminiError, IgnoringObserver
from generation.marks import Marks
from generation.prompt_text import INSTRUCTIONS, PromptText


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one row. ``failure`` is the error's name, '' for an answer."""

    language: str
    kind: str
    facts: int
    facts_kept: int
    invented: int
    language_kept: bool
    in_shape: bool
    tokens: int
    seconds: float
    failure: str = ""


async def evaluate(
    rows: Sequence[Mapping[str, Any]], gemini: Gemini, texts: PromptText, *, deadline_s: float, parallel: int
) -> list[Outcome]:
    """Ask for a rewrite of every row, ``parallel`` at a time."""
    places, guard = asyncio.Semaphore(parallel), Guard(INSTRUCTIONS)

    async def one(row: Mapping[str, Any]) -> Outcome:
        async with places:
            return await _outcome(row, gemini, texts, guard, deadline_s)

    return list(await asyncio.gather(*map(one, rows)))


async def _outcome(
    row: Mapping[str, Any], gemini: Gemini, texts: PromptText, guard: Guard, deadline_s: float
) -> Outcome:
    draft, facts = str(row["manual_prompt"]), [str(fact) for fact in row.get("facts", ())]
    known = (str(row.get("language", "")), str(row.get("kind", "")), len(facts))
    marks, loop = Marks.new(), asyncio.get_running_loop()
    begun = loop.time()
    try:
        answer = await gemini.generate(
            system_instruction=texts.instruction(str(row.get("business_type", "general")), marks),
            text=texts.request_text(draft),
            deadline=begun + deadline_s,
            observer=IgnoringObserver(),
            closing=texts.closing(marks),
        )
    except GeminiError as exc:
        return Outcome(*known, 0, 0, False, False, 0, loop.time() - begun, type(exc).__name__)
    seconds = loop.time() - begun
    verdict = guard.judge(draft, restored(draft, texts.take_prompt(answer.text, marks, draft)))
    missing = verdict.missing_facts
    kept = sum(not any(lost in fact or fact in lost for lost in missing) for fact in facts)
    in_shape = answer.text.strip().startswith(marks.begin) and answer.text.strip().endswith(marks.end)
    return Outcome(
        *known,
        kept,
        len(verdict.added),
        not (verdict.language_changed or verdict.answered or verdict.leaked),
        in_shape,
        answer.total_tokens or 0,
        seconds,
    )


def table(outcomes: Iterable[Outcome]) -> list[str]:
    """Return one line per language and per kind, and one for all."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        for group in (("1 language", outcome.language), ("2 kind", outcome.kind), ("3 all", "")):
            groups[group].append(outcome)
    heads = ("rows", "failed", "facts", "kept", "invented", "language", "shape", "tokens", "s")
    widths = (5, 8, 8, 8, 10, 10, 8, 8, 7)
    lines = [" " * 22 + "".join(head.rjust(width) for head, width in zip(heads, widths, strict=True))]
    for (sort, name), members in sorted(groups.items()):
        lines.append(_line(f"{sort[2:]} {name}", members))
    return lines


def _line(name: str, members: list[Outcome]) -> str:
    answered = [member for member in members if not member.failure]
    facts = sum(member.facts for member in answered)
    kept = sum(member.facts_kept for member in answered)
    count = max(1, len(answered))
    figures = (
        f"{len(members):5}{len(members) - len(answered):8}{facts:8}{kept / facts if facts else 1:8.1%}",
        f"{sum(member.invented for member in answered):10}",
        f"{sum(member.language_kept for member in answered) / count:10.0%}",
        f"{sum(member.in_shape for member in answered) / count:8.0%}",
        f"{sum(member.tokens for member in answered) / count:8.0f}",
        f"{sum(member.seconds for member in answered) / count:7.1f}",
    )
    return f"{name:22}" + "".join(figures)
