"""Decides which server holds a key, for scripts, plain commands and tracked reads alike.

``SingleServer`` is one address. Sentinel and Cluster are other ways to choose a ``Primary``, and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from storage.login import Address, Entered, Login
from storage.primary import Primary

SINGLE_RETRY_FOR_S = 0.5


class Topology(Protocol):
    """``where``: where servers are looked for, as the settings name it. ``retry_for_s``: how long a command is tried
    again while masters change. ``follows_masters``: a server that is away may have been replaced by one elsewhere.

    ``joined`` and ``parted`` are called with each primary that appears and disappears after they are set;
    ``entered`` with what a server said at each login.
    """

    where: str
    retry_for_s: float
    follows_masters: bool
    joined: Callable[[Primary], None]
    parted: Callable[[Primary], None]
    entered: Callable[[Entered], None]

    def of(self, key: str | bytes) -> Primary:
        """Return the server that holds the key, as far as is known."""
        ...

    def all(self) -> Sequence[Primary]:
        """Return every server that takes writes, as far as is known."""
        ...

    def moved(self, slot: int, address: Address) -> Primary:
        """Note that a slot has another server now, and return it."""
        ...

    def at(self, address: Address) -> Primary:
        """Return the server at an address, for one command."""
        ...

    async def refresh(self) -> None:
        """Find out again which servers there are.

        Raises:
            StorageUnavailable
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class OnePrimary:
    """One primary for every key; ``locate`` says its address before each connection."""

    def __init__(self, login: Login, where: str, locate: Callable[[], Awaitable[Address]]) -> None:
        self.joined: Callable[[Primary], None] = lambda _primary: None
        self.parted: Callable[[Primary], None] = lambda _primary: None
        self.entered: Callable[[Entered], None] = lambda _entered: None
        self.where = where
        self._primary = Primary(login, locate, lambda entered: self.entered(entered))
        self._all = (self._primary,)

    def of(self, key: str | bytes) -> Primary:  # noqa: ARG002  # every key
        return self._primary

    def all(self) -> Sequence[Primary]:
        return self._all

    def moved(self, slot: int, address: Address) -> Primary:  # noqa: ARG002  # only nodes of a cluster say that
        return self._primary

    def at(self, address: Address) -> Primary:  # noqa: ARG002  # only nodes of a cluster say that
        return self._primary

    async def refresh(self) -> None:
        """Do nothing: each new connection asks for the address."""

    async def aclose(self) -> None:
        await self._primary.aclose()


class SingleServer(OnePrimary):
    """One address, whatever server answers there: a name that follows the master, a proxy, a Unix socket."""

    retry_for_s = SINGLE_RETRY_FOR_S
    follows_masters = False

    def __init__(self, login: Login, address: Address) -> None:
        super().__init__(login, str(address), self._locate)
        self._address = address

    async def _locate(self) -> Address:
        return self._address
