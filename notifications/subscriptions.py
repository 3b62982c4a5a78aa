"""The push subscriptions of an account's browsers, bounded in number and size.

``pg:{A}:push_subscriptions``: id → JSON. The id is made of the endpoint, so that subscribing twice is one subscription.
Refuses to know how a notification is sent.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from accounts.errors import AccountClosed
from notifications.errors import SubscriptionRefused, UnknownSubscription
from storage.errors import UNLIKE_OURS
from storage.storage import Storage

MAX_SUBSCRIPTIONS = 10  # of an account: the browsers of one person; the oldest makes place
LONGEST_ENDPOINT = 2_048  # characters
LONGEST_TITLE = 120
POINT_BYTES, AUTH_BYTES = 65, 16  # Source: RFC 8291, 3.1 and 3.2
ENDPOINT = re.compile(r"[!-~]+")  # no spaces, no control characters, ASCII


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """One browser. ``p256dh`` and ``auth`` are base64url; ``titles``: ``completed`` and ``failed``, in its language."""

    endpoint: str
    p256dh: str
    auth: str
    titles: dict[str, str] = field(default_factory=dict)
    created_ms: int = 0

    @property
    def id(self) -> str:
        return subscription_id(self.endpoint)

    def as_dict(self) -> dict[str, Any]:
        """Return what the account may see: all but the keys, which would let others read its notifications."""
        created_at = datetime.fromtimestamp(self.created_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"id": self.id, "endpoint": self.endpoint, "created_at": created_at}


class PushSubscriptions:
    """Adds, reads and removes subscriptions. ``allow_loopback``: also endpoints on this machine, without TLS."""

    def __init__(self, storage: Storage, *, allow_loopback: bool = False) -> None:
        self._storage = storage
        self._allow_loopback = allow_loopback

    async def add(self, account_id: str, given: PushSubscription) -> PushSubscription:
        """Keep a subscription; the same endpoint replaces what was there. Return it as it is kept.

        Raises:
            SubscriptionRefused, StorageUnavailable
            AccountClosed: a moment ago, and what it has may be deleted by now.
        """
        self._check(given)
        members = {"created_ms": int(time.time() * 1000), "endpoint": given.endpoint}
        members |= {"p256dh": given.p256dh, "auth": given.auth, "titles": given.titles}
        kept = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
        keys = [self._key(account_id), self._storage.key(account_id, "account")]
        if await self._storage.run("add_push_subscription", keys, [given.id, kept, MAX_SUBSCRIPTIONS]) != 1:
            raise AccountClosed(account_id)
        return PushSubscription(**members)  # type: ignore[arg-type]  # the members are those of the class

    async def of(self, account_id: str) -> list[PushSubscription]:
        """Return the account's subscriptions, oldest first.

        Raises:
            StorageUnavailable
        """
        key, found = self._key(account_id), []
        for each in await self._storage.command("HVALS", key):
            try:
                found.append(PushSubscription(**json.loads(each)))
            except UNLIKE_OURS as exc:
                self._storage.spoilt.note(key, exc)
        return sorted(found, key=lambda each: each.created_ms)

    async def shown(self, account_id: str) -> list[dict[str, Any]]:
        """Return the account's subscriptions without their keys.

        Raises:
            StorageUnavailable
        """
        return [each.as_dict() for each in await self.of(account_id)]

    async def remove(self, account_id: str, ids: Iterable[str]) -> int:
        """Forget subscriptions; return how many were there.

        Raises:
            StorageUnavailable
        """
        return int(await self._storage.command("HDEL", self._key(account_id), *ids))

    async def remove_endpoint(self, account_id: str, endpoint: str) -> None:
        """Forget the subscription with this endpoint.

        Raises:
            UnknownSubscription, StorageUnavailable
        """
        if not await self.remove(account_id, [subscription_id(endpoint)]):
            raise UnknownSubscription

    async def delete_all(self, account_id: str) -> None:
        """Forget all of the account's subscriptions.

        Raises:
            StorageUnavailable
        """
        await self._storage.command("DEL", self._key(account_id))

    def _key(self, account_id: str) -> str:
        return self._storage.key(account_id, "push_subscriptions")

    def _check(self, given: PushSubscription) -> None:
        if not self.may_be_asked(given.endpoint):
            raise SubscriptionRefused("endpoint must be the https:// address of a push service")
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(given.p256dh, POINT_BYTES))
        except ValueError as exc:
            raise SubscriptionRefused(
                "keys.p256dh must be a point of P-256, as PushSubscription.toJSON() has it"
            ) from exc
        try:
            _decoded(given.auth, AUTH_BYTES)
        except ValueError as exc:
            raise SubscriptionRefused("keys.auth must be 16 bytes, as browsers make it") from exc

    def may_be_asked(self, endpoint: str) -> bool:
        """Say whether the server may send there: users choose endpoints, and none may lead into the operator's network.

        What a name stands for is looked at when it is resolved (public_addresses.py).
        """
        if len(endpoint) > LONGEST_ENDPOINT or not ENDPOINT.fullmatch(endpoint):
            return False
        try:
            url = urlsplit(endpoint)
            host, _port = url.hostname or "", url.port
        except ValueError:
            return False
        if self._allow_loopback and url.scheme in ("http", "https") and _is_loopback(host):
            return True
        return url.scheme == "https" and "@" not in url.netloc and _is_public(host)


def subscription_id(endpoint: str) -> str:
    """Name a subscription by its endpoint, which is a secret itself."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]


def _decoded(text: str, size: int) -> bytes:
    raw = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    if len(raw) != size:
        raise ValueError(f"{len(raw)} bytes")
    return raw


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:  # a name: at least two parts, so that no name of the local network is one
        return "." in host.rstrip(".") and not host.rstrip(".").endswith((".local", ".internal", ".localhost"))
