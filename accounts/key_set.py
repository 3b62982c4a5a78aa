"""The public keys of a JWKS URL: fetched, kept, and fetched again when they are old or a new one is named.

Refuses to know tokens and claims. A stranger's tokens cause a fetch only now and then, and a URL that hangs delays
no caller whose key is known.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from yarl import URL

from accounts.errors import IdentityUnavailable
from runtime.head_first import HEAD_BYTES

FETCH_TIMEOUT_S = 5.0
LARGEST_SET_BYTES = 1_000_000
CHUNK_BYTES = 65_536
FAILED_FETCH_PAUSE_S = 2.0  # so that not every request waits for an identity provider that hangs
UNKNOWN_KID_PAUSE_S = 10.0  # a stranger's tokens must not cause one fetch each
MAX_KEYS_TRIED = 8  # for a token that names none, so that it costs few signatures to check

# Errors that an entry of a set can cause in PyJWT and cryptography.
UNUSABLE_ENTRY = (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError, OverflowError)

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_key_set_session(proxy: URL | None) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session as a key set wants it: through that proxy if there is one, no cookies, and never a .netrc."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), proxy=proxy, max_line_size=HEAD_BYTES, max_field_size=HEAD_BYTES
    ) as session:
        yield session


class KeySet:
    """The keys of ``url`` that can check signatures of ``algorithm``, fetched again after ``ttl_s``."""

    def __init__(self, url: str, algorithm: str, ttl_s: float, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._algorithm = algorithm
        self._ttl_s = ttl_s
        self._session = session
        self._keys: dict[str | None, list[jwt.PyJWK]] = {}  # None: those without an id
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def keys(self, kid: str | None) -> Sequence[jwt.PyJWK]:
        """Return the keys that may have signed a token with that id: those of the id, else those without one.

        Ids are optional in tokens and in sets: a token without one may be signed by any key.
        Source: RFC 7515, 4.1.4; RFC 7517, 4.5

        Raises:
            IdentityUnavailable: the set cannot be fetched and no key that is kept fits.
        """
        known = kid in self._keys if kid is not None else bool(self._keys)
        age_s = time.monotonic() - self._fetched_at
        old = age_s > (self._ttl_s if known else min(self._ttl_s, UNKNOWN_KID_PAUSE_S))
        wanted = old and time.monotonic() - self._failed_at > FAILED_FETCH_PAUSE_S
        if wanted and not (known and self._fetching.locked()):
            await self._fetch()
        if found := self._candidates(kid):
            return found[:MAX_KEYS_TRIED]
        if self._failed_at > self._fetched_at:
            raise IdentityUnavailable
        return []

    def _candidates(self, kid: str | None) -> list[jwt.PyJWK]:
        if kid is None:
            return [key for keys in self._keys.values() for key in keys]
        return self._keys.get(kid) or self._keys.get(None, [])

    async def _fetch(self) -> None:
        """Fetch the set, once for all concurrent callers; known keys stay when the fetch fails."""
        asked_at = time.monotonic()
        async with self._fetching:
            if max(self._fetched_at, self._failed_at) > asked_at:
                return
            try:
                self._keys = _usable_keys(await self._body(), self._algorithm)
            except (aiohttp.ClientError, OSError, ValueError, TypeError, KeyError, RecursionError) as exc:
                self._failed_at = time.monotonic()
                facts = {"failure": type(exc).__name__, "expected": f"keys for {self._algorithm}"}
                log.error("jwks_unavailable", **facts)  # noqa: TRY400  # no surprise: one line says it
            else:
                self._fetched_at = time.monotonic()

    async def _body(self) -> bytes:
        body = bytearray()
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        # Redirects are not followed: the operator decides where keys come from.
        async with self._session.get(self.url, timeout=timeout, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError("this is no key set")
            async for part in response.content.iter_chunked(CHUNK_BYTES):
                body += part
                if len(body) > LARGEST_SET_BYTES:
                    raise ValueError("this is no key set")
        return bytes(body)


def _usable_keys(body: bytes, algorithm: str) -> dict[str | None, list[jwt.PyJWK]]:
    """Return the keys that check this algorithm by their ids, without those for anything else.

    An entry that cannot be used says nothing about its neighbours and is passed over.

    Raises:
        ValueError, TypeError, KeyError: no key set, or none of its keys fits.
    """
    usable: dict[str | None, list[jwt.PyJWK]] = {}
    for entry in json.loads(body)["keys"]:
        try:
            # Without a private part, which does not belong here: PyJWT would take it for a key to sign with.
            key = jwt.PyJWK({name: value for name, value in entry.items() if name != "d"})
            kid = key.key_id
        except UNUSABLE_ENTRY:
            continue
        if key.algorithm_name == algorithm and key.public_key_use in (None, "sig") and isinstance(kid, str | None):
            usable.setdefault(kid, []).append(key)
    if not usable:
        raise ValueError("no key fits")
    return usable
