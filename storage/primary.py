"""One server that takes writes, and the one wire that carries everything but its pushed messages.

Owns the wire's life: opened when it is first needed, and again after a loss. The server's role is checked once a
second, so that a process that only reads leaves a demoted master too; a tracking link (``tracking.py``) follows the
same wire and notices it sooner. Refuses to know what is sent and which keys the server holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from storage.errors import StorageUnavailable, storage_errors
from storage.login import Address, Entered, Login
from storage.wire import Wire

CLIENT_NAME = "prompt-commands"
ROLE_ASKED_EVERY_S = 1.0

log = structlog.get_logger(__name__)


class Primary:
    """``locate`` says where the server is, each time that a connection is made.

    ``wire`` is None while there is no connection; ``run_id`` is of the server that was entered last.
    """

    def __init__(
        self, login: Login, locate: Callable[[], Awaitable[Address]], entered: Callable[[Entered], None] | None = None
    ) -> None:
        self.login = login
        self.wire: Wire | None = None
        self.address: Address | None = None
        self.run_id = ""
        self._locate = locate
        self._entered = entered
        self._connecting: asyncio.Task[Wire] | None = None
        self._role_asked: asyncio.TimerHandle | None = None

    async def connected(self) -> Wire:
        """Return the wire; while there is none, concurrent callers share one attempt to connect.

        Raises:
            StorageUnavailable, StorageMisconfigured
        """
        if self.wire is not None:
            return self.wire
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(), name="connects to Redis")
            self._connecting.add_done_callback(
                lambda ended: ended.cancelled() or ended.exception()
            )  # retrieved here, so that asyncio does not log it
        connecting = self._connecting
        await asyncio.wait([connecting])  # and not await it: a caller that is cancelled must not end it for the others
        if connecting.cancelled():
            raise StorageUnavailable("unreachable")
        return connecting.result()

    def leave(self, reason: str = "unreachable") -> None:
        """Close the connection; the next command goes where ``locate`` says then."""
        if self.wire is not None:
            self.wire.abort(reason)

    async def aclose(self) -> None:
        """Wait for the commands in flight, those of cancelled callers too, and close the connection."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self.wire is not None:
            await self.wire.ask(("PING",))  # its answer is the last
        self.leave()

    async def _connect(self) -> Wire:
        try:
            with storage_errors():
                async with asyncio.timeout(self.login.timeout_s):
                    address = await self._locate()
            wire = Wire(self.login.timeout_s, self._lost)
            entered = await self.login.enter(wire, address, CLIENT_NAME)
            if wire.lost.is_set():  # between its last reply and now
                raise StorageUnavailable("unreachable")
            self.wire, self.address, self.run_id = wire, address, entered.run_id
        finally:
            self._connecting = None
        self._ask_role_later(wire)
        if self._entered is not None:
            self._entered(entered)
        return wire

    def demoted(self, hello: Any) -> bool:
        """Leave the server when its reply to HELLO says that it is no master; return whether it was left."""
        if not isinstance(hello, dict) or hello.get(b"role", b"master") == b"master":
            return False
        log.warning("redis_left", address=str(self.address), reason="read_only")
        self.leave()
        return True

    def _ask_role_later(self, wire: Wire) -> None:
        self._role_asked = asyncio.get_running_loop().call_later(ROLE_ASKED_EVERY_S, self._ask_role, wire)

    def _role_told(self, hello: Any) -> None:
        self.demoted(hello)

    def _ask_role(self, wire: Wire) -> None:
        wire.send(("HELLO",), self._role_told)
        if self.wire is wire:
            self._ask_role_later(wire)

    def _lost(self, wire: Wire) -> None:
        if self.wire is wire:
            self.wire = None
            if self._role_asked is not None:
                self._role_asked.cancel()
