"""Identities, balances and the ledger: access to the service, and its price."""

from accounts.account import Account
from accounts.accounts import Accounts
from accounts.admin_keys import AdminKeys
from accounts.api_keys import ApiKey, ApiKeys, NewApiKey
from accounts.audit import AuditFailure
from accounts.callers import Caller, Callers
from accounts.errors import (
    AccountClosed,
    AccountExists,
    AccountKeyRequired,
    AccountsError,
    AdminKeyRequired,
    ForbiddenForWatchToken,
    GrantIdReused,
    GrantRefused,
    IdentityUnavailable,
    InsufficientTokens,
    InvalidAccountId,
    InvalidEntryId,
    InvalidPeriod,
    NetworkNotAllowed,
    PublicKeyUnusable,
    SubjectUnusable,
    SubscriptionInactive,
    TokensOutOfRange,
    Unauthorized,
    UnknownAccount,
    UnknownApiKey,
)
from accounts.identity import Identity
from accounts.ledger import LedgerEntry
from accounts.low_balance import LOW, low_balance_keys
from accounts.usage import UsageReport
from accounts.watch_tokens import WatchTokens

__all__ = [
    "LOW",
    "Account",
    "AccountClosed",
    "AccountExists",
    "AccountKeyRequired",
    "Accounts",
    "AccountsError",
    "AdminKeyRequired",
    "AdminKeys",
    "ApiKey",
    "ApiKeys",
    "AuditFailure",
    "Caller",
    "Callers",
    "ForbiddenForWatchToken",
    "GrantIdReused",
    "GrantRefused",
    "Identity",
    "IdentityUnavailable",
    "InsufficientTokens",
    "InvalidAccountId",
    "InvalidEntryId",
    "InvalidPeriod",
    "LedgerEntry",
    "NetworkNotAllowed",
    "NewApiKey",
    "PublicKeyUnusable",
    "SubjectUnusable",
    "SubscriptionInactive",
    "TokensOutOfRange",
    "Unauthorized",
    "UnknownAccount",
    "UnknownApiKey",
    "UsageReport",
    "WatchTokens",
    "low_balance_keys",
]
