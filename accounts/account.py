"""One account as it is shown, and what may be its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.errors import InvalidAccountId

LONGEST_ACCOUNT_ID = 255  # characters; what a JWT's sub may have. Source: OpenID Connect Core 1.0, section 2
MAX_TOKENS = 10**15  # that an account may be granted in all: Lua's numbers are exact to 2^53


@dataclass(frozen=True, slots=True)
class Account:
    """An account at one moment; times are ISO 8601 in UTC."""

    account_id: str
    name: str
    business_type: str
    created_at: str
    subscription_until: str | None
    subscription_active: bool
    tokens_granted: int
    tokens_remaining: int
    tokens_held: int
    tokens_charged: int
    closed_at: str | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def account_from(account_id: str, members: Mapping[str, str], active: bool) -> Account:
    """Make the account of its record's members; ``active``: its subscription is, by Redis' clock.

    Raises:
        KeyError, ValueError: the record is none of ours.
    """
    until_ms = int(members["subscription_until_ms"])
    return Account(
        account_id=account_id,
        name=members["name"],
        business_type=members["business_type"],
        created_at=members["created_at"],
        subscription_until=iso(datetime.fromtimestamp(until_ms / 1000, UTC)) if until_ms else None,
        subscription_active=active,
        tokens_granted=int(members["granted"]),
        tokens_remaining=int(members["balance"]),
        tokens_held=int(members["held"]),
        tokens_charged=int(members["charged"]),
        closed_at=members.get("closed_at") or None,
    )


def checked_account_id(account_id: str) -> str:
    """Return the id when it can name an account.

    Raises:
        InvalidAccountId
    """
    if not is_account_id(account_id):
        raise InvalidAccountId(account_id)
    return account_id


def is_account_id(text: str) -> bool:
    """Say whether the text can name an account: 1 to 255 printable characters of any language, spaces included."""
    return 0 < len(text) <= LONGEST_ACCOUNT_ID and text.isprintable()


def iso(moment: datetime) -> str:
    """Return a moment in UTC as ISO 8601, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
