"""Identities: from an Authorization header to an account, cached for as long as that is safe.

An API key is checked again every few seconds, so that a revoked one stops working everywhere; a JWT is cached
until it expires, and for ``jwks_ttl_s`` at most, so that a withdrawn key stops working too; a watch token for
a minute, so that it ends with its account. Wrong tokens are remembered for seconds, a bounded number of them, apart
from the good ones, and only where the same token cannot become valid. Durations are measured on the monotonic clock.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from accounts.accounts import Accounts, is_account_id
from accounts.admin_keys import ADMIN_KEY_PREFIX, AdminKeys
from accounts.api_keys import API_KEY_PREFIX, ApiKeys
from accounts.errors import AccountExists, AccountKeyRequired, SubjectUnusable, Unauthorized, UnknownAccount
from accounts.jwts import LONGEST_TOKEN, Jwts
from accounts.watch_tokens import WATCH_TOKEN_PREFIX, WatchTokens
from runtime.settings import IdentitySettings

REFUSED_FOR_S = 5.0
WATCH_TOKEN_RECHECK_S = 60.0
REFUSED_TOKENS = 10_000
# Reasons that hold for the same token for ever. A signature that does not fit is none: its key may be published yet.
FINAL = frozenset(
    {"tokens_not_accepted", "expired_token", "foreign_token", "missing_claim", "wrong_algorithm", "absurd_expiry"}
)


@dataclass(frozen=True, slots=True)
class Caller:
    """An established identity. Until ``valid_until`` (``time.monotonic()``) the same header means the same caller.

    With a ``task_id`` the caller may watch and cancel that task, and do nothing else.
    """

    account_id: str
    valid_until: float
    task_id: str = ""

    def may_ask_about(self, task_id: str) -> bool:
        """Say whether the credential reaches this task of the account's."""
        return self.task_id in ("", task_id)


class Identity:
    """Establishes callers. ``session`` fetches JWKS."""

    def __init__(
        self,
        api_keys: ApiKeys,
        accounts: Accounts,
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
        self._callers: OrderedDict[bytes, Caller] = OrderedDict()  # by SHA-256 of the token
        self._refused_tokens: dict[bytes, tuple[float, str]] = {}  # the same → until when, why; the oldest first

    async def authenticate(self, authorization: str | None) -> Caller:
        """Return the caller that an Authorization header stands for.

        Raises:
            Unauthorized, SubjectUnusable, UnknownAccount, AccountClosed, IdentityUnavailable, StorageUnavailable
            AccountKeyRequired: an admin key.
        """
        token = _token(authorization)
        digest = _digest(token)
        remembered = self._callers.get(digest)
        if remembered is not None:
            if time.monotonic() < remembered.valid_until:
                self._callers.move_to_end(digest)
                return remembered
            del self._callers[digest]
        if token.startswith(ADMIN_KEY_PREFIX) and self._admin_keys is not None:
            await self._admin_keys.find(token)
            raise AccountKeyRequired
        caller = await self._establish(token, digest)
        self._callers[digest] = caller
        self._callers.move_to_end(digest)
        while len(self._callers) > self._settings.remembered_tokens:
            self._callers.popitem(last=False)
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

    async def renew(self, authorizations: Sequence[str]) -> list[Caller | None]:
        """Check headers again that were authenticated before, in one round trip; None for one that is no longer good.

        Raises:
            StorageUnavailable: nothing was found out, and nothing forgotten.
        """
        asked_at = time.monotonic()
        tokens = [_scheme_and_token(authorization)[1] for authorization in authorizations]
        callers = [self._callers.get(_digest(token)) for token in tokens]
        renewed: list[Caller | None] = [
            caller if caller is not None and asked_at < caller.valid_until else None for caller in callers
        ]
        keys = [
            (at, caller.account_id, token)
            for at, (caller, token) in enumerate(zip(callers, tokens, strict=True))
            if caller is not None and token.startswith(API_KEY_PREFIX)
        ]
        good = await self._api_keys.are_good([(account_id, key) for _, account_id, key in keys])
        for (at, account_id, _), is_good in zip(keys, good, strict=True):
            renewed[at] = Caller(account_id, asked_at + self._settings.key_recheck_s) if is_good else None
        for token, caller in zip(tokens, renewed, strict=True):
            if caller is not None:
                self._callers[_digest(token)] = caller
            else:
                self._callers.pop(_digest(token), None)
        return renewed

    async def _establish(self, token: str, digest: bytes) -> Caller:
        if token.startswith(API_KEY_PREFIX):
            return await self._by_key(token)
        if token.startswith(WATCH_TOKEN_PREFIX) and self._watch_tokens is not None:
            return await self._by_watch_token(self._watch_tokens, token)
        return await self._by_jwt(token, digest)

    async def _by_watch_token(self, watch_tokens: WatchTokens, token: str) -> Caller:
        asked_at = time.monotonic()
        watched = (await watch_tokens.signer()).check(token)
        await self._accounts.require_open(watched.account_id)
        return Caller(watched.account_id, asked_at + min(watched.left_s, WATCH_TOKEN_RECHECK_S), watched.task_id)

    async def _by_key(self, key: str) -> Caller:
        asked_at = time.monotonic()
        account_id = await self._api_keys.find(key)
        return Caller(account_id, asked_at + self._settings.key_recheck_s)

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
        return Caller(account_id, asked_at + min(left_s, self._settings.jwt.jwks_ttl_s))

    async def _create(self, account_id: str) -> None:
        new = self._settings.new_accounts
        if not new.create_on_first_use:
            raise UnknownAccount(account_id)
        try:
            await self._accounts.create(
                account_id=account_id,
                tokens=new.tokens,
                subscription_days=new.subscription_days,
                business_type=new.business_type,
            )
        except AccountExists:
            return  # a request that came at the same moment was first


def _token(authorization: str | None) -> str:
    """Return the token in a header.

    Raises:
        Unauthorized: there is none, or it cannot be one.
    """
    if not authorization:
        raise Unauthorized("missing")
    scheme, token = _scheme_and_token(authorization)
    if scheme.lower() != "bearer" or not token or " " in token or not token.isascii():
        raise Unauthorized("malformed")
    if len(token) > LONGEST_TOKEN:
        raise Unauthorized("token_too_large")
    return token


def _scheme_and_token(authorization: str) -> tuple[str, str]:
    """Take the two apart; there may be several spaces between them. Source: RFC 9110, 11.4."""
    scheme, _, token = authorization.partition(" ")
    return scheme, token.lstrip(" ")


def _digest(token: str) -> bytes:
    """Return a token's key in the caches: small, and no secret."""
    return hashlib.sha256(token.encode("ascii")).digest()
