"""How the stand-in behaves: its pace, and which fault it shows to whom.

A request chooses for itself with the headers X-Standin-Fault and X-Standin-Delay-S, or, when it comes through a server
that passes no headers on, with a marker in its text: ``[[standin:fault=overloaded,delay=2]]``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MARKER = re.compile(r"\[\[standin:([a-z_]+=[\w.]+(?:,[a-z_]+=[\w.]+)*)\]\]")

# Each row of what Google's API is known to do wrong, and of what networks do to it; server.py shows how each looks.
FAULTS = frozenset(
    {
        # answered with an error
        *("bad_request", "api_key_invalid", "failed_precondition", "unauthenticated", "permission_denied"),
        *("payment_required", "not_found", "rate_limited", "rate_limited_bare", "quota_per_day"),
        *("internal", "overloaded", "gateway_timeout", "html_error"),
        # answered with 200 that is no answer
        *("blocked_prompt", "safety", "recitation", "max_tokens", "max_tokens_empty", "empty", "no_candidates"),
        *("unknown_finish", "no_usage", "html", "wrong_utf8", "huge"),
        # broken on the way
        *("hang", "hang_mid_stream", "byte_a_second", "reset", "reset_mid_stream", "truncated"),
        *("error_mid_stream", "error_mid_stream_data"),
    }
)


class UnknownFault(ValueError):
    """Somebody asked for a fault that is not in FAULTS."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """``delay_s``: from the request to the end of the answer; ``tokens_per_second``: 0 paces by the delay alone.

    ``fault`` is shown to the ``first`` requests (0: to all), with ``probability``, drawn from a seeded generator.
    """

    delay_s: float = 0.0
    tokens_per_second: float = 0.0
    words_per_chunk: int = 1
    fault: str = ""
    first: int = 0
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.fault and self.fault not in FAULTS:
            raise UnknownFault(f"unknown fault {self.fault!r}; known: {', '.join(sorted(FAULTS))}")


@dataclass
class Chooser:
    """Decides per request; counts how many have come since the behaviour was set."""

    behaviour: Behaviour
    seed: int = 0
    seen: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # a drawn fault needs to be repeatable, not secret

    def choose(self, text: str, headers: Mapping[str, str]) -> Behaviour:
        """Return the behaviour for one request.

        Raises:
            UnknownFault
        """
        self.seen += 1
        chosen = self.behaviour
        spared = chosen.first and self.seen > chosen.first
        if chosen.fault and (spared or self._random.random() >= chosen.probability):
            chosen = replace(chosen, fault="")
        wishes: dict[str, str] = {}
        if marker := MARKER.search(text):
            wishes = dict(pair.split("=") for pair in marker[1].split(","))
        fault = headers.get("X-Standin-Fault", wishes.get("fault", chosen.fault))
        delay_s = float(headers.get("X-Standin-Delay-S", wishes.get("delay", chosen.delay_s)))
        return replace(chosen, fault=fault, delay_s=delay_s)
