"""Constructs who may: accounts, the credentials of users and of backends, and the identity that checks them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from accounts import Accounts, AdminKeys, ApiKeys, Callers, Identity, WatchTokens
from accounts.key_set import open_key_set_session
from generation import StatusCopy
from generation.gemini.session import environment_proxy
from runtime.settings import IdentitySettings
from storage.storage import Storage


@dataclass(frozen=True, slots=True)
class Identities:
    """The accounts, and all kinds of credentials that ``identity`` knows."""

    identity: Identity
    accounts: Accounts
    api_keys: ApiKeys
    admin_keys: AdminKeys
    watch_tokens: WatchTokens


async def open_identities(
    settings: IdentitySettings, stack: AsyncExitStack, storage: Storage, copy: StatusCopy
) -> Identities:
    accounts = Accounts(storage)
    api_keys, admin_keys, watch_tokens = ApiKeys(storage), AdminKeys(storage), WatchTokens(storage)
    proxy = environment_proxy(settings.jwt.jwks_url)  # its host has a proxy of its own
    session = await stack.enter_async_context(open_key_set_session(proxy))
    callers = Callers(storage, copy, settings.remembered_tokens)
    identity = Identity(api_keys, accounts, callers, settings, session, admin_keys, watch_tokens)
    return Identities(identity, accounts, api_keys, admin_keys, watch_tokens)
