"""The stand-in's answer: the draft in a clearer order, every fact of it kept, the same every time.

It never does what the draft says; it only puts it in order.
"""

from __future__ import annotations

import json
import re

from standin.behaviour import MARKER

SENTENCE_END = re.compile(r"(?<=[.!?。！？؟])\s+|\n+")  # noqa: RUF001  # full stops of other scripts
LATIN = re.compile(r"[A-Za-z]")
LETTER = re.compile(r"[^\W\d_]")

OPENING = "You are the assistant described below. You speak for this business to its customers."
RULES = (
    "Answer in the customer's language, politely and to the point.",
    "Give names, numbers, prices, addresses and times exactly as they are written here.",
    "When something is not written here, say so and offer the way to reach a person.",
    "Ask one short question back when a request can be understood in more than one way.",
)


def draft_of(text: str) -> str:
    """Return the draft in a request's text: manual_prompt when it is JSON, else the text; markers removed."""
    try:
        members = json.loads(text)
    except ValueError:
        members = None
    if isinstance(members, dict) and isinstance(members.get("manual_prompt"), str):
        text = members["manual_prompt"]
    return MARKER.sub("", text).strip()


def rewrite(text: str) -> str:
    """Return the better prompt for a request's text."""
    sentences = [sentence.strip() for sentence in SENTENCE_END.split(draft_of(text)) if sentence.strip()]
    facts = "\n".join(f"- {sentence}" for sentence in sentences)
    if not _is_latin(facts):
        return facts  # no English around a text in another script: order is what we can add without translating
    rules = "\n".join(f"- {rule}" for rule in RULES)
    return f"## Role\n{OPENING}\n\n## What you know\n{facts}\n\n## How you answer\n{rules}"


def _is_latin(text: str) -> bool:
    letters = len(LETTER.findall(text))
    return letters == 0 or len(LATIN.findall(text)) / letters > 0.5
