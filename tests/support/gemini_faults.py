"""Which of the stand-in's faults leave an answer whole."""

from __future__ import annotations

from standin.faults import DAMAGES

HARMLESS = {*DAMAGES, "finish_on_every_chunk", "no_usage"}
