"""Bearer JWTs: whether one is valid now, and which account it names.

PyJWT does the cryptography; the algorithm is the setting's, never the token's.
Refuses to know whether the account exists, and how keys are fetched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from accounts.errors import PublicKeyUnusable, Unauthorized
from accounts.key_set import KeySet
from runtime.settings import JwtSettings

LONGEST_TOKEN = 8_192


class Jwts:
    """Checks tokens with a secret, a public key file, or the keys of a JWKS URL, as the settings say.

    Raises:
        PublicKeyUnusable: the file has no public key for the algorithm.
    """

    def __init__(self, settings: JwtSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._key: Any = None
        self._key_set: KeySet | None = None
        if settings.algorithm == "HS256":
            self._key = settings.secret.get_secret_value()
        elif settings.public_key_file:
            self._key = _public_key(settings.public_key_file, settings.algorithm)
        elif settings.algorithm:
            self._key_set = KeySet(settings.jwks_url, settings.algorithm, settings.jwks_ttl_s, session)

    async def check(self, token: str) -> tuple[str, float]:
        """Return the account that the token names and the epoch second until which it is valid, leeway included.

        Raises:
            Unauthorized: invalid_token or expired_token.
            IdentityUnavailable: the JWKS URL does not answer and no cached key fits.
        """
        settings = self._settings
        if not settings.algorithm:
            raise Unauthorized("invalid_token")
        try:
            claims = jwt.decode(
                token,
                await self._key_for(token),
                algorithms=[settings.algorithm],  # one only: no confusion of algorithms is possible
                leeway=settings.leeway_s,
                issuer=settings.issuer or None,
                audience=settings.audience or None,
                options={
                    "require": ["exp", settings.account_claim],
                    "verify_sub": False,  # a number is as good, and the claim may be another
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

    async def _key_for(self, token: str) -> Any:
        if self._key_set is None:
            return self._key
        header = jwt.get_unverified_header(token)
        if header.get("alg") != self._settings.algorithm:
            raise Unauthorized("invalid_token")  # before a key is looked for, perhaps over the network
        key = await self._key_set.key(header.get("kid"))
        if key is None:
            raise Unauthorized("invalid_token")
        return key


def _public_key(path: str, algorithm: str) -> Any:
    try:
        return jwt.get_algorithm_by_name(algorithm).prepare_key(load_pem_public_key(Path(path).read_bytes()))
    except OSError as exc:
        raise PublicKeyUnusable(path, f"cannot be read: {exc.strerror}") from exc
    except (ValueError, TypeError, UnsupportedAlgorithm, jwt.PyJWTError) as exc:
        raise PublicKeyUnusable(path, f"is no PEM file with a public key for {algorithm}") from exc
