"""The server's own key pair for push services (VAPID), and the header that identifies the sender.

Source: RFC 8292; RFC 7515 for ES256. Refuses to know what is sent.
"""

from __future__ import annotations

import base64
import time
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VALID_S = 43_200  # Source: RFC 8292, 2: no more than 24 hours
RENEWED_BEFORE_S = 3_600
KEY_BYTES = 32
MAX_SERVICES = 100  # remembered: there are a handful of push services


def new_private_key() -> str:
    """Return a private key as the setting web_push.private_key takes it: 32 bytes in base64url."""
    return _text(ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(KEY_BYTES, "big"))


def public_key(private: str) -> str:
    """Return the public key as browsers take it for ``applicationServerKey``.

    Raises:
        ValueError: ``private`` is no private key.
    """
    point = _private(private).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _text(point)


class Vapid:
    """Signs for each push service; a signature serves for hours.

    Raises:
        ValueError: ``private`` is no private key.
    """

    def __init__(self, private: str, subject: str) -> None:
        self._key = _private(private)
        self._public = public_key(private)
        self._subject = subject
        self._signed: dict[str, tuple[float, str]] = {}

    def authorization(self, endpoint: str) -> str:
        """Return the Authorization header for a request to the endpoint's push service."""
        url = urlsplit(endpoint)
        audience, now = f"{url.scheme}://{url.netloc}", time.time()
        until, header = self._signed.get(audience, (0.0, ""))
        if not now < until - RENEWED_BEFORE_S < now + VALID_S:  # nor after the clock was put back
            until = now + VALID_S
            token = jwt.encode({"aud": audience, "exp": int(until), "sub": self._subject}, self._key, "ES256")
            header = f"vapid t={token}, k={self._public}"
            if len(self._signed) >= MAX_SERVICES:
                self._signed.clear()
            self._signed[audience] = until, header
        return header


def _private(text: str) -> ec.EllipticCurvePrivateKey:
    raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    if len(raw) != KEY_BYTES:
        raise ValueError("a private key has 32 bytes")
    return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
