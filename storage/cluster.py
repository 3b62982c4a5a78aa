"""The masters of a cluster by slot: the nodes' own map, corrected by each MOVED.

Any node can give the map, a replica too. Refuses to know what is stored where beyond the slot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from runtime.redis_url import RedisUrl
from storage.errors import StorageUnavailable
from storage.login import Address, Entered, Login
from storage.primary import Primary
from storage.wire import Wire

CLIENT_NAME = "prompt-topology"
REFRESH_EVERY_S = 0.1  # at most, whatever fails

log = structlog.get_logger(__name__)


class Cluster:
    """One primary for each master. A slot without a server stays with the master it had."""

    follows_masters = True

    def __init__(self, login: Login, url: RedisUrl) -> None:
        self.retry_for_s = login.timeout_s
        self.joined: Callable[[Primary], None] = lambda _primary: None
        self.parted: Callable[[Primary], None] = lambda _primary: None
        self.entered: Callable[[Entered], None] = lambda _entered: None
        self._login = login
        self._startup = [Address(host, port) for host, port in url.hosts]
        self.where = ", ".join(map(str, self._startup))
        self._replicas: list[Address] = []
        self._primaries: dict[Address, Primary] = {}
        self._masters: tuple[Primary, ...] = ()
        self._slots: list[Primary] = [self.at(self._startup[0])] * REDIS_CLUSTER_HASH_SLOTS
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshed_at = float("-inf")
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, key: str | bytes) -> Primary:
        return self._slots[key_slot(key if isinstance(key, bytes) else key.encode())]

    def all(self) -> Sequence[Primary]:
        return self._masters

    def at(self, address: Address) -> Primary:
        if (primary := self._primaries.get(address)) is None:

            async def locate() -> Address:
                return address

            primary = Primary(self._login, locate, lambda entered: self.entered(entered))
            self._primaries[address] = primary
        return primary

    def moved(self, slot: int, address: Address) -> Primary:
        primary = self.at(address)
        if self._slots[slot] is not primary:
            self._slots[slot] = primary
            self._note_masters()
        return primary

    async def refresh(self) -> None:
        """Fetch the map; concurrent callers share one request.

        Raises:
            StorageUnavailable: no node answered.
        """
        if self._refreshing is None:
            if asyncio.get_running_loop().time() < self._refreshed_at + REFRESH_EVERY_S:
                return
            self._refreshing = asyncio.create_task(self._refresh(), name="asks for the cluster's slots")
            self._refreshing.add_done_callback(self._refresh_ended)
        refreshing = self._refreshing
        await asyncio.wait([refreshing])
        if not refreshing.cancelled():
            refreshing.result()

    async def aclose(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])
        for primary in self._primaries.values():
            await primary.aclose()
        if self._closing:
            await asyncio.wait(self._closing)

    def _refresh_ended(self, refreshing: asyncio.Task[None]) -> None:
        self._refreshing = None
        self._refreshed_at = asyncio.get_running_loop().time()
        if not refreshing.cancelled():
            refreshing.exception()  # the caller has it

    async def _refresh(self) -> None:
        known = dict.fromkeys((*self._primaries, *self._replicas, *self._startup))
        connected = [address for address in known if (at := self._primaries.get(address)) and at.wire is not None]
        others = [address for address in known if address not in connected]
        failure: StorageUnavailable = StorageUnavailable("unreachable")
        for addresses in (connected, others):
            asked = [asyncio.create_task(self._ask(address)) for address in addresses]
            try:
                for answer in asyncio.as_completed(asked):
                    try:
                        self._apply(*await answer)
                    except StorageUnavailable as exc:
                        failure = exc
                    else:
                        return
            finally:
                for task in asked:
                    task.cancel()
                await asyncio.gather(*asked, return_exceptions=True)
        raise failure

    async def _ask(self, address: Address) -> tuple[Address, Any]:
        primary = self._primaries.get(address)
        if primary is not None and primary.wire is not None:
            return address, await primary.wire.command("CLUSTER", "SLOTS")
        wire = Wire(self._login.timeout_s, lambda _wire: None)
        try:
            await self._login.enter(wire, address, CLIENT_NAME, any_role=True)
            return address, await wire.command("CLUSTER", "SLOTS")
        finally:
            wire.abort()

    def _apply(self, asked: Address, ranges: list[Any]) -> None:
        """Take the map over. Source: Redis documentation, CLUSTER SLOTS; a node without a host is the one asked."""
        if not ranges:
            raise StorageUnavailable("refused")
        replicas = []
        for first, last, master, *others in ranges:
            self._slots[first : last + 1] = [self.at(_address(master, asked))] * (last + 1 - first)
            replicas += [_address(other, asked) for other in others]
        self._replicas = replicas
        self._note_masters()

    def _note_masters(self) -> None:
        masters = dict.fromkeys(self._slots)
        if masters.keys() == set(self._masters):
            return
        before, self._masters = self._masters, tuple(masters)
        for primary in self._masters:
            if primary not in before:
                self.joined(primary)
        for address, primary in list(self._primaries.items()):
            if primary not in masters:
                del self._primaries[address]
                self.parted(primary)
                closing = asyncio.create_task(primary.aclose(), name="leaves a node")
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)


def _address(node: list[Any], asked: Address) -> Address:
    host = str(node[0], "utf-8") if node[0] else asked.host
    return Address(host, node[1])
