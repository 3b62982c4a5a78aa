"""A push service of the tests' own, with browsers that subscribe: it checks who sends and decrypts what arrives."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


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
    """Subscribes; only it can read what is sent to it."""

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


class PushService:
    """``answers`` are the next statuses by path, then 201; ``hangs`` keeps every request without an answer."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Push] = []
        self.answers: dict[str, list[int]] = {}
        self.hangs = False
        self.news = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): text for name, text in request.headers.items()}
        self.received.append(Push(request.path, headers, await request.read()))
        self.news.set()
        while self.hangs:  # noqa: ASYNC110  # a test sets it
            await asyncio.sleep(0.05)
        answers = self.answers.get(request.path)
        return web.Response(status=answers.pop(0) if answers else 201)

    async def has(self, count: int, within_s: float = 90.0) -> list[Push]:
        """Wait until so many messages have come, and return all."""
        async with asyncio.timeout(within_s):
            while len(self.received) < count:
                self.news.clear()
                await self.news.wait()
        return self.received

    def sender_of(self, push: Push) -> tuple[dict[str, Any], str]:
        """Return the claims of who sent it and the public key that they are signed with (RFC 8292)."""
        scheme, _, rest = push.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw_of(parts["k"]))
        claims: dict[str, Any] = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=self.url)
        return claims, parts["k"]


@asynccontextmanager
async def serve_push_service() -> AsyncIterator[PushService]:
    """Serve on a free port of this machine."""
    service = PushService()
    app = web.Application()
    app.router.add_post("/push/{name}", service.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        service.hangs = False
        await runner.cleanup()
