"""Probes each model of the settings with one word: its answer, its cost, and Google's announcements about it.

Refuses to know how the findings are shown. They hold no part of the key.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from generation.gemini.call import IgnoringObserver
from generation.gemini.client import Gemini
from generation.gemini.credentials import open_tokens
from generation.gemini.errors import GeminiError
from generation.gemini.session import open_session
from generation.gemini.usage import Usage
from runtime.settings import GeminiSettings

INSTRUCTION, WORD = "Repeat the word, and nothing else.", "ready"
LONGEST_S = 30.0  # for one word
LARGEST_CAP = 4_096  # tokens, thoughts included


@dataclass(frozen=True, slots=True)
class Finding:
    """One model's outcome. ``failure`` is '' for an answer; ``retires`` an ISO date, '' while none is announced."""

    model: str
    seconds: float
    failure: str = ""
    answered_as: str = ""
    usage: Usage | None = None
    tier: str = ""
    thinking_level: str = ""
    stage: str = ""
    retires: str = ""

    @property
    def works(self) -> bool:
        return not self.failure

    def line(self) -> str:
        """Return the finding as one line for people."""
        if self.failure:
            return f"{self.model}: does not answer: {self.failure} ({self.seconds:.1f} s)"
        cost = "tokens not reported"
        if self.usage:
            kinds = ", ".join(f"{kind} {count}" for kind, count in self.usage.by_kind().items() if count)
            cost = f"{self.usage.total} tokens ({kinds})"
        known = [
            f"answered as {self.answered_as}" if self.answered_as not in ("", self.model) else "",
            f"tier {self.tier}" if self.tier else "",
            f"thinking level {self.thinking_level or 'of the model'}",
            f"stage {self.stage}" if self.stage else "",
            f"retires {self.retires}" if self.retires else "",
        ]
        return f"{self.model}: answers in {self.seconds:.1f} s, {cost}; " + ", ".join(filter(None, known))


async def probe(settings: GeminiSettings) -> list[Finding]:
    """Ask all models at once, once each; each has ``LONGEST_S`` at most.

    Raises:
        ProxyUnusable: the environment names a proxy that cannot be used.
        CredentialsUnusable: Google Cloud is to be asked, and there are no credentials.
    """
    async with open_session(settings) as session, open_tokens(settings) as tokens:

        async def one(model: str) -> Finding:
            changes = {"models": (model,), "model": "", "tries": 1}
            caps = {"max_output_tokens": min(LARGEST_CAP, settings.max_output_tokens)}
            return await _finding(model, Gemini(session, settings.model_copy(update=changes | caps), tokens=tokens))

        return list(await asyncio.gather(*map(one, settings.asked_models)))


async def _finding(name: str, gemini: Gemini) -> Finding:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        answer = await gemini.generate(
            system_instruction=INSTRUCTION, text=WORD, deadline=begun + LONGEST_S, observer=IgnoringObserver()
        )
    except GeminiError as exc:
        facts = ", ".join(f"{fact} {value}" for fact, value in exc.facts.items() if value not in (None, ""))
        return Finding(name, loop.time() - begun, f"{type(exc).__name__}{facts and f' ({facts})'}")
    (model,) = gemini.models.all
    retires = datetime.fromtimestamp(model.retires_at, UTC).date().isoformat() if model.retires_at else ""
    return Finding(
        name,
        loop.time() - begun,
        answered_as=answer.model,
        usage=answer.usage,
        tier=answer.tier,
        thinking_level=model.thinking_level,
        stage=model.stage,
        retires=retires,
    )
