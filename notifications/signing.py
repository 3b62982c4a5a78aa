"""The signature of a webhook, and its secrets.

Source: Standard Webhooks, specification 1.0.0: ``v1,`` + base64(HMAC-SHA256(id.timestamp.body)); with two secrets, two
signatures with a space between them. Refuses to know what is signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
NEW_SECRET_BYTES = 32


def new_secret() -> str:
    """Return a secret as settings and receivers take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode("ascii")


class Signer:
    """Signs with each of the secrets: receivers accept either, so that one can be replaced while both hold."""

    def __init__(self, given: Sequence[str]) -> None:
        self._keys = [base64.b64decode(secret.removeprefix(PREFIX)) for secret in given]

    def headers(self, webhook_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
        """Return the three headers of one try."""
        signed = f"{webhook_id}.{timestamp_s}.".encode() + body
        signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii") for key in self._keys]
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        }
