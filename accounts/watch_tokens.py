"""Watch tokens: each is good for one task of one account, until it expires. Signed, not stored.

``pw_`` + base64url(JSON [account, task, expiry]) + ``.`` + base64url(HMAC-SHA256). The first process that
needs the secret makes it; it lies in Redis (``pg:watch_token_secret``), so that tokens hold in every process and
after a restart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass

from accounts.errors import Unauthorized
from storage.errors import StorageUnavailable
from storage.storage import Storage

WATCH_TOKEN_PREFIX = "pw_"  # noqa: S105  # how a token begins is no secret
LASTS_S = 900
SECRET_BYTES = 32
SECRET_KEPT_S = 60.0  # after a failover lost the secret, another process' new one is used within this time


@dataclass(frozen=True, slots=True)
class Watched:
    """The task that a token is for; it is valid for another ``left_s`` seconds."""

    account_id: str
    task_id: str
    left_s: float


class WatchSigner:
    """Makes and checks tokens with one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, account_id: str, task_id: str, lasts_s: float = LASTS_S) -> str:
        """Return a token for the task."""
        claims = json.dumps(
            [account_id, task_id, int(time.time() + lasts_s)], ensure_ascii=False, separators=(",", ":")
        )
        signed = WATCH_TOKEN_PREFIX + _base64url(claims.encode())
        return f"{signed}.{self._signature(signed)}"

    def check(self, token: str) -> Watched:
        """Return what a token of printable ASCII is good for.

        Raises:
            Unauthorized: invalid_token or expired_token.
        """
        signed, _, signature = token.partition(".")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            raise Unauthorized("invalid_token")
        claims = signed.removeprefix(WATCH_TOKEN_PREFIX)
        account_id, task_id, expires_at = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        left_s = min(expires_at - time.time(), LASTS_S)
        if left_s <= 0:
            raise Unauthorized("expired_token")
        return Watched(account_id, task_id, left_s)

    def _signature(self, signed: str) -> str:
        return _base64url(hmac.digest(self._secret, signed.encode(), hashlib.sha256))


class WatchTokens:
    """Knows the secret."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._key = storage.shared_key("watch_token_secret")
        self._signer: WatchSigner | None = None
        self._read_again_at = 0.0

    async def signer(self) -> WatchSigner:
        """Return a signer; while Redis is away, with the secret that was read last.

        Raises:
            StorageUnavailable: the secret was never read.
        """
        if self._signer is None or time.monotonic() >= self._read_again_at:
            try:
                self._signer = WatchSigner(await self._secret())
            except StorageUnavailable:
                if self._signer is None:
                    raise
            self._read_again_at = time.monotonic() + SECRET_KEPT_S
        return self._signer

    async def _secret(self) -> bytes:
        for _ in range(2):
            await self._storage.command("SET", self._key, secrets.token_bytes(SECRET_BYTES), "NX")
            secret: bytes | None = await self._storage.command("GET", self._key)
            if secret is not None and len(secret) == SECRET_BYTES:
                return secret
            if secret is not None:  # not ours: its writer could sign tokens
                await self._storage.spoilt.rename(self._key, ValueError())
        raise StorageUnavailable("refused")  # gone between the two commands, twice


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
