"""A push service of the tests' own, with browsers that subscribe: it checks who sends and decrypts what arrives."""

from __future__ import annotations

import base64
import json
import os
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.recording_server import RecordingServer, serve


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def raw_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Push:
    """One message as it came: still encrypted."""

    path: str
    headers: dict[str, str]
    body: bytes


class Browser:
    """Subscribes; only it can decrypt its messages."""

    def __init__(self, service: PushService, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)
        self.path = f"/push/{name}"
        self.endpoint = service.url + self.path

    def subscription(self, **more: Any) -> dict[str, Any]:
        """Return what ``PushSubscription.toJSON()`` returns."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": base64url(point), "auth": base64url(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys, **more}

    def read(self, push: Push) -> Any:
        """Decrypt a message (RFC 8291)."""
        assert push.headers["content-encoding"] == "aes128gcm"
        plain = http_ece.decrypt(push.body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        return json.loads(plain)


class PushService(RecordingServer[Push]):
    """``answers`` are the next statuses by path, then 201."""

    route = "/push/{name}"

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[int]] = {}

    def record(self, path: str, headers: dict[str, str], body: bytes) -> Push:
        return Push(path, headers, body)

    def answer(self, path: str) -> web.Response:
        answers = self.answers.get(path)
        return web.Response(status=answers.pop(0) if answers else 201)

    def sender_of(self, push: Push) -> tuple[dict[str, Any], str]:
        """Return the claims of who sent it and the public key that they are signed with (RFC 8292)."""
        scheme, _, rest = push.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw_of(parts["k"]))
        claims: dict[str, Any] = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=self.url)
        return claims, parts["k"]


def serve_push_service() -> AbstractAsyncContextManager[PushService]:
    """Serve on a free port of this machine."""
    return serve(PushService())
