"""The accounts of a load, each with a token of its own: JWTs that the server and every peer check with one secret.

Refuses to know their requests.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

import jwt
from pydantic import SecretStr

from accounts import Accounts
from runtime.settings import RedisSettings
from wiring.storage import make_storage

COUNT = 1_000
LIFETIME_S = 7_200
TOKENS = 1_000_000_000  # more than any measurement spends


@dataclass(frozen=True, slots=True)
class LoadAccount:
    """An account and its bearer token."""

    account_id: str
    token: str


def account_ids() -> list[str]:
    return [f"bench-{number:04d}" for number in range(COUNT)]


def make_accounts(secret: str) -> list[LoadAccount]:
    """Sign a token for each account."""
    return [LoadAccount(account_id, sign(account_id, secret)) for account_id in account_ids()]


def sign(account_id: str, secret: str, *, lifetime_s: int = LIFETIME_S) -> str:
    """Make a JWT of the size that identity providers make; with a negative lifetime it has expired."""
    now = int(time.time())
    claims = {"sub": account_id, "iat": now, "exp": now + lifetime_s, "jti": secrets.token_hex(16)}
    return jwt.encode(claims, secret, algorithm="HS256")


async def open_accounts(redis_url: str, ids: Sequence[str]) -> None:
    """Create the accounts with more tokens than they need."""
    storage = make_storage(RedisSettings(url=SecretStr(redis_url)))
    accounts = Accounts(storage)
    places = asyncio.Semaphore(20)

    async def create(account_id: str) -> None:
        async with places:
            await accounts.create(account_id=account_id, tokens=TOKENS, subscription_days=30)

    try:
        await asyncio.gather(*map(create, ids))
    finally:
        await storage.aclose()
