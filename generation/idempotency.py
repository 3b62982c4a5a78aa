"""Keys that identify a repeated submit: the client's own, or one that a proxy adds for its own retries.

Refuses to know how they are stored.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from generation.errors import IdempotencyKeyInvalid

CLIENT_KEY = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class SubmitKey:
    """``proxy`` counts only where the client gave none: its client does not know it and cannot send it again."""

    client: str | None = None
    proxy: str | None = None


NO_KEY = SubmitKey()


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The key of one submit and its body, both as hex SHA-256 (the body so that another body is noticed)."""

    key_sha256: str
    body_sha256: str
    by_proxy: bool


def idempotency(key: SubmitKey, manual_prompt: str) -> Idempotency | None:
    """Return the submit's key and body; None when it has no key.

    Raises:
        IdempotencyKeyInvalid: the client's key is not 1 to 255 printable ASCII characters.
    """
    if key.client is not None:
        if not CLIENT_KEY.fullmatch(key.client):
            raise IdempotencyKeyInvalid
        return Idempotency(_sha256(key.client), _sha256(manual_prompt), by_proxy=False)
    if key.proxy:
        known_as = f"proxy {key.proxy}"  # no client's key has a space
        return Idempotency(_sha256(known_as), _sha256(manual_prompt), by_proxy=True)
    return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
