"""One connection to a Redis server: what is sent in one turn of the event loop leaves in one write.

Owns the wire: replies handed on in the order in which Redis sent them, pushed messages, and a deadline for each
command. A command costs a sixth of what it costs through redis-py's pool. Refuses to know what is sent, and to
reconnect.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable
from typing import Any, TypeAlias, cast

import hiredis
from redis import exceptions as redis_errors
from redis._parsers import BaseParser  # names an error by its code, as redis-py's own connections do

from storage.errors import StorageUnavailable, storage_errors

Argument: TypeAlias = str | bytes | int
Command: TypeAlias = tuple[Argument, ...]
Replied: TypeAlias = Callable[[Any], None]
_NOTHING_YET = object()

HELD_S = 0.002  # a command waits for the answers to those before, to travel with others, but no longer than this
BACKLOG = 100_000  # commands that may wait for their answers on one wire; more would time out anyway


class Wire(asyncio.Protocol):
    """Commands out, replies and pushes in, in order, until it is lost.

    A command that has no reply ``timeout_s`` after it was sent ends the wire, unless replies to others still arrive:
    then it has twice that. ``sent`` and ``answered`` count commands; ``heard_at`` is when anything came last, in the
    loop's seconds. ``on_lost`` is called once, before the callers that wait for replies get their errors.
    """

    def __init__(
        self,
        timeout_s: float,
        on_lost: Callable[[Wire], None],
        pushed: Callable[[list[Any]], None] = lambda _push: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._pushed = pushed
        self._on_lost: dict[object, Callable[[], None]] = {self: lambda: on_lost(self)}
        self._transport: asyncio.WriteTransport | None = None
        self._out: list[bytes] = []
        self._waiting: collections.deque[tuple[float, Replied]] = collections.deque()  # sent at, told of the reply
        self._reader = hiredis.Reader(
            protocolError=redis_errors.InvalidResponse,
            replyError=BaseParser.parse_error,
            notEnoughData=_NOTHING_YET,
        )
        self.lost = asyncio.Event()
        self._held: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.heard_at = self._loop.time()
        self.sent = 0
        self.answered = 0

    @property
    def peer(self) -> Any:
        """The address of the other end, as the socket tells it."""
        return self._transport.get_extra_info("peername") if self._transport is not None else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        if self.lost.is_set():  # given up while it connected
            self._transport.abort()
            self._transport = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        self._reader.feed(data)
        try:
            while not self.lost.is_set() and (reply := self._reader.gets()) is not _NOTHING_YET:
                if isinstance(reply, hiredis.PushNotification):
                    self._pushed(reply)
                elif self._waiting:
                    self.answered += 1
                    self._waiting.popleft()[1](reply)
                else:
                    self.abort()  # a reply without a command: "max number of clients reached", or no Redis at all
        except redis_errors.InvalidResponse:
            self.abort()
        if self._held is not None:
            self._loop.call_soon(self._flush)  # with what those who have just been answered ask next

    def send(self, command: Command, replied: Replied) -> None:
        """Send with everything else of this turn; ``replied`` gets the reply, or the error as a value, once.

        On a lost wire it gets StorageUnavailable at once.
        """
        if self.lost.is_set():
            replied(StorageUnavailable("unreachable"))
            return
        if self.sent - self.answered >= BACKLOG:
            replied(StorageUnavailable("backlog"))
            return
        if not self._out:
            if self.answered == self.sent:
                self._loop.call_soon(self._flush)
            else:
                self._held = self._loop.call_later(HELD_S, self._flush)
        self._out.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub means tuple[…, ...]
        now = self._loop.time()
        self._waiting.append((now, replied))
        self.sent += 1
        if self._deadline is None:
            self._deadline = self._loop.call_at(now + self._timeout_s, self._look)

    def ask(self, command: Command) -> asyncio.Future[Any]:
        """Send; the future's result is the reply, or the error as a value."""
        reply: asyncio.Future[Any] = self._loop.create_future()
        self.send(command, lambda value: None if reply.done() else reply.set_result(value))
        return reply

    def when_lost(self, lost: Callable[[], None]) -> Callable[[], None]:
        """Call ``lost`` once, when the wire is lost, or at once when it already is; return the call's canceller."""
        token = object()
        if self.lost.is_set():
            lost()
        else:
            self._on_lost[token] = lost

        def forget() -> None:
            self._on_lost.pop(token, None)

        return forget

    async def command(self, *command: Argument) -> Any:
        """Send and return the reply.

        Raises:
            StorageUnavailable, RedisError
        """
        return checked(await self.ask(command))

    def abort(self, reason: str = "unreachable") -> None:
        """Close at once; every reply that is still awaited becomes StorageUnavailable for this reason."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        for timer in (self._deadline, self._held):
            if timer is not None:
                timer.cancel()
        self._deadline = self._held = None
        if not self.lost.is_set():
            self.lost.set()
            told, self._on_lost = list(self._on_lost.values()), {}
            for lost in told:  # first: a caller that gets an error below must not ask here again
                lost()
        while self._waiting:
            self._waiting.popleft()[1](StorageUnavailable(reason))

    def _flush(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None
        out, self._out = self._out, []
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    def _look(self) -> None:
        """End the wire when the oldest command had its time; else look again when that is up."""
        self._deadline = None
        if not self._waiting:
            return
        now, sent_at = self._loop.time(), self._waiting[0][0]
        heard_lately = now - self.heard_at < self._timeout_s / 2
        allowed_s = self._timeout_s * 2 if heard_lately else self._timeout_s
        if now >= sent_at + allowed_s - 0.001:  # timers have a resolution
            self.abort("timeout")
        else:
            due = sent_at + self._timeout_s
            self._deadline = self._loop.call_at(due if due > now else now + self._timeout_s / 4, self._look)


def checked(reply: Any) -> Any:
    """Return a reply, or raise the error that stands for one.

    Raises:
        StorageUnavailable: lost, or Redis cannot serve now.
        RedisError: a defect of ours.
    """
    with storage_errors():
        if isinstance(reply, Exception):
            raise reply
    return reply
