"""The models of the settings, in their order, and the state of each.

Refuses to know requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from generation.gemini.answer import ModelStatus
from generation.gemini.breaker import Breaker
from generation.gemini.errors import CircuitOpen, GeminiError, TimedOut
from runtime.settings import GeminiSettings

AFTER: dict[str, str] = {"minimal": "low", "low": ""}  # '' leaves the level to the model


class Model:
    """One model: its circuit breaker, the thinking level that it takes, until when it is set aside."""

    def __init__(self, name: str, settings: GeminiSettings, clock: Callable[[], float]) -> None:
        self.name = name
        self.breaker = Breaker(settings.breaker_failures, settings.breaker_open_s, clock)
        self.thinking_level: str = settings.thinking_level
        self.stage = ""
        self.retires_at: float | None = None
        self.set_aside_until = clock()
        self.unavailable = False  # since Google answered 404, until the model answers

    def change_thinking(self, refused: str) -> bool:
        """Ask for the level after the ``refused`` one from now on; return whether there is another to ask for.

        Several requests can be refused for the same level at once: the first one changes it, for all.
        """
        if self.thinking_level != refused:
            return True
        if refused not in AFTER:
            return False
        self.thinking_level = AFTER[refused]
        return True

    def note(self, status: ModelStatus) -> None:
        """Keep what Google announces about the model; ``retires_at`` is a Unix time."""
        self.stage = status.stage or self.stage
        self.retires_at = _unix_time(status.retirement_time) or self.retires_at


class Models:
    """The models of the settings, the preferred one first."""

    def __init__(self, settings: GeminiSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._aside_s = settings.model_aside_s
        self.all: Sequence[Model] = [Model(name, settings, clock) for name in settings.asked_models]

    def in_order(self) -> Sequence[Model]:
        """Return the models to ask in turn: all but those set aside, or all when that leaves none."""
        now = self._clock()
        return [model for model in self.all if model.set_aside_until <= now] or self.all

    def set_aside(self, model: Model) -> None:
        """Skip a model that Google does not have, for ``aside_s`` seconds."""
        model.set_aside_until = self._clock() + self._aside_s
        model.unavailable = True


def more_telling(before: GeminiError | None, failure: GeminiError) -> GeminiError:
    """Return the failure that explains better why there is no answer."""
    says_little = isinstance(failure, CircuitOpen) or (isinstance(failure, TimedOut) and failure.strikes is None)
    return before if before is not None and says_little and not isinstance(before, CircuitOpen) else failure


def _unix_time(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):  # the latter for a zone that leads out of the calendar
        return None
