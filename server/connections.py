"""Every connection of the server: idle at little cost, handed off to Tornado for one exchange, drained at the end.

An idle connection is a file descriptor and some hundred bytes; Tornado's takes eight thousand. What it reads is looked
up in the express lane; what that does not answer goes to Tornado with the bytes already read (``handoff_stream.py``),
and the connection is returned when the exchange is over. Does not know what requests say.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterable
from types import TracebackType

from tornado.httpserver import HTTPServer

from runtime.settings import ServerSettings
from server.bare_answers import BareAnswers, BareErrors
from server.batched_epoll import open_readers
from server.handoff_stream import HandoffStream
from server.idle_connection import IdleConnection
from server.lane.express_lane import ExpressLane, Reply
from server.lane.poll_request import PollRequest, WholePoll
from server.lingering import Lingering
from server.listener import Listener

SWEEP_EVERY_S = 1.0
CLOSE_IDLE_EVERY_S = 0.2  # while draining
TLS_GREETING = b"\x16"  # Source: RFC 8446, 5.1: the record type of a handshake; no method of HTTP begins with it
IDLE_GRACE_S = 2.0  # while draining: clients poll every second, so most learn that the connection ends with an answer


class Connections:
    """An async context manager that serves the sockets it is given; ``server`` answers whatever the lane does not.

    ``bare_errors``: the answers where there is no request.
    """

    def __init__(
        self,
        server: HTTPServer,
        lane: ExpressLane | None,
        settings: ServerSettings,
        bare_errors: BareErrors,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.readers = open_readers(self.loop)
        self.draining = False
        self.refusals_in_a_row = settings.refusals_in_a_row
        self.bare_answers = BareAnswers(bare_errors)
        self.whole_poll: WholePoll = lane.whole_poll if lane is not None else _no_poll
        self.look_up: Callable[[PollRequest, float, Reply], None] = lane.look_up if lane is not None else _by_tornado
        self._lane = lane
        self._server = server
        self._idle_timeout_s = settings.idle_timeout_s
        self._idle: set[IdleConnection] = set()
        self._handed_off: set[HandoffStream] = set()
        self._emptied = asyncio.Event()
        self._lingering = Lingering(self.loop)
        self._listener = Listener(
            self.loop,
            self.returned,
            self.__len__,
            limit=settings.connections,
            refusal=self.bare_answers.too_many,
            lingering=self._lingering,
        )
        self._sweeping = self.loop.call_later(SWEEP_EVERY_S, self._sweep)

    async def __aenter__(self) -> Connections:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self.readers.close()
        await self._server.close_all_connections()
        if self._lane is not None:
            await self._lane.aclose()

    def __len__(self) -> int:
        """Open connections, idle and handed off."""
        return len(self._idle) + len(self._handed_off)

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections on listening sockets, and own them from now on."""
        self._listener.add_sockets(sockets)

    # Idle

    def returned(self, sock: socket.socket, data: bytes = b"", refusals: int = 0) -> None:
        """Let a connection idle: a new one, or one that Tornado has answered; ``data`` was read and not answered."""
        connection = IdleConnection(self, sock.family, sock.detach(), refusals)
        self._idle.add(connection)
        connection.listen()
        if data:
            connection.received(data)

    def closed(self, connection: IdleConnection) -> None:
        self._idle.discard(connection)
        self._notice_the_last()

    def linger(self, sock: socket.socket) -> None:
        self._lingering.add(sock)

    def _notice_the_last(self) -> None:
        if not len(self):
            self._emptied.set()

    def _sweep(self) -> None:
        """Close connections that have idled, or whose client has taken nothing, for too long."""
        now = time.monotonic()
        for connection in [each for each in self._idle if each.seen_at < now - self._idle_timeout_s]:
            connection.close()
        for stream in [each for each in self._handed_off if each.stalled_s(now) > self._idle_timeout_s]:
            stream.close()
        if self._lane is not None:
            self._lane.report()
        self._sweeping = self.loop.call_later(SWEEP_EVERY_S, self._sweep)

    # Handed off

    def hand_off(self, connection: IdleConnection, data: bytes, poll: PollRequest | None) -> None:
        """Give a connection to Tornado with what was read from it; ``poll`` when that is one.

        With its answer the connection ends when the server drains, and when the client was refused too often.
        """
        self._idle.discard(connection)
        sock = socket.socket(connection.family, socket.SOCK_STREAM, 0, connection.detach())
        if data.startswith(TLS_GREETING):
            self._refuse_tls(sock)
            return
        try:
            address = sock.getpeername()
        except OSError:  # the client has left already
            sock.close()
            self._notice_the_last()
            if poll is not None:
                self.exchange_ended(poll)
            return
        stream = HandoffStream(sock, data, poll, self, self._server.max_buffer_size)
        stream.refusals = connection.refusals
        stream.last = self.draining or 0 < self.refusals_in_a_row <= connection.refusals
        self._handed_off.add(stream)
        self._server.handle_stream(stream, address)

    def _refuse_tls(self, sock: socket.socket) -> None:
        """Answer ``https://`` at once: the client waits for our greeting, and Tornado would for the end of a head."""
        with contextlib.suppress(OSError):
            sock.send(self.bare_answers.malformed())
        self._lingering.add(sock)
        self._notice_the_last()

    def ended(self, stream: HandoffStream) -> None:
        self._handed_off.discard(stream)
        if stream.poll is not None:
            self.exchange_ended(stream.poll)
        self._notice_the_last()

    def exchange_ended(self, poll: PollRequest) -> None:
        if self._lane is not None:
            self._lane.exchange_ended(poll)

    # Drained

    async def drain(self, timeout_s: float) -> bool:
        """Stop accepting, let every exchange end, close what idles; say whether all was in time.

        From now on Tornado answers everything, and with its answer a connection ends.
        """
        self.draining = True
        self.look_up = _by_tornado
        self._listener.accept_all()
        self._listener.close()
        for stream in self._handed_off:
            stream.last = True
        ends_at = self.loop.time() + timeout_s
        emptied = await self._empty(min(IDLE_GRACE_S, timeout_s))
        while not emptied and (left_s := ends_at - self.loop.time()) > 0:
            for connection in [each for each in self._idle if not each.busy]:
                connection.close_if_idle()
            emptied = await self._empty(min(CLOSE_IDLE_EVERY_S, left_s))
        self._close()
        return emptied

    async def _empty(self, within_s: float) -> bool:
        if len(self):
            self._emptied.clear()
            try:
                async with asyncio.timeout(within_s):
                    await self._emptied.wait()
            except TimeoutError:
                return False
        return True

    def _close(self) -> None:
        self.draining = True
        self._sweeping.cancel()
        self._listener.close()
        for connection in list(self._idle):
            connection.close()
        for stream in list(self._handed_off):
            stream.closed_by_server = True  # the client has not left: the work that it waits for goes on
            stream.close()
        self._lingering.close()
        if self._lane is not None:
            self._lane.report()


def _no_poll(_data: bytes) -> PollRequest | None:
    return None


def _by_tornado(_poll: PollRequest, _now: float, reply: Reply) -> None:
    reply(None)
