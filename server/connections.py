"""Every connection of the server: accepted, counted, left to idle cheaply, lent to Tornado for an exchange, ended.

A connection that waits for a request is a file descriptor and little else (some hundred bytes; Tornado keeps eight
thousand). What it then reads is shown to the express lane; what that does not answer goes to Tornado with the bytes
already read (``lane_stream.py``), and comes back when the exchange is over. Refuses to know what requests say.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Iterable
from types import TracebackType

import structlog
from tornado.httpserver import HTTPServer

from handlers.errors import Answer
from runtime.settings import ServerSettings
from server.batched_epoll import open_readers
from server.handoff_stream import READ_BYTES, LaneStream
from server.idle_connection import Connection
from server.lane.express_lane import ExpressLane, memorable_block
from server.lane.responses import Head, Refusal

ACCEPTS_AT_ONCE = 128
PAUSE_WITHOUT_DESCRIPTORS_S = 0.5
NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
LINGER_S = 1.0  # time to read an answer, before the socket goes and with it what nobody read of the request
LINGER_BYTES = 1_048_576
LINGERING_MOST = 256
REFUSAL_LINES = b"\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n"
LOOK_AGAIN_S = 0.2  # while draining
IDLE_GRACE_S = 2.0  # while draining: clients poll every second, so most learn that the connection ends with an answer

TOO_MANY = Answer(
    503, "server_busy", "Server is busy", "Too many connections are open. Try again shortly.", {"Retry-After": "5"}
)

log = structlog.get_logger(__name__)


class Connections:
    """An async context manager that serves the sockets it is given; ``server`` answers whatever the lane does not."""

    def __init__(self, server: HTTPServer, lane: ExpressLane | None, settings: ServerSettings) -> None:
        self.loop = asyncio.get_running_loop()
        self._lane = lane
        self._server = server
        self._most = settings.connections
        self._idle_timeout_s = settings.idle_timeout_s
        self._listeners: list[socket.socket] = []
        self._waiting: set[Connection] = set()
        self._lent: set[LaneStream] = set()
        self._lingering: dict[socket.socket, asyncio.TimerHandle] = {}
        self._refusal, self._head = Refusal(TOO_MANY), Head()
        self._draining = False
        self._none = asyncio.Event()
        self.readers = open_readers(self.loop)
        self._every_second = self.loop.call_later(1.0, self._look_around)

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
        """Open connections, wherever they are."""
        return len(self._waiting) + len(self._lent)

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections on listening sockets, and own them from now on."""
        for listener in sockets:
            self._listeners.append(listener)
            self.loop.add_reader(listener, self._accept, listener)

    async def drain(self, timeout_s: float) -> bool:
        """Stop accepting, let every exchange end, close what idles; say whether all was in time.

        From now on Tornado answers everything, and with its answer a connection ends.
        """
        self._draining = True
        for listener in list(self._listeners):
            while self._accept(listener):  # who has connected already would else be reset when the listener closes
                pass
        self._stop_accepting()
        for stream in self._lent:
            stream.last = True
        ends_at = self.loop.time() + timeout_s
        emptied = await self._emptied(min(IDLE_GRACE_S, timeout_s))
        while not emptied and (left_s := ends_at - self.loop.time()) > 0:
            self._close_idle()
            emptied = await self._emptied(min(LOOK_AGAIN_S, left_s))
        self._close()
        return emptied

    def _close(self) -> None:
        self._draining = True
        self._every_second.cancel()
        self._stop_accepting()
        for connection in list(self._waiting):
            connection.close()
        for stream in list(self._lent):
            stream.closed_by_server = True  # nobody has left: what the client waits for goes on
            stream.close()
        for sock in list(self._lingering):
            self._end_lingering(sock)
        if self._lane is not None:
            self._lane.report()

    def _close_idle(self) -> None:
        for connection in [connection for connection in self._waiting if not connection.busy]:
            connection.close_if_idle()

    async def _emptied(self, within_s: float) -> bool:
        if len(self):
            self._none.clear()
            try:
                async with asyncio.timeout(within_s):
                    await self._none.wait()
            except TimeoutError:
                return False
        return True

    # Accepting

    def _stop_accepting(self) -> None:
        while self._listeners:
            listener = self._listeners.pop()
            self.loop.remove_reader(listener)
            listener.close()

    def _accept(self, listener: socket.socket) -> bool:
        """Accept who has connected, some at a time; say whether there may be more."""
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                sock, _ = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return False
            except OSError as exc:
                if exc.errno not in NO_DESCRIPTORS:
                    raise
                log.error("no_file_descriptors", connections=len(self))  # noqa: TRY400  # nothing crashed
                self.loop.remove_reader(listener)  # it stays readable: without a pause this would spin
                self.loop.call_later(PAUSE_WITHOUT_DESCRIPTORS_S, self._accept_again, listener)
                return False
            self._begin(sock)
        return True

    def _accept_again(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self.loop.add_reader(listener, self._accept, listener)

    def _begin(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if len(self) >= self._most:
            self._refuse(sock)
            return
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.taken_back(sock)

    def _refuse(self, sock: socket.socket) -> None:
        answer = self._refusal.render(self._head, REFUSAL_LINES, b"")
        with contextlib.suppress(OSError):
            sock.send(answer)
        self.linger(sock)

    def linger(self, sock: socket.socket) -> None:
        """Close a connection whose client may still be sending, after time to read the answer.

        What it sends meanwhile is passed over, up to a bound.
        """
        try:
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            sock.close()
            return
        self._lingering[sock] = self.loop.call_later(LINGER_S, self._end_lingering, sock)
        self.loop.add_reader(sock, self._pass_over, sock, [LINGER_BYTES])
        if len(self._lingering) > LINGERING_MOST:
            self._end_lingering(next(iter(self._lingering)))

    def _pass_over(self, sock: socket.socket, left: list[int]) -> None:
        try:
            received = len(sock.recv(READ_BYTES))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        left[0] -= received
        if not received or left[0] < 0:
            self._end_lingering(sock)

    def _end_lingering(self, sock: socket.socket) -> None:
        self._lingering.pop(sock).cancel()
        self.loop.remove_reader(sock)
        sock.close()

    # Waiting for a request

    def listen(self, connection: Connection) -> None:
        self.readers.add_reader(connection.descriptor, connection.readable)

    def take(self, connection: Connection, data: bytes, now: float) -> None:
        """Have a read answered, by whom it may concern."""
        if self._draining or self._lane is None:
            self.lend(connection, data)
        elif (answer := self._lane.answer(data, now)) is not None:
            connection.send(answer)
        else:
            self._lane.consider(connection, data, now)

    def closed(self, connection: Connection) -> None:
        self._waiting.discard(connection)
        self._one_less()

    def _one_less(self) -> None:
        if not len(self):
            self._none.set()

    def _look_around(self) -> None:
        now = time.monotonic()
        for connection in [each for each in self._waiting if each.seen_at < now - self._idle_timeout_s]:
            connection.close()
        for stream in [each for each in self._lent if each.stalled_s(now) > self._idle_timeout_s]:
            stream.close()
        if self._lane is not None:
            self._lane.report()
        self._every_second = self.loop.call_later(1.0, self._look_around)

    # Lent to Tornado

    def lend(self, connection: Connection, data: bytes) -> LaneStream | None:
        """Give a connection to Tornado with what was read from it; None when the client has gone."""
        self._waiting.discard(connection)
        self.readers.remove_reader(connection.descriptor)
        sock = socket.socket(connection.family, socket.SOCK_STREAM, 0, connection.descriptor)
        connection.descriptor = -1
        return self._hand_over(sock, data)

    def _hand_over(self, sock: socket.socket, data: bytes) -> LaneStream | None:
        try:
            address = sock.getpeername()
        except OSError:  # it has gone already
            sock.close()
            self._one_less()
            return None
        stream = LaneStream(sock, data, self, max_buffer_size=self._server.max_buffer_size)
        stream.last = self._draining
        self._lent.add(stream)
        self._server.handle_stream(stream, address)
        return stream

    def memorable(self, data: bytes) -> bytes | None:
        return None if self._lane is None else memorable_block(data)

    def taken_back(self, sock: socket.socket, data: bytes = b"") -> None:
        connection = Connection(self, sock.family, sock.detach())
        self._waiting.add(connection)
        self.listen(connection)
        if data:
            connection.take(data)

    def ended(self, stream: LaneStream) -> None:
        self._lent.discard(stream)
        if self._lane is not None:
            self._lane.exchange_ended(stream)
        self._one_less()
