"""The services that handlers use; every route hands all of them to its handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from tornado.httputil import HTTPServerRequest

from accounts import Accounts, AdminKeys, ApiKeys, Caller, Identity, UsageReport, WatchTokens
from generation import Document, Generations
from generation.processes import Processes
from handlers.open_requests import OpenRequests
from handlers.open_streams import OpenStreams
from handlers.page_files import Page
from handlers.reference_files import Reference
from notifications import Deliveries, PushSubscriptions
from runtime.metrics import Metrics
from runtime.tracing import Tracing


class Polls(Protocol):
    """Limits polls, counts them, and learns from their answers which polls need no handler next time."""

    def admit(self, account_id: str) -> None:
        """Count one poll against the account's limit.

        Raises:
            TooManyPolls
        """

    def answered(self, status: int) -> None: ...

    def last_known(self, request: HTTPServerRequest, caller: Caller | None, task_id: str) -> Document | None:
        """Return what this process last knew of the caller's task; ``caller``: None when it cannot be established."""

    def remember(self, request: HTTPServerRequest, caller: Caller) -> None: ...

    def remember_refused(self, request: HTTPServerRequest) -> None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """``not_ready`` returns a reason, or '' when all is well; ``cors_origins`` are exact.

    ``path_prefix`` is what clients see before our paths, '' for nothing; ``body_bytes`` is the limit of a body where
    one is expected; ``push_key`` is the public key for Web Push, '' when there is none; ``seen`` is called with the
    account id and task id of every end that a client has fetched.
    """

    identity: Identity
    accounts: Accounts
    api_keys: ApiKeys
    admin_keys: AdminKeys
    watch_tokens: WatchTokens
    deliveries: Deliveries
    subscriptions: PushSubscriptions
    push_key: str
    seen: Callable[[str, str], None]
    usage: UsageReport
    admin_networks: tuple[IPv4Network | IPv6Network, ...]
    generations: Generations
    processes: Processes
    polls: Polls
    metrics: Metrics
    metrics_page: Callable[[], bytes]
    open_requests: OpenRequests
    open_streams: OpenStreams
    tracing: Tracing
    not_ready: Callable[[], Awaitable[str]]
    cors_origins: frozenset[str]
    cors_headers: tuple[str, ...]
    path_prefix: str
    trust_proxy: bool
    body_bytes: int
    minimum_tokens: int
    page: Page
    reference: Reference
