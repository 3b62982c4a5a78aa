"""Answers to errors that differ for a backend with an admin key and for an account's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts import errors as accounts
from handlers.answers import Answer
from notifications.errors import CursorInvalid, UnknownDelivery

ADMIN_ANSWERS: dict[type[BaseException] | type[None], Answer | Callable[[Any], Answer]] = {
    accounts.UnknownAccount: Answer(404, "account_not_found", "Account not found", "There is no account with this id."),
    accounts.AccountExists: Answer(
        409, "account_exists", "Account exists", "There is an account with this id that was made with other values."
    ),
    accounts.AccountClosed: Answer(409, "account_closed", "Account is closed", "A closed account takes no changes."),
    accounts.InvalidAccountId: Answer(
        400, "invalid_account_id", "account_id is not valid", "Send 1 to 255 printable characters as account_id."
    ),
    accounts.GrantRefused: lambda exc: Answer(
        409,
        "grant_refused",
        "Not enough free tokens",
        f"{exc.tokens} tokens cannot be taken back: {exc.available} are neither held nor charged.",
    ),
    accounts.GrantIdReused: Answer(
        422, "grant_id_reused", "grant_id was used before", "This grant_id came before with another number of tokens."
    ),
    accounts.TokensOutOfRange: lambda exc: Answer(
        400,
        "tokens_out_of_range",
        "tokens is out of range",
        f"An account is granted {exc.limit} tokens in all at most.",
    ),
    UnknownDelivery: Answer(
        404, "delivery_not_found", "Webhook not found", "The account has no webhook with this id, or not any more."
    ),
    CursorInvalid: Answer(
        400, "invalid_parameter", "before is not valid", "Send before as the `next` of the page before."
    ),
    accounts.UnknownApiKey: Answer(404, "key_not_found", "Key not found", "The account has no key with this id."),
}
