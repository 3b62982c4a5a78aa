"""How to reach and enter a Redis server: address, TLS, credentials, and the check that it is a master.

redis-py says what the ssl_… options of a URL mean. Refuses to know which server is the right one (``topology.py``).
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis import exceptions as redis_errors
from redis.asyncio.connection import SSLConnection

from runtime.redis_url import RedisUrl
from storage.errors import StorageMisconfigured, StorageUnavailable, storage_errors
from storage.wire import Argument, Wire, checked

NO_DATABASE = "DB index is out of range"  # Source: Redis, src/db.c, selectCommand


class Address(NamedTuple):
    """Where a server listens: a host and port, or the path of a Unix socket."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Entered:
    """What a server said at the login. ``run_id`` is empty where INFO is not allowed."""

    client_id: int
    run_id: str


class Login:
    """Enters servers as one URL says; the same for every server of a cluster."""

    def __init__(self, url: RedisUrl, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._url = url
        self._tls = tls_context(url.tls) if url.tls is not None else None

    async def enter(self, wire: Wire, address: Address, client_name: str, *, any_role: bool = False) -> Entered:
        """Connect the wire to a master, or with ``any_role`` to a replica, and log in; it is lost when that fails.

        Raises:
            StorageMisconfigured: the server will never let us in.
            StorageUnavailable: away, silent, or no master (``read_only``).
        """
        try:
            with storage_errors():
                async with asyncio.timeout(self.timeout_s):
                    await self._connect(wire, address)
                    return await self._log_in(wire, address, client_name, any_role=any_role)
        except BaseException:
            wire.abort()
            raise

    async def _connect(self, wire: Wire, address: Address) -> None:
        loop = asyncio.get_running_loop()
        if address.path:
            await loop.create_unix_connection(lambda: wire, address.path)
        else:
            await loop.create_connection(lambda: wire, address.host, address.port, ssl=self._tls)

    async def _log_in(self, wire: Wire, address: Address, client_name: str, *, any_role: bool) -> Entered:
        url = self._url
        credentials: tuple[Argument, ...] = ()
        if url.username or url.password:  # an ACL user may have no password: any is good for it
            credentials = ("AUTH", url.username or "default", url.password)
        hello = wire.ask(("HELLO", 3, *credentials, "SETNAME", client_name))
        selected = wire.ask(("SELECT", url.database)) if url.database else None
        info = wire.ask(("INFO", "server"))
        facts = _checked_hello(await hello, address, in_cluster=url.kind == "cluster")
        if facts.get(b"role", b"master") != b"master" and not any_role:
            raise StorageUnavailable("read_only")
        if selected is not None:
            _check_selected(await selected, url.database)
        return Entered(int(facts[b"id"]), _run_id(await info))


def tls_context(options: dict[str, str]) -> ssl.SSLContext:
    """Return the TLS context that redis-py makes of the ssl_… options of a rediss:// URL.

    Raises:
        StorageMisconfigured: a file that cannot be read, an option with an impossible value.
    """
    typed: dict[str, Any] = dict(options)
    if "ssl_check_hostname" in typed:
        typed["ssl_check_hostname"] = typed["ssl_check_hostname"].lower() not in ("0", "false", "no", "n", "f")
    try:
        if "ssl_min_version" in typed:
            typed["ssl_min_version"] = ssl.TLSVersion(int(typed["ssl_min_version"]))
        # Never connected; it interprets the options.
        return SSLConnection(**typed).ssl_context.get()
    except (OSError, ValueError, TypeError, redis_errors.RedisError) as exc:
        raise StorageMisconfigured(f"the TLS options of redis.url cannot be used: {exc}") from exc


def _checked_hello(reply: Any, address: Address, *, in_cluster: bool) -> dict[bytes, Any]:
    """Return HELLO's reply when the server is of the kind that the URL names."""
    if isinstance(reply, redis_errors.AuthenticationError | redis_errors.NoPermissionError):
        raise StorageMisconfigured(f"Redis at {address} refuses the user or password of redis.url: {reply}") from reply
    facts: dict[bytes, Any] = checked(reply)
    mode = facts.get(b"mode", b"standalone")
    if mode == b"sentinel":
        raise StorageMisconfigured(f"{address} is a Sentinel: use redis+sentinel://…/master-name")
    if mode == b"cluster" and not in_cluster:
        raise StorageMisconfigured(f"{address} is a node of a cluster: use redis+cluster://")
    if mode != b"cluster" and in_cluster:
        raise StorageMisconfigured(f"{address} is not a node of a cluster: use redis://")
    return facts


def _check_selected(reply: Any, database: int) -> None:
    if isinstance(reply, redis_errors.ResponseError) and NO_DATABASE in str(reply):
        raise StorageMisconfigured(f"redis.url names database {database}, and the server says: {reply}") from reply
    if isinstance(reply, redis_errors.NoPermissionError):
        raise StorageMisconfigured(f"the user of redis.url may not SELECT database {database}: {reply}") from reply
    checked(reply)


def _run_id(reply: Any) -> str:
    if isinstance(reply, StorageUnavailable):
        raise reply
    return info_members(reply).get("run_id", "")


def info_members(reply: Any) -> dict[str, str]:
    """Return INFO's lines as names and values; nothing where the user may not ask."""
    if not isinstance(reply, bytes | str):
        return {}
    text = reply if isinstance(reply, str) else str(reply, "utf-8", "replace")
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
