"""Everything that can fail in this room.

AccountsError
├── Unauthorized            no identity could be established
├── AdminKeyRequired        a valid identity of an account where only admin keys may
├── AccountKeyRequired      an admin key where only accounts may
├── ForbiddenForWatchToken  a watch token where more than watching its task is asked for
├── NetworkNotAllowed       an address from which admin keys may not be used
├── SubjectUnusable         a valid token whose subject cannot name an account
├── UnknownAccount          a valid identity without an account, or a wrong account id
├── AccountExists           create was given an id that is taken
├── AccountClosed           the account is closed and cannot be used any more
├── UnknownTask             the account has no task of that id, or it has expired
├── GrantIdReused           the id of a grant came before with other tokens
├── InvalidAccountId        an id that cannot name an account
├── GrantRefused            the balance does not cover the tokens to take back
├── TokensOutOfRange        an account's tokens would be below none, or more than are counted exactly
├── InvalidEntryId          not the id of a ledger entry
├── InvalidPeriod           not a month
├── UnknownApiKey           no key of that id belongs to the account
├── PublicKeyUnusable       the file with the key that checks JWTs cannot be used
├── SubscriptionInactive    the subscription has ended or never began
├── InsufficientTokens      the balance does not cover a generation
└── IdentityUnavailable     the keys that JWTs are checked with cannot be fetched now
"""

from __future__ import annotations


class AccountsError(Exception):
    """Base of this room's errors."""


class Unauthorized(AccountsError):
    """No identity could be established.
    ``reason`` of headers and keys: missing | malformed | unknown_key | revoked_key; of tokens: invalid_token |
    expired_token | token_not_yet_valid | token_lives_too_long | wrong_kind_of_token | token_too_large |
    tokens_not_accepted | wrong_algorithm | foreign_token | missing_claim | absurd_time.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AdminKeyRequired(AccountsError):
    pass


class AccountKeyRequired(AccountsError):
    pass


class ForbiddenForWatchToken(AccountsError):
    pass


class NetworkNotAllowed(AccountsError):
    pass


class SubjectUnusable(AccountsError):
    """``claim`` is the name of the claim that should hold the account's id."""

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim


class UnknownAccount(AccountsError):
    def __init__(self, account_id: str) -> None:
        super().__init__(account_id)
        self.account_id = account_id


class AccountExists(AccountsError):
    def __init__(self, account_id: str) -> None:
        super().__init__(account_id)
        self.account_id = account_id


class AccountClosed(AccountsError):
    def __init__(self, account_id: str) -> None:
        super().__init__(account_id)
        self.account_id = account_id


class UnknownTask(AccountsError):
    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.task_id = task_id


class GrantIdReused(AccountsError):
    def __init__(self, grant_id: str) -> None:
        super().__init__(grant_id)
        self.grant_id = grant_id


class InvalidAccountId(AccountsError):
    def __init__(self, account_id: str) -> None:
        super().__init__(account_id)
        self.account_id = account_id


class GrantRefused(AccountsError):
    """Tokens that were to be taken back, and the balance that does not cover them."""

    def __init__(self, tokens: int, available: int) -> None:
        super().__init__(tokens, available)
        self.tokens = tokens
        self.available = available


class TokensOutOfRange(AccountsError):
    """Tokens that were to be granted, and how many an account may be granted in all."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(tokens, limit)
        self.tokens = tokens
        self.limit = limit


class InvalidEntryId(AccountsError):
    def __init__(self, entry_id: str) -> None:
        super().__init__(entry_id)
        self.entry_id = entry_id


class InvalidPeriod(AccountsError):
    def __init__(self, period: str) -> None:
        super().__init__(period)
        self.period = period


class UnknownApiKey(AccountsError):
    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id


class PublicKeyUnusable(AccountsError):
    """The file's path, and what was expected of it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


class SubscriptionInactive(AccountsError):
    """``ended_at`` is ISO 8601, or empty when there never was a subscription."""

    def __init__(self, ended_at: str = "") -> None:
        super().__init__(ended_at)
        self.ended_at = ended_at


class InsufficientTokens(AccountsError):
    def __init__(self, needed: int, available: int) -> None:
        super().__init__(needed, available)
        self.needed = needed
        self.available = available


class IdentityUnavailable(AccountsError):
    """The JWKS URL does not answer and no cached key fits."""
