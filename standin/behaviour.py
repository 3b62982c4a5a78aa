"""The behaviour of answers: pace and fault, for all requests or for a single one.

A single request sets it with headers (``X-Standin-Fault: overloaded``, ``X-Standin-Delay-S: 2``, …) or, when it comes
through a server that passes no headers on, with a marker in its text: ``[[standin:fault=overloaded,delay=2]]``.
Refuses to know what a fault looks like (faults.py, plans.py).
"""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from standin.faults import FAULTS

MARKER = re.compile(r"\s?\[\[standin:([^\[\]]*)\]\]")
REMEMBERED_TEXTS = 10_000


class InvalidBehaviour(ValueError):
    """A behaviour that does not exist; the text says what does."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """``delay_s``: from the request to the end of its answer; with ``tokens_per_second`` only to its first word, and
    the words then come at that pace.

    ``fault`` is shown to the ``first`` requests (0: to all), with ``probability``. Of a fault that a request asks for
    itself, ``first`` counts the requests with the same text: ``[[standin:fault=overloaded,first=1]]`` fails once.
    ``then``: the fault of the requests after the ``first``, '' for none.
    ``retry_after_s``: what a rate limit asks for. With a ``model`` the fault is of that model alone.
    ``model_stage`` and ``retirement_time``: what answers announce about their model, '' for nothing.
    ``thought_tokens`` and ``characters_per_token``: how answers are billed, and how far the asked-for maximum reaches.
    """

    delay_s: float = 0.0
    tokens_per_second: float = 0.0
    words_per_chunk: int = 1
    fault: str = ""
    first: int = 0
    then: str = ""
    probability: float = 1.0
    retry_after_s: float = 0.4
    model: str = ""
    model_stage: str = ""
    retirement_time: str = ""
    thought_tokens: int = 40
    characters_per_token: float = 4.0

    def __post_init__(self) -> None:
        for fault in (self.fault, self.then):
            if fault and fault not in FAULTS:
                raise InvalidBehaviour(f"unknown fault {fault!r}; known: {', '.join(FAULTS)}")
        if not 0 <= self.probability <= 1:
            raise InvalidBehaviour("probability must be from 0 to 1")
        if self.thought_tokens < 0 or not 0.25 <= self.characters_per_token < math.inf:
            raise InvalidBehaviour("thought_tokens must be 0 or more, characters_per_token 0.25 or more")
        if self.words_per_chunk < 1:
            raise InvalidBehaviour("words_per_chunk must be 1 or more")
        for name in ("delay_s", "tokens_per_second", "first", "retry_after_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidBehaviour(f"{name} must be 0 or more")

    def changed(self, changes: Mapping[str, Any]) -> Behaviour:
        """Return this behaviour with some members changed; values may be text.

        Raises:
            InvalidBehaviour: unknown name, or a value that does not fit.
        """
        return dataclasses.replace(self, **{name: _member(name, value) for name, value in changes.items()})


TYPES: Mapping[str, Callable[[Any], Any]] = {
    "delay_s": float,
    "tokens_per_second": float,
    "words_per_chunk": int,
    "fault": str,
    "first": int,
    "then": str,
    "probability": float,
    "retry_after_s": float,
    "model": str,
    "model_stage": str,
    "retirement_time": str,
    "thought_tokens": int,
    "characters_per_token": float,
}
HEADERS = {name: "X-Standin-" + name.replace("_", "-").title() for name in TYPES}
SHORT_NAMES = {"delay": "delay_s", "retry_after": "retry_after_s"}  # as people write them in markers


class Chooser:
    """Chooses the behaviour of each request; ``behaviour`` is the default."""

    def __init__(self, behaviour: Behaviour, seed: int = 0) -> None:
        self.behaviour = behaviour
        self.seed = seed
        self._random = random.Random(seed)  # noqa: S311  # a drawn fault must be repeatable, not secret
        self._seen = 0
        self._seen_texts: Counter[str] = Counter()

    def choose(self, text: str, headers: Mapping[str, str], model: str = "", of: str = "") -> Behaviour:
        """Return the behaviour for one request; requests with the same text, or the same ``of``, are counted together.

        Raises:
            InvalidBehaviour: the request asks for one that does not exist.
        """
        wishes = _from_marker(text) | {name: headers[header] for name, header in HEADERS.items() if header in headers}
        if self.behaviour.changed(wishes).model not in ("", model):
            return dataclasses.replace(self.behaviour.changed(wishes), fault="")
        if "fault" in wishes:
            chosen = dataclasses.replace(self.behaviour, first=0, probability=1.0).changed(wishes)
            seen = self._count(f"{sorted(wishes.items())} {of}" if of else text)
        else:
            chosen = self.behaviour.changed(wishes)
            self._seen += 1
            seen = self._seen
        if chosen.first and seen > chosen.first:
            return dataclasses.replace(chosen, fault=chosen.then)
        spared = self._random.random() >= chosen.probability
        return dataclasses.replace(chosen, fault="") if spared else chosen

    def _count(self, text: str) -> int:
        if len(self._seen_texts) >= REMEMBERED_TEXTS:
            self._seen_texts.clear()
        self._seen_texts[text] += 1
        return self._seen_texts[text]


def without_markers(text: str) -> str:
    """Return the text as its author would have written it without us."""
    return MARKER.sub("", text)


def _from_marker(text: str) -> dict[str, str]:
    wishes: dict[str, str] = {}
    for marker in MARKER.finditer(text):
        for pair in filter(None, marker[1].split(",")):
            name, _equals, value = pair.partition("=")
            wishes[SHORT_NAMES.get(name.strip(), name.strip())] = value.strip()
    return wishes


def _member(name: str, value: Any) -> Any:
    if name not in TYPES:
        raise InvalidBehaviour(f"unknown member {name!r}; known: {', '.join(TYPES)}")
    try:
        return TYPES[name](value)
    except (TypeError, ValueError, OverflowError) as exc:
        raise InvalidBehaviour(f"{name}: {value!r} does not fit") from exc
