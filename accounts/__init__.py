"""Who may use the service, and whose money it costs: identities, balances, ledger."""

from accounts.accounts import Account, Accounts, AuditFailure, LedgerEntry
from accounts.api_keys import ApiKey, ApiKeys, NewApiKey
from accounts.errors import (
    AccountExists,
    AccountsError,
    GrantRefused,
    IdentityUnavailable,
    InsufficientTokens,
    InvalidAccountId,
    SubscriptionInactive,
    Unauthorized,
    UnknownAccount,
    UnknownApiKey,
)
from accounts.identity import Caller, Identity

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
    "LedgerEntry",
    "NewApiKey",
    "SubscriptionInactive",
    "Unauthorized",
    "UnknownAccount",
    "UnknownApiKey",
]
