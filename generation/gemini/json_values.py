"""Reads JSON from outside: no value need have the type that its schema says.

Refuses to know what the values mean.
"""

from __future__ import annotations

import codecs
import re
from typing import Any

CONSTANT = re.compile(r"[A-Z0-9_]{1,64}")
LARGEST_COUNT = 2**31 - 1  # Source: Gemini API reference: token counts are int32

# Python loads a codec from its file when it is first used: at the start, so that an answer needs no descriptor then.
UTF_16 = codecs.lookup("utf-16-le").name


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def constant(value: Any) -> str:
    """Return an enum's name in capitals, or '' for anything else: a log line must hold no user's text."""
    name = value.strip().upper() if isinstance(value, str) else ""
    return name if CONSTANT.fullmatch(name) else ""


def absent(value: Any) -> bool:
    """Whether a member is empty: some gateways cannot leave one out."""
    return not value or (isinstance(value, str) and constant(value).endswith("_UNSPECIFIED"))


def count(value: Any) -> int | None:
    """Return a number of tokens, or None for what cannot be one."""
    return value if type(value) is int and 0 <= value <= LARGEST_COUNT else None


def writable(text: str) -> str:
    """Return the text with U+FFFD for lone surrogates, and their pairs put together: JSON can spell both."""
    if text.isascii():
        return text
    return text.encode(UTF_16, "surrogatepass").decode(UTF_16, "replace")
