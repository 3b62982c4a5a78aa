"""Who may use the service, and whose money it costs: identities, balances, ledger."""

from accounts.accounts import Account, Accounts
from accounts.api_keys import ApiKey, ApiKeys, NewApiKey
from accounts.audit import AuditFailure
from accounts.errors import (
    AccountExists,
    AccountsError,
    GrantRefused,
    IdentityUnavailable,
    InsufficientTokens,
    InvalidAccountId,
    InvalidEntryId,
    PublicKeyUnusable,
    SubjectUnusable,
    SubscriptionInactive,
    TokensOutOfRange,
    Unauthorized,
    UnknownAccount,
    UnknownApiKey,
)
from accounts.identity import Caller, Identity
from accounts.ledger import LedgerEntry

__all__ = [
    "Account",
    "AccountExists",
    "Accounts",
    "AccountsError",
    "ApiKey",
    "ApiKeys",
    "AuditFailure",
    "Caller",
    "GrantRefused",
    "Identity",
    "IdentityUnavailable",
    "InsufficientTokens",
    "InvalidAccountId",
    "InvalidEntryId",
    "LedgerEntry",
    "NewApiKey",
    "PublicKeyUnusable",
    "SubjectUnusable",
    "SubscriptionInactive",
    "TokensOutOfRange",
    "Unauthorized",
    "UnknownAccount",
    "UnknownApiKey",
]
