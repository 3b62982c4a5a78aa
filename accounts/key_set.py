"""The public keys of a JWKS URL: fetched, kept, and fetched again when they are old or a new one is named.

Refuses to know tokens and claims. What others send can make it fetch only now and then, and a URL that hangs holds up
nobody whose key is known.
"""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import jwt
import structlog

from accounts.errors import IdentityUnavailable

FETCH_TIMEOUT_S = 5.0
LARGEST_SET_BYTES = 1_000_000
READ_AT_ONCE_BYTES = 65_536
FAILED_FETCH_PAUSE_S = 2.0  # so that an identity provider that hangs is not waited for by every request
UNKNOWN_KID_PAUSE_S = 10.0  # a stranger's tokens must not make us fetch again and again

log = structlog.get_logger(__name__)


class KeySet:
    """The keys of ``url`` that can check signatures of ``algorithm``, fetched again after ``ttl_s``."""

    def __init__(self, url: str, algorithm: str, ttl_s: float, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._algorithm = algorithm
        self._ttl_s = ttl_s
        self._session = session
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def key(self, kid: str | None) -> jwt.PyJWK | None:
        """Return the key of that id, or None when the set has none.

        Raises:
            IdentityUnavailable: the set cannot be fetched and no key that is kept fits.
        """
        known = kid in self._keys
        age_s = time.monotonic() - self._fetched_at
        old = age_s > (self._ttl_s if known else min(self._ttl_s, UNKNOWN_KID_PAUSE_S))
        wanted = old and time.monotonic() - self._failed_at > FAILED_FETCH_PAUSE_S
        if wanted and not (known and self._fetching.locked()):
            await self._fetch()
        if kid in self._keys:
            return self._keys[kid]
        if self._failed_at > self._fetched_at:
            raise IdentityUnavailable
        return None

    async def _fetch(self) -> None:
        """Fetch the set, once for all who wait for it; keys that are known stay when it cannot be had."""
        asked_at = time.monotonic()
        async with self._fetching:
            if max(self._fetched_at, self._failed_at) > asked_at:
                return
            try:
                self._keys = _usable_keys(await self._body(), self._algorithm)
            except (aiohttp.ClientError, TimeoutError, jwt.PyJWTError, ValueError, TypeError, KeyError) as exc:
                self._failed_at = time.monotonic()
                facts = {"failure": type(exc).__name__, "expected": f"keys for {self._algorithm}"}
                log.error("jwks_unavailable", **facts)  # noqa: TRY400  # no surprise: one line says it
            else:
                self._fetched_at = time.monotonic()

    async def _body(self) -> bytes:
        body = bytearray()
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        async with self._session.get(self._url, timeout=timeout) as response:
            response.raise_for_status()
            async for part in response.content.iter_chunked(READ_AT_ONCE_BYTES):
                body += part
                if len(body) > LARGEST_SET_BYTES:
                    raise ValueError("this is no key set")
        return bytes(body)


def _usable_keys(body: bytes, algorithm: str) -> dict[str | None, jwt.PyJWK]:
    """Return the keys that check this algorithm by their ids, without those for anything else.

    Raises:
        ValueError, TypeError, KeyError, jwt.PyJWTError: no key set, or none of its keys fits.
    """
    found = jwt.PyJWKSet(json.loads(body)["keys"]).keys
    fitting = [key for key in found if key.algorithm_name == algorithm and key.public_key_use in (None, "sig")]
    if not fitting:
        raise ValueError("no key fits")
    return {key.key_id: key for key in fitting}
