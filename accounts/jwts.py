"""Bearer JWTs: which key checks one, and which account it names.

PyJWT does the cryptography; this module decides the algorithm (the setting's, never the token's) and fetches JWKS.
Refuses to know whether the account exists.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import structlog

from accounts.errors import IdentityUnavailable, Unauthorized
from runtime.settings import JwtSettings

LONGEST_TOKEN = 8_192
JWKS_TIMEOUT_S = 5.0
JWKS_BYTES = 1_000_000
FAILED_FETCH_PAUSE_S = 2.0  # so that an identity provider that hangs is not waited for by every request
UNKNOWN_KID_PAUSE_S = 10.0  # a stranger's tokens must not make us fetch again and again

log = structlog.get_logger(__name__)

# Our setting's name → the algorithms that PyJWT may accept. One family each: no confusion of algorithms is possible.
ALGORITHMS = {"HS256": ["HS256"], "RS256": ["RS256"], "ES256": ["ES256"], "EdDSA": ["EdDSA"]}


class Jwts:
    """Checks tokens with a secret, a public key file, or the keys of a JWKS URL, as the settings say."""

    def __init__(self, settings: JwtSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._key: Any = None
        if settings.algorithm == "HS256":
            self._key = settings.secret.get_secret_value()
        elif settings.public_key_file:
            self._key = Path(settings.public_key_file).read_text("utf-8")
        self._keys: dict[str | None, Any] = {}
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")
        self._fetching = asyncio.Lock()

    @property
    def accepted(self) -> bool:
        """Whether JWTs are accepted at all."""
        return bool(self._settings.algorithm)

    async def check(self, token: str) -> tuple[str, float]:
        """Return the account that the token names and the epoch second until which it is valid, leeway included.

        Raises:
            Unauthorized: invalid_token or expired_token.
            IdentityUnavailable: the JWKS URL does not answer and no cached key fits.
        """
        settings = self._settings
        if not self.accepted or len(token) > LONGEST_TOKEN:
            raise Unauthorized("invalid_token")
        try:
            key = self._key if self._key is not None else await self._jwks_key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS[settings.algorithm],
                leeway=settings.leeway_s,
                issuer=settings.issuer or None,
                audience=settings.audience or None,
                options={
                    "require": ["exp", settings.account_claim],
                    "verify_sub": False,
                    "verify_aud": bool(settings.audience),
                },
            )
        except jwt.ExpiredSignatureError as exc:
            raise Unauthorized("expired_token") from exc
        except (jwt.PyJWTError, ValueError) as exc:
            raise Unauthorized("invalid_token") from exc
        account = claims[settings.account_claim]
        if not isinstance(account, str | int) or isinstance(account, bool):
            raise Unauthorized("invalid_token")
        return str(account), float(claims["exp"]) + settings.leeway_s

    async def _jwks_key(self, header: dict[str, Any]) -> Any:
        if header.get("alg") != self._settings.algorithm:
            raise Unauthorized("invalid_token")
        kid = header.get("kid")
        now = time.monotonic()
        fresh_s = self._settings.jwks_ttl_s if kid in self._keys else UNKNOWN_KID_PAUSE_S
        if now - self._fetched_at > fresh_s and now - self._failed_at > FAILED_FETCH_PAUSE_S:
            await self._fetch()
        if kid in self._keys:
            return self._keys[kid]
        if self._failed_at > self._fetched_at:
            raise IdentityUnavailable
        raise Unauthorized("invalid_token")

    async def _fetch(self) -> None:
        """Fetch the key set, once for all who wait for it; keys that are known stay when it cannot be had."""
        asked_at = time.monotonic()
        async with self._fetching:
            if max(self._fetched_at, self._failed_at) > asked_at:
                return
            try:
                timeout = aiohttp.ClientTimeout(total=JWKS_TIMEOUT_S)
                async with self._session.get(self._settings.jwks_url, timeout=timeout) as response:
                    response.raise_for_status()
                    body = await response.content.read(JWKS_BYTES)
                keys = jwt.PyJWKSet.from_dict(json.loads(body)).keys
            except (aiohttp.ClientError, TimeoutError, ValueError, jwt.PyJWTError) as exc:
                self._failed_at = time.monotonic()
                log.error("jwks_unavailable", failure=type(exc).__name__)  # noqa: TRY400  # expected, and said in one line
                return
            self._keys = {key.key_id: key.key for key in keys}
            self._fetched_at = time.monotonic()
