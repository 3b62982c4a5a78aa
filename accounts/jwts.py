"""Bearer JWTs: whether one is valid now, and which account it names.

PyJWT does the cryptography; the algorithm is the setting's, never the token's.
Refuses to know whether the account exists, and how keys are fetched.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from accounts.errors import PublicKeyUnusable, SubjectUnusable, Unauthorized
from accounts.key_set import KeySet
from runtime.settings import JwtSettings

LONGEST_TOKEN = 16_384  # bytes
# Claims of tokens that only fetch new tokens: they live for days, and no service is meant to take one as a credential.
# Source: SimpleJWT's TOKEN_TYPE_CLAIM, Keycloak's "typ".
REFRESH_CLAIMS = (("token_type", "refresh"), ("typ", "refresh"))
LATEST_MOMENT = 253_402_300_799  # the last second of the year 9999: what is larger is no time in seconds

# PyJWT's errors about tokens that may be signed by the right key. The first class that fits counts.
REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.InvalidIssuerError, "foreign_token"),
    (jwt.InvalidAudienceError, "foreign_token"),
    (jwt.MissingRequiredClaimError, "missing_claim"),
    (jwt.InvalidAlgorithmError, "wrong_algorithm"),
)


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
        """Return the text in the account claim, and for how many seconds the token is still valid, leeway included.

        Raises:
            Unauthorized: with one of its reasons for tokens.
            SubjectUnusable: the token is valid, and its account claim is neither a text nor a whole number.
            IdentityUnavailable: the JWKS URL does not answer and no cached key fits.
        """
        settings = self._settings
        if not settings.algorithm:
            raise Unauthorized("tokens_not_accepted")
        claims = self._verified(token, await self._keys_for(token))
        left_s = _seconds_left(claims, settings.leeway_s)
        if settings.longest_lifetime_s and left_s > settings.longest_lifetime_s + 2 * settings.leeway_s:
            raise Unauthorized("token_lives_too_long")
        if not self._is_of_the_right_kind(claims):
            raise Unauthorized("wrong_kind_of_token")
        subject = claims[settings.account_claim]
        if not isinstance(subject, str | int) or isinstance(subject, bool):
            raise SubjectUnusable(settings.account_claim)
        return str(subject), left_s

    def _verified(self, token: str, keys: Sequence[Any]) -> dict[str, Any]:
        """Return the claims as signed by the first key that fits."""
        settings = self._settings
        for key in keys:
            try:
                return jwt.decode(
                    token,
                    key,
                    algorithms=[settings.algorithm],  # one only: no confusion of algorithms is possible
                    issuer=settings.issuer or None,
                    audience=settings.audience or None,
                    options={
                        "require": ["exp", settings.account_claim],
                        # Times are compared below: of one that is no time PyJWT says only that the token is wrong.
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        "verify_sub": False,  # a number is as good, and the claim may be another
                        "verify_jti": False,  # nor does anything depend on what kind of value names the token
                        "verify_aud": bool(settings.audience),
                    },
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.PyJWTError as exc:
                raise Unauthorized(_reason(exc)) from exc
            except (ValueError, TypeError, OverflowError, RecursionError) as exc:  # a time or a nesting beyond all use
                raise Unauthorized("invalid_token") from exc
        raise Unauthorized("invalid_token")

    def _is_of_the_right_kind(self, claims: dict[str, Any]) -> bool:
        if any(str(claims.get(name, "")).lower() == value for name, value in REFRESH_CLAIMS):
            return False
        wanted = self._settings.required_claims.items()
        return all(type(claims.get(name)) is type(value) and claims[name] == value for name, value in wanted)

    async def _keys_for(self, token: str) -> Sequence[Any]:
        """Return the keys that may have signed the token."""
        if self._key_set is None:
            return [self._key]
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as exc:
            raise Unauthorized("invalid_token") from exc
        if header.get("alg") != self._settings.algorithm:
            raise Unauthorized("wrong_algorithm")  # before a key is looked for, perhaps over the network
        return await self._key_set.keys(header.get("kid"))


def _reason(exc: jwt.PyJWTError) -> str:
    return next((reason for kind, reason in REASONS if isinstance(exc, kind)), "invalid_token")


def _seconds_left(claims: Mapping[str, Any], leeway_s: float) -> float:
    """Return for how many seconds the token is still valid, leeway included.

    Raises:
        Unauthorized: it is no longer valid, or not yet, or one of its times is none.
    """
    now = time.time()
    left_s = _moment(claims["exp"]) + leeway_s - now
    if left_s <= 0:
        raise Unauthorized("expired_token")
    # Null is as good as absent: some issuers write every claim that they know.
    if any(_moment(claims[name]) > now + leeway_s for name in ("nbf", "iat") if claims.get(name) is not None):
        raise Unauthorized("token_not_yet_valid")
    return left_s


def _moment(claim: object) -> float:
    """Return a claim's seconds since 1970.

    Raises:
        Unauthorized: it is no number, or no time that a calendar has.
    """
    if isinstance(claim, int | float) and not isinstance(claim, bool) and 0 <= claim <= LATEST_MOMENT:
        return float(claim)
    raise Unauthorized("absurd_time")


def _public_key(path: str, algorithm: str) -> Any:
    try:
        return jwt.get_algorithm_by_name(algorithm).prepare_key(load_pem_public_key(Path(path).read_bytes()))
    except OSError as exc:
        raise PublicKeyUnusable(path, f"cannot be read: {exc.strerror}") from exc
    except (ValueError, TypeError, UnsupportedAlgorithm, jwt.PyJWTError) as exc:
        raise PublicKeyUnusable(path, f"is no PEM file with a public key for {algorithm}") from exc
