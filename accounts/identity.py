"""Identities: from an Authorization header to an account, remembered for as long as that is safe.

A JWT's signature is checked again when it expires, and after ``jwks_ttl_s`` at most, so that a withdrawn key stops
working; a watch token's after a minute; an API key is read again every few seconds. That a key is revoked or an account
closed is noticed at once (``callers.py``). Wrong tokens are remembered for seconds, a bounded number of them, apart
from the good ones, and only where the same token cannot become valid. Durations are measured on the monotonic clock.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

import aiohttp

from accounts.account import is_account_id
from accounts.accounts import Accounts
from accounts.admin_keys import ADMIN_KEY_PREFIX, AdminKeys
from accounts.api_keys import API_KEY_PREFIX, ApiKeys
from accounts.callers import Caller, Callers
from accounts.errors import AccountKeyRequired, SubjectUnusable, Unauthorized, UnknownAccount
from accounts.jwts import LONGEST_TOKEN, Jwts
from accounts.watch_tokens import WATCH_TOKEN_PREFIX, WatchTokens
from runtime.settings import IdentitySettings
from storage.errors import StorageUnavailable

REFUSED_FOR_S = 5.0
WATCH_TOKEN_RECHECK_S = 60.0
REFUSED_TOKENS = 10_000
# Reasons that hold for the same token for ever. A signature that does not fit is none: its key may be published yet.
FINAL = frozenset(
    {"tokens_not_accepted", "expired_token", "foreign_token", "missing_claim", "wrong_algorithm", "absurd_time"}
)


class Identity:
    """Establishes callers, and remembers them in ``callers``. ``session`` fetches JWKS."""

    def __init__(
        self,
        api_keys: ApiKeys,
        accounts: Accounts,
        callers: Callers,
        settings: IdentitySettings,
        session: aiohttp.ClientSession,
        admin_keys: AdminKeys | None = None,
        watch_tokens: WatchTokens | None = None,
    ) -> None:
        self._watch_tokens = watch_tokens
        self._admin_keys = admin_keys
        self._api_keys = api_keys
        self._accounts = accounts
        self._settings = settings
        self._jwts = Jwts(settings.jwt, session)
        self._callers = callers
        self._refused_tokens: dict[bytes, tuple[float, str]] = {}  # the same → until when, why; the oldest first

    async def authenticate(self, authorization: str | None) -> Caller:
        """Return the caller that an Authorization header stands for.

        Raises:
            Unauthorized, SubjectUnusable, UnknownAccount, AccountClosed, IdentityUnavailable, StorageUnavailable
            AccountKeyRequired: an admin key.
        """
        token = _token(authorization)
        digest = _digest(token)
        if (remembered := await self._remembered(digest)) is not None:
            return remembered
        if token.startswith(ADMIN_KEY_PREFIX) and self._admin_keys is not None:
            await self._admin_keys.find(token)
            raise AccountKeyRequired
        caller = await self._establish(token, digest)
        self._callers.add(caller)
        return caller

    def refused(self, authorization: str | None) -> str:
        """Return why this header is refused without a check; '' when it has to be checked."""
        try:
            token = _token(authorization)
        except Unauthorized as exc:
            return exc.reason
        if token.startswith(API_KEY_PREFIX):
            return self._api_keys.refused(token)
        until, reason = self._refused_tokens.get(_digest(token), (0.0, ""))
        return reason if time.monotonic() < until else ""

    async def renew(self, callers: Sequence[Caller]) -> list[Caller | None]:
        """Check again what may have changed; None for each that has to authenticate anew.

        Raises:
            StorageUnavailable: nothing was found out, and nobody forgotten.
        """
        return await self._callers.renew(callers)

    async def _remembered(self, digest: bytes) -> Caller | None:
        caller = self._callers.find(digest)
        if caller is None or time.monotonic() < caller.fresh_until:
            return caller
        try:
            return (await self._callers.renew([caller]))[0]
        except StorageUnavailable:
            if time.monotonic() < caller.fresh_until:
                return caller
            raise

    async def _establish(self, token: str, digest: bytes) -> Caller:
        if token.startswith(API_KEY_PREFIX):
            return await self._by_key(token, digest)
        if token.startswith(WATCH_TOKEN_PREFIX) and self._watch_tokens is not None:
            return await self._by_watch_token(self._watch_tokens, token, digest)
        return await self._by_jwt(token, digest)

    async def _by_watch_token(self, watch_tokens: WatchTokens, token: str, digest: bytes) -> Caller:
        asked_at = time.monotonic()
        watched = (await watch_tokens.signer()).check(token)
        await self._accounts.require_open(watched.account_id)
        valid_until = asked_at + min(watched.left_s, WATCH_TOKEN_RECHECK_S)
        return Caller(watched.account_id, digest, self._accounts, valid_until, task_id=watched.task_id)

    async def _by_key(self, key: str, digest: bytes) -> Caller:
        asked_at, recheck_s = time.monotonic(), self._settings.key_recheck_s
        account_id = await self._api_keys.find(key)
        return Caller(account_id, digest, self._api_keys, asked_at + recheck_s, recheck_s=recheck_s)

    async def _by_jwt(self, token: str, digest: bytes) -> Caller:
        asked_at = time.monotonic()
        try:
            account_id, left_s = await self._jwts.check(token)
        except Unauthorized as exc:
            if exc.reason in FINAL:
                self._refused_tokens.pop(digest, None)
                self._refused_tokens[digest] = (asked_at + REFUSED_FOR_S, exc.reason)
                while len(self._refused_tokens) > REFUSED_TOKENS:
                    del self._refused_tokens[next(iter(self._refused_tokens))]
            raise
        if not is_account_id(account_id):
            raise SubjectUnusable(self._settings.jwt.account_claim)
        try:
            await self._accounts.require_open(account_id)
        except UnknownAccount:
            await self._create(account_id)
        return Caller(account_id, digest, self._accounts, asked_at + min(left_s, self._settings.jwt.jwks_ttl_s))

    async def _create(self, account_id: str) -> None:
        new = self._settings.new_accounts
        if not new.create_on_first_use:
            raise UnknownAccount(account_id)
        await self._accounts.create_on_first_use(account_id, new.tokens, new.subscription_days, new.business_type)


def _token(authorization: str | None) -> str:
    """Return the token in a header.

    Raises:
        Unauthorized: there is none, or it cannot be one.
    """
    if not authorization:
        raise Unauthorized("missing")
    scheme, token = scheme_and_token(authorization)
    if scheme.lower() != "bearer" or not token or " " in token or not token.isascii():
        raise Unauthorized("malformed")
    if len(token) > LONGEST_TOKEN:
        raise Unauthorized("token_too_large")
    return token


def scheme_and_token(authorization: str) -> tuple[str, str]:
    """Take the two apart; there may be several spaces between them. Source: RFC 9110, 11.4."""
    scheme, _, token = authorization.partition(" ")
    return scheme, token.lstrip(" ")


def _digest(token: str) -> bytes:
    """Return a token's key in the caches: small, and no secret."""
    return hashlib.sha256(token.encode("ascii")).digest()
